"""The parts of pages that stand in every row: what `templates/console/parts.html` would take a tenth of a second to draw
a thousand times. Each escapes what it is given.
"""

import html
from collections.abc import Callable, Iterable
from functools import cache

from markupsafe import Markup, escape

from backend.web.console import files, here


def number(shown: object, raw: int | None = None) -> Markup:
    """A cell of a number; `raw` is what a chart draws."""
    drawn = "" if raw is None else f' data-value="{escape(raw)}"'
    return Markup(f'<td class="gp-number"{drawn}>{escape(shown)}</td>')  # noqa: S704 - both are escaped


def numbers(values: Iterable[int], shown: Callable[[int], str]) -> Markup:
    """Cells of numbers that a chart may draw, side by side: `shown` says each of them."""
    cells = (f'<td class="gp-number" data-value="{value:d}">{html.escape(shown(value))}</td>' for value in values)
    return Markup("".join(cells))  # noqa: S704 - escaped each


def status(words: object, kind: str = "plain") -> Markup:
    """`kind`: good, waits, bad, plain."""
    return Markup(f'<span class="gp-status gp-{escape(kind)}">{escape(words)}</span>')  # noqa: S704 - both are escaped


@cache
def icon(name: str) -> Markup:
    """A picture beside words: drawn in static/icons.svg, and said by the words alone."""
    place = escape(f"{files.url('icons.svg')}#{name}")
    return Markup(  # noqa: S704 - the place is escaped
        f'<svg class="gp-icon" aria-hidden="true" width="20" height="20"><use href="{place}"></use></svg>'
    )


def token() -> Markup:
    """What every form of this session carries."""
    return Markup(f'<input type="hidden" name="csrf" value="{escape(here.form_token())}">')  # noqa: S704 - escaped
