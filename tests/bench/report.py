"""How a measurement is told: one line a ratio, and lines beside it that say where the time goes."""

import sys
from dataclasses import dataclass
from operator import ge, le


@dataclass(frozen=True)
class Ratio:
    """`at_most` is True where less is better; a figure without a bar is only reported."""

    name: str
    value: float
    bar: float | None = None
    at_most: bool = False

    @property
    def reached(self) -> bool:
        return self.bar is None or (le if self.at_most else ge)(round(self.value, 2), self.bar)

    def __str__(self) -> str:
        if self.bar is None:
            return f"figure {self.name} {self.value:.0f}"
        verdict = "" if self.reached else " — 未达标 / falls short"
        return f"ratio {self.name} {self.value:.2f} (bar {'at most ' if self.at_most else ''}{self.bar:.2f}){verdict}"


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
