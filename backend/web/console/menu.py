"""The entries on the left, drawn once for all who may open the same pages: nothing in them is about a person."""

from functools import lru_cache
from typing import NamedTuple

from flask import g, request
from markupsafe import Markup

from backend.officials.model import Role, Side, Stage
from backend.web.console import here, parts, speaking
from backend.web.console.declare import DECLARED, Declared, Topic

MENUS_KEPT = 512
"""Roles that one person has, by language, by the page that is open."""


class Entry(NamedTuple):
    """A topic with those of its pages that are open to one."""

    topic: Topic
    pages: list[Declared]


def menu() -> Markup:
    """Of the page that is asked for; empty for whoever is not signed in to the end."""
    official, declared = here.signed_in(), g.get("declared")
    if official is None or official.stage is not Stage.FULL:
        return Markup()
    topic = declared.topic if declared else None
    entries = entries_of(here.side(), official.roles)
    at = tuple(page.url for entry in entries if entry.topic is topic for page in entry.pages if _is_at(page))
    return _drawn(here.side(), official.roles, here.english(), topic, at)


@lru_cache(maxsize=MENUS_KEPT)
def entries_of(side: Side, roles: frozenset[Role]) -> list[Entry]:
    """Every page is declared once requests come."""
    open_to = [one for one in DECLARED if one.side is side and one.menu is not None and one.roles & roles]
    found = [Entry(topic, [one for one in open_to if one.topic is topic]) for topic in Topic]
    return [entry for entry in found if entry.pages]


def _is_at(page: Declared) -> bool:
    return request.path == page.url or (page.rule != "/" and request.path.startswith(f"{page.url}/"))


@lru_cache(maxsize=MENUS_KEPT)
def _drawn(side: Side, roles: frozenset[Role], english: bool, topic: Topic | None, at: tuple[str, ...]) -> Markup:  # noqa: FBT001 - a key
    found = speaking.template("console/menu.html", english=english)
    values = {"menu": entries_of(side, roles), "topic": topic, "at": at, "icon": parts.icon}
    return Markup(found.render(values, say=here.speaker(english=english)))  # noqa: S704 - a template escapes
