"""The pages of money, in the order in which the menu names them."""

from importlib import import_module

PAGES = ("budgets", "settlements", "payments", "adjustments", "liability")
for _name in PAGES:
    import_module(f"backend.web.console.{_name}")
