"""Variables of one prefix, read so that all mistakes come out together."""

import os
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from environs import Env, EnvValidationError, validate

from scanner.errors import TillRefusal

Choice = TypeVar("Choice", bound=StrEnum)


class EnvironmentInvalid(TillRefusal):
    code = "environment-invalid"
    text_zh = "环境变量有误：\n{problems}"
    text_en = "The environment variables are not usable:\n{problems}"


class Variables:
    """Each reader gives a value of its type even when the variable is wrong; `refuse_if_wrong` then speaks."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._env = Env(prefix=prefix, eager=False)
        self._known: set[str] = set()
        self._problems: dict[str, list[str]] = {}

    def text(self, name: str, default: str | None = None, *, pattern: str = ".+") -> str:
        check = validate.Regexp(re.compile(rf"(?:{pattern})\Z"), error="Not of the expected form.")
        fallback = {} if default is None else {"default": default}
        value: str | None = self._env.str(self._named(name), **fallback, validate=check)
        return value or ""

    def path(self, name: str) -> Path:
        return Path(self.text(name))

    def optional_path(self, name: str) -> Path | None:
        value: str | None = self._env.str(self._named(name), None)
        return Path(value) if value else None

    def integer(self, name: str, default: int, lowest: int, highest: int) -> int:
        value: int | None = self._env.int(self._named(name), default, validate=validate.Range(lowest, highest))
        return value or 0

    def optional_integer(self, name: str, lowest: int, highest: int) -> int | None:
        value: int | None = self._env.int(self._named(name), None, validate=validate.Range(lowest, highest))
        return value

    def number(self, name: str, default: float, lowest: float, highest: float) -> float:
        value: float | None = self._env.float(self._named(name), default, validate=validate.Range(lowest, highest))
        return value or 0.0

    def truth(self, name: str) -> bool:
        return bool(self._env.bool(self._named(name), default=False))

    def choice(self, name: str, kind: type[Choice], default: Choice) -> Choice:
        return self.optional_choice(name, kind) or default

    def optional_choice(self, name: str, kind: type[Choice]) -> Choice | None:
        check = validate.OneOf([member.value for member in kind])
        value: str | None = self._env.str(self._named(name), None, validate=check)
        return None if value is None else kind(value)

    def problem(self, name: str, sentence: str) -> None:
        self._problems.setdefault(self._prefix + name, []).append(sentence)

    def pass_over(self, names: Iterable[str]) -> None:
        """Full names that may be unknown here: a later release wrote them, before the till fell back to this one."""
        self._known.update(names)

    def refuse_if_wrong(self) -> None:
        """Raises EnvironmentInvalid with a line for each wrong, missing or unknown variable of the prefix."""
        try:
            self._env.seal()
        except EnvValidationError as invalid:
            found = invalid.error_messages
            by_name = found if isinstance(found, Mapping) else {self._prefix: found}
            for name, sentences in by_name.items():
                self._problems.setdefault(name, []).extend(map(str, sentences))
        for name in os.environ:
            if name.startswith(self._prefix) and name not in self._known:
                self._problems[name] = ["Unknown variable."]
        if self._problems:
            lines = [f"  {name}: {' '.join(self._problems[name])}" for name in sorted(self._problems)]
            raise EnvironmentInvalid(problems="\n".join(lines))

    def _named(self, name: str) -> str:
        self._known.add(self._prefix + name)
        return name
