"""A city's districts as tiles that stand as the districts do: no outline is drawn, which would need a map's approval number."""

from collections.abc import Sequence
from typing import NamedTuple

from backend.retailers.queries import DistrictPlace
from backend.statistics.layout import Place, bounds_of, rows_of, step_of
from backend.statistics.model import Total
from backend.web.console import here


class Tile(NamedTuple):
    """`step`: how dark, from 0 to 5."""

    code: str
    name: str
    total: Total
    step: int


class TileMap(NamedTuple):
    """`legend`: (step, least, most) of each shade. `placed`: whether tiles stand by where shops are."""

    rows: Sequence[Sequence[Tile]]
    legend: Sequence[tuple[int, int, int]]
    placed: bool

    @property
    def tiles(self) -> list[Tile]:
        """By code."""
        return sorted((tile for row in self.rows for tile in row), key=lambda tile: tile.code)


def tile_map(totals: Sequence[Total], places: Sequence[DistrictPlace]) -> TileMap:
    """`totals` of districts; what was sold in none is left out."""
    known = {one.key: one for one in totals if one.key}
    most = max((one.scans for one in known.values()), default=0)
    at = {one.district: Place(one.latitude_e6, one.longitude_e6) for one in places}
    rows = [
        [Tile(code, here.district_name(code), known[code], step_of(known[code].scans, most)) for code in row]
        for row in rows_of(list(known), at)
    ]
    legend = [(step_of(greatest, most), least, greatest) for least, greatest in bounds_of(most)]
    return TileMap(rows, legend, any(code in at for code in known))
