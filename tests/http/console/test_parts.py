"""What is drawn without a template, or said when a template is compiled, is safe and in the language of the page."""

from backend.officials.model import Role, Side
from backend.web.console import menu, parts, speaking
from backend.web.console.words import yuan


def test_parts_escape_what_they_are_given() -> None:
    assert parts.number("<b>") == '<td class="gp-number">&lt;b&gt;</td>'
    assert parts.status('"', "<") == '<span class="gp-status gp-&lt;">&#34;</span>'
    assert parts.numbers([1], lambda _value: "<") == '<td class="gp-number" data-value="1">&lt;</td>'


def test_cells_side_by_side_are_those_of_each_number() -> None:
    assert parts.numbers([5, -120], yuan) == parts.number(yuan(5), 5) + parts.number(yuan(-120), -120)


def test_a_text_of_a_template_is_settled_in_each_language() -> None:
    said = [
        speaking.template("console/parts.html", english=english).make_module({"parts": parts}).pager("/a")  # type: ignore[attr-defined]  # a macro
        for english in (False, True)
    ]

    assert "回到开头" in said[0]
    assert "Back to the start" in said[1]


def test_a_menu_has_the_pages_of_the_roles_and_no_others() -> None:
    of_auditor = menu.entries_of(Side.CITY, frozenset({Role.AUDITOR}))
    of_both = menu.entries_of(Side.CITY, frozenset({Role.AUDITOR, Role.FINANCE}))

    assert all(Role.AUDITOR in page.roles for entry in of_auditor for page in entry.pages)
    assert {page.url for entry in of_auditor for page in entry.pages} < {
        page.url for entry in of_both for page in entry.pages
    }
