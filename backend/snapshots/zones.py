"""Which places policies can tell apart: a till's zone is all that it needs to know of districts and shops. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from backend.policies.compiled import CompiledPolicy
from backend.policies.model import Condition, Group

ANYWHERE: Final = ""
"""The zone of every place that no policy names."""


class Place(NamedTuple):
    district: str | None
    store: str | None


class Zones:
    """Places in one zone lie within the same scopes and fulfil the same conditions of place; a zone bears its first's name.

    A shop is written `s/` + its number, a district as its code.
    """

    def __init__(self, policies: Sequence[CompiledPolicy], stores: Mapping[str, str]) -> None:
        """`stores`: store -> district."""
        self._named = [named for policy in policies for named in _named_in(policy)]
        districts = sorted({value for fact, values in self._named if fact == "district" for value in values})
        shops = sorted({value for fact, values in self._named if fact == "store" for value in values} & stores.keys())
        self.places: dict[str, Place] = {ANYWHERE: Place(None, None)}
        """One place of each zone, by the zone's name."""
        self._zone_of: dict[tuple[bool, ...], str] = {self._signature(self.places[ANYWHERE]): ANYWHERE}
        self._lines: dict[str, str] = {}
        for district in districts:
            self._enter(district, Place(district, None), ANYWHERE)
        for shop in shops:
            self._enter(f"s/{shop}", Place(stores[shop], shop), self._lines.get(stores[shop], ANYWHERE))

    def lines(self) -> Mapping[str, str]:
        """Place -> zone, where its shop or district alone would not say so."""
        return self._lines

    def _enter(self, name: str, place: Place, otherwise: str) -> None:
        zone = self._zone_of.setdefault(self._signature(place), name)
        self.places.setdefault(zone, place)
        if zone != otherwise:
            self._lines[name] = zone

    def _signature(self, place: Place) -> tuple[bool, ...]:
        return tuple((place.store if fact == "store" else place.district) in values for fact, values in self._named)


def _named_in(policy: CompiledPolicy) -> Iterator[tuple[str, frozenset[str]]]:
    scope = policy.policy.scope
    yield "district", frozenset(scope.districts)
    yield "store", frozenset(scope.stores)
    for compiled in policy.rules:
        yield from _named_by(compiled.rule.when)


def _named_by(member: Condition | Group) -> Iterator[tuple[str, frozenset[str]]]:
    if isinstance(member, Group):
        for inner in member.members:
            yield from _named_by(inner)
    elif member.fact in ("district", "store"):
        values = member.value if isinstance(member.value, tuple) else (member.value,)
        yield member.fact, frozenset(str(value) for value in values)
