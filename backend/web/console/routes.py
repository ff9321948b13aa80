"""All pages of the console, the city's and the shops': a module of routes joins its blueprint when it is imported here."""

from backend.web.console import account as _account  # noqa: F401
from backend.web.console import answers as _answers  # noqa: F401
from backend.web.console import audit as _audit  # noqa: F401
from backend.web.console import budgets as _budgets  # noqa: F401
from backend.web.console import cases as _cases  # noqa: F401
from backend.web.console import files as _files  # noqa: F401
from backend.web.console import lists as _lists  # noqa: F401
from backend.web.console import money as _money  # noqa: F401
from backend.web.console import officials as _officials  # noqa: F401
from backend.web.console import overview as _overview  # noqa: F401
from backend.web.console import policies as _policies  # noqa: F401
from backend.web.console import policy_drafts as _policy_drafts  # noqa: F401
from backend.web.console import policy_editor as _policy_editor  # noqa: F401
from backend.web.console import registry as _registry  # noqa: F401
from backend.web.console import registry_counts as _registry_counts  # noqa: F401
from backend.web.console import registry_imports as _registry_imports  # noqa: F401
from backend.web.console import ripple as _ripple  # noqa: F401
from backend.web.console import rulings as _rulings  # noqa: F401
from backend.web.console import sanctions as _sanctions  # noqa: F401
from backend.web.console import sign_in as _sign_in  # noqa: F401
from backend.web.console import sign_on as _sign_on  # noqa: F401
from backend.web.console import slips as _slips  # noqa: F401
from backend.web.console import staff as _staff  # noqa: F401
from backend.web.console import support as _support  # noqa: F401
from backend.web.console import targets as _targets  # noqa: F401
from backend.web.console import tills as _tills  # noqa: F401
from backend.web.console import updates as _updates  # noqa: F401
from backend.web.console.blueprint import console, shop
from backend.web.console.shop import daily_sales as _shop_sales  # noqa: F401
from backend.web.console.shop import home as _shop_home  # noqa: F401
from backend.web.console.shop import refusals as _shop_refusals  # noqa: F401
from backend.web.console.shop import returns as _shop_returns  # noqa: F401
from backend.web.console.shop import statements as _shop_statements  # noqa: F401
from backend.web.console.shop import tills as _shop_tills  # noqa: F401
from backend.web.console.shop import tokens as _shop_tokens  # noqa: F401
from backend.web.console.shop import uploads as _shop_uploads  # noqa: F401

__all__ = ["console", "shop"]
