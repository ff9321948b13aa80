"""The console's templates, compiled once for each language.

Half of what a page says are texts that stand in its template in both languages; which of them is settled when the template
is compiled, and they become one with the markup around them. Texts that a page is given are said by `say` as ever.
"""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, Template, nodes
from jinja2.visitor import NodeTransformer

from backend.web.console import files, here, parts

FOLDER = Path(__file__).parent / "templates"
TEXTS = 2
"""Chinese, English."""


def template(name: str, *, english: bool) -> Template:
    return _environment(english).get_template(name)


@cache
def macros(*, english: bool) -> object:
    """Those of `console/parts.html`, which are the same for every request."""
    return template("console/parts.html", english=english).make_module(
        {"say": here.speaker(english=english), "parts": parts}
    )


class _Settling(NodeTransformer):
    """Puts the text of one language in the place of `say`, and an address in that of `file`: neither depends on a request."""

    def __init__(self, *, english: bool) -> None:
        self._position = int(english)

    def visit_Call(self, call: nodes.Call) -> nodes.Node:  # noqa: N802 - the library calls it by the node's name
        self.generic_visit(call)
        asked = call.node.name if isinstance(call.node, nodes.Name) else None
        if asked == "say" and len(call.args) == TEXTS:
            return call.args[self._position]
        if asked == "file" and isinstance(call.args[0], nodes.Const):
            return nodes.Const(files.url(call.args[0].value), lineno=call.lineno)
        return call


class _Speaking(Environment):
    def __init__(self, *, english: bool) -> None:
        super().__init__(loader=FileSystemLoader(FOLDER), autoescape=True, auto_reload=False)
        self._settling = _Settling(english=english)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Were it called no more by a newer library, pages would be slower and the same."""
        tree = super()._parse(source, name, filename)
        self._settling.visit(tree)
        return tree


@cache
def _environment(english: bool) -> _Speaking:  # noqa: FBT001 - the one key
    return _Speaking(english=english)
