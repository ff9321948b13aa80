"""How EAN-13 and UPC-A look when they are out of focus: ideal bars, blurred, sampled (ISO/IEC 15420).

Darkness runs from 0 (white) to 1 (black). Lengths are in modules; SAMPLES points a module. The quiet zones that belong
to the picture of a symbol are QUIET modules on either side.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SAMPLES = 4
QUIET = 7
MODULES = 95
DIGIT = 7
LEFT_AT, RIGHT_AT = 3, 50
SPAN = (MODULES + 2 * QUIET) * SAMPLES

SET_A = ("0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011")
SET_C = tuple(bits.translate(str.maketrans("01", "10")) for bits in SET_A)
SET_B = tuple(bits[::-1] for bits in SET_C)
PARITIES = ("AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB", "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA")
SIDE, CENTRE = "101", "01010"


def bars(bits: str) -> Floats:
    return np.array([bit == "1" for bit in bits], dtype=np.float64)


def blurred(modules: Floats, sigma: float) -> Floats:
    """Samples of the last axis after a Gaussian blur of `sigma` modules; beyond the ends it is white."""
    reach = int(np.ceil(4 * sigma * SAMPLES))
    steps = np.arange(-reach, reach + 1) / SAMPLES
    kernel = np.exp(-0.5 * (steps / sigma) ** 2)
    kernel /= kernel.sum()
    drawn = np.repeat(modules, SAMPLES, axis=-1)
    flat = drawn.reshape(-1, drawn.shape[-1])
    length = flat.shape[1]
    rows = [np.convolve(row, kernel)[reach : reach + length] for row in flat]
    return np.array(rows).reshape(drawn.shape)


def positions() -> Floats:
    """Where each sample of a symbol lies: 0 at its first bar, 1 after its last."""
    return ((np.arange(SPAN) + 0.5) / SAMPLES - QUIET) / MODULES


def whole(digits: tuple[int, ...], sigma: float) -> Floats:
    """The blurred symbol of 13 digits with its quiet zones, SPAN samples."""
    parity = PARITIES[digits[0]]
    left = "".join((SET_A if kind == "A" else SET_B)[digit] for kind, digit in zip(parity, digits[1:7], strict=True))
    right = "".join(SET_C[digit] for digit in digits[7:])
    return blurred(bars("0" * QUIET + SIDE + left + CENTRE + right + SIDE + "0" * QUIET), sigma)


@cache
def guard_samples() -> npt.NDArray[np.bool_]:
    """Samples whose bars are the same in every symbol: quiet zones, guards and the modules that touch them."""
    known = np.zeros(MODULES + 2 * QUIET, dtype=bool)
    for start, stop in ((-5, 4), (44, 51), (91, 100)):
        known[QUIET + start : QUIET + stop] = True
    return np.repeat(known, SAMPLES)


@cache
def guards(sigma: float) -> Floats:
    """Expected darkness at `guard_samples`; unknown digits count with their mean darkness, 0.47."""
    modules = np.full(MODULES, 0.47)
    modules[:4], modules[91:], modules[44:51] = bars(SIDE + "0"), bars("0" + SIDE), bars("1" + CENTRE + "1")
    modules[[4, 90]], modules[[43, 51]] = 0.3, 0.7
    quiet = np.zeros(QUIET)
    return blurred(np.concatenate([quiet, modules, quiet]), sigma)[guard_samples()]


@dataclass(frozen=True, slots=True)
class Windows:
    """Blurred digits as seen through a window of one digit, by the digits (and guards) left and right of it.

    `flat`: one row a combination; `shape`: the combination's axes, of 20 symbols (sets A, B) or 10 (set C) each.
    """

    flat: Floats
    squares: Floats
    shape: tuple[int, ...]

    def costs(self, seen: Floats) -> Floats:
        """Squared distance of the samples seen to each combination."""
        return (self.squares - 2 * (self.flat @ seen) + seen @ seen).reshape(self.shape)


Half = Literal["left", "right"]


@cache
def windows(half: Half, sigma: float) -> tuple[Windows, Windows, Windows]:
    """For the first, the inner and the last digit of a half symbol."""
    symbols = np.array([bars(bits) for bits in (SET_A + SET_B if half == "left" else SET_C)])
    before, after = ("0000" + SIDE, CENTRE + "10") if half == "left" else ("10" + CENTRE, SIDE + "0000")
    previous, current, following = (_seen(symbols, place, sigma) for place in range(3))
    start, end = _seen(bars(before)[None], 0, sigma)[0], _seen(bars(after)[None], 2, sigma)[0]
    return (
        _windows(start + current[:, None] + following[None]),
        _windows(previous[:, None, None] + current[None, :, None] + following[None, None]),
        _windows(previous[:, None] + current[None] + end),
    )


def _seen(symbols: Floats, place: int, sigma: float) -> Floats:
    """What symbols at one of three neighbouring places add to the middle place. Blur is linear, so parts add up."""
    modules = np.zeros((len(symbols), 3 * DIGIT))
    modules[:, place * DIGIT : (place + 1) * DIGIT] = symbols
    return blurred(modules, sigma)[:, DIGIT * SAMPLES : 2 * DIGIT * SAMPLES]


def _windows(table: Floats) -> Windows:
    flat = np.ascontiguousarray(table.reshape(-1, DIGIT * SAMPLES))
    return Windows(flat, (flat**2).sum(axis=1), table.shape[:-1])
