"""What happens before the camera in a measured film: goods of every kind come, rest, are turned, shine, leave, return."""

from dataclasses import replace

import numpy as np

from tests.bench.film import COLUMNS, ROWS, Card, Carried, Film, Glare, Pose, Shot, card

Chance = np.random.Generator
KINDS = ("EAN13", "QRCODE", "Code128", "DataBar")
HOME = (COLUMNS / 2, ROWS / 2)
# A label that comes back sooner may be the same one behind a hand.
AWAY_S = 2.6
BLUR_MODULES_MAX = 0.5
TILT_MAX = 22  # degrees


def standard_film(seed: int) -> Film:
    """About a minute and thirty labels."""
    chance = np.random.default_rng(seed)
    goods = iter([card(KINDS[n % 4] if n % 8 < 4 else "EAN13", _text(chance, n), seed + n) for n in range(64)])
    shots = [empty(chance, 1.0)]
    for _ in range(4):
        shots += [passes(chance, next(goods)) for _ in range(3)]
        shots += [swipes(chance, next(goods)), empty(chance, 0.6), tray(chance, [next(goods) for _ in range(3)])]
    shots += [lingers(chance, next(goods)), *returns(chance, next(goods)), swaps(chance, next(goods), next(goods))]
    return Film((*shots, empty(chance, 0.6)), seed)


def empty(chance: Chance, length_s: float) -> Shot:
    return _shot(chance, (), length_s)


def passes(chance: Chance, good: Card) -> Shot:
    """A hand brings it, holds it about a second, takes it away; sometimes a reflection lies on it at first."""
    pose = _pose(chance, good)
    glares = (_glare(chance, 0.4, 1.0),) if chance.random() < 0.5 else ()
    return _shot(chance, (_visit(chance, good, pose, 0.0, 1.8, glares),), 2.0)


def swipes(chance: Chance, good: Card) -> Shot:
    """Through the view without a rest, slower in the middle."""
    middle = _pose(chance, good)
    further = replace(middle, x=middle.x + 150, y=middle.y + chance.uniform(-60, 60))
    before, after = replace(middle, x=-400.0), replace(further, x=COLUMNS + 400.0)
    poses = ((0.0, before), (0.5, middle), (1.2, further), (1.7, after))
    return _shot(chance, (Carried(good, poses, phase=chance.random()),), 1.8)


def tray(chance: Chance, goods: list[Card]) -> Shot:
    """Several laid side by side, one after the other; a reflection sweeps over each."""
    carried = []
    for place, good in enumerate(goods):
        pose = _pose(chance, good, (COLUMNS * (2 * place + 1) / 6, ROWS / 2), module_max=2.2, turned=False)
        glares = (_glare(chance, 1.0 + 0.4 * place, 2.4 + 0.2 * place),)
        carried.append(_visit(chance, good, pose, 0.25 * place, 3.4 + 0.1 * place, glares, tremor_px=0.3))
    return _shot(chance, tuple(carried), 3.8)


def lingers(chance: Chance, good: Card) -> Shot:
    """Read, then held under a reflection and moved about for longer than a label needs to count as gone, then clear."""
    here, there = _pose(chance, good, turned=False), _pose(chance, good, turned=False)
    poses = (_off(chance, here), here, here, there, there, here, here, _off(chance, here))
    times = (0.0, 0.4, 1.4, 2.2, 3.6, 4.2, 5.6, 6.0)
    cover = Glare(1.3, 4.2, (-40, 0), (40, 0), (230.0, 150.0), 420.0)
    return _shot(chance, (Carried(good, tuple(zip(times, poses, strict=True)), glares=(cover,)),), 6.2)


def returns(chance: Chance, good: Card) -> list[Shot]:
    return [passes(chance, good), empty(chance, AWAY_S), passes(chance, good)]


def swaps(chance: Chance, first: Card, second: Card) -> Shot:
    """The next one comes to the same place as the one before leaves it."""
    pose = _pose(chance, first, HOME)
    going = _visit(chance, first, pose, 0.0, 1.6)
    coming = _visit(chance, second, _pose(chance, second, HOME), 1.4, 3.0)
    return _shot(chance, (going, coming), 3.2)


def _shot(chance: Chance, carried: tuple[Carried, ...], length_s: float) -> Shot:
    """Never so far out of focus that the finest symbol in view is beyond reading."""
    finest = min((pose.module_px for one in carried for _, pose in one.poses), default=3.0)
    light, blur_px = float(chance.uniform(0.55, 1.05)), float(chance.uniform(0.25, BLUR_MODULES_MAX)) * finest
    return Shot(carried, length_s, light, blur_px, float(chance.uniform(2, 7)), float(chance.uniform(0.003, 0.009)))


def _visit(
    chance: Chance,
    good: Card,
    pose: Pose,
    start_s: float,
    stop_s: float,
    glares: tuple[Glare, ...] = (),
    tremor_px: float = 2.5,
) -> Carried:
    poses = ((start_s, _off(chance, pose)), (start_s + 0.45, pose), (stop_s - 0.4, pose), (stop_s, _off(chance, pose)))
    return Carried(good, poses, tremor_px, glares, float(chance.random()))


def _pose(
    chance: Chance,
    good: Card,
    middle: tuple[float, float] | None = None,
    *,
    module_max: float = 3.0,
    turned: bool = True,
) -> Pose:
    x, y = middle or (HOME[0] + chance.uniform(-220, 220), HOME[1] + chance.uniform(-90, 90))
    low, high = (3.2, 1.6 * module_max) if good.symbology == "QRCODE" else (1.6, module_max)
    roll = chance.normal(0, 9)
    if turned:
        roll += chance.choice([0, 0, 0, 90, 180, 270, chance.uniform(0, 360)])
    pitch, yaw = np.clip(chance.normal(0, 14, 2), -TILT_MAX, TILT_MAX)
    return Pose(x, y, chance.uniform(low, high), roll, pitch, yaw)


def _off(chance: Chance, pose: Pose) -> Pose:
    """Outside the view, on one side or below, held a little otherwise."""
    x, y = [(-420, pose.y), (COLUMNS + 420, pose.y), (pose.x, ROWS + 420)][chance.integers(3)]
    return Pose(x, y, pose.module_px * 0.9, pose.roll + chance.normal(0, 12), pose.pitch, pose.yaw)


def _glare(chance: Chance, start_s: float, stop_s: float) -> Glare:
    begin, end = chance.uniform(-160, 160, 2), chance.uniform(-160, 160, 2)
    size = (float(chance.uniform(60, 170)), float(chance.uniform(25, 70)))
    strength = float(chance.uniform(150, 400))
    return Glare(start_s, stop_s, (begin[0], begin[1] / 2), (end[0], end[1] / 2), size, strength)


def _text(chance: Chance, number: int) -> str:
    kind = KINDS[number % 4] if number % 8 < 4 else "EAN13"
    if kind == "QRCODE":
        return f"https://gp.example.cn/l/{chance.integers(10**9, 10**10)}"
    if kind == "Code128":
        return f"GP{chance.integers(10**8, 10**9)}"
    if kind == "DataBar":
        return _checked(f"0{chance.integers(690, 700)}{chance.integers(10**8, 10**9)}")
    return _checked(f"{chance.integers(690, 700)}{chance.integers(10**8, 10**9)}")


def _checked(digits: str) -> str:
    """With the GS1 check digit (General Specifications 7.9.1)."""
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return f"{digits}{-weighted % 10}"
