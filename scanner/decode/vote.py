"""Which texts are believed. Pure: the same votes in any order give the same codes.

Why an agreement of two engines: of 97 wrong EAN texts that engines gave for real photographs, only 17 had a prefix
that GS1 never assigned, most pass the check digit, and one engine repeats its mistake in view after view. Three
engines written apart almost never invent the same text; where two did, the true text had many more votes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from scanner.decode.charset import printable
from scanner.decode.model import DecodedCode

Box = tuple[float, float, float, float]  # left, top, right, bottom in the picture

# Reed-Solomon, or a check modulo 79 and more: a single engine's word can stand. The first also on one look at the picture
# itself: what a single altered view alone shows is at the edge of what can be corrected, and waits for another.
MATRIX = frozenset({"QRCODE", "DATAMATRIX"})
DATABAR = frozenset({"DATABAR", "DATABAR_EXP", "DATABAR_LTD"})
# Readings of a scan line that left the symbol sideways are shorter and still well formed (ITF has no length, and
# half an EAN-13 is an EAN-8): these must be seen alike in views that turn or change the picture differently.
CUT_SHORT = frozenset({"I25", "EAN8", "CODE39"})

RIVAL_FACTOR = 3
LONE_ZXING_FAMILIES = 6
ENGINES_AGREEING = 2
WITNESSES_FOR_CHECKED = 2
UNALTERED = "plain"
SLACK = 0.25


@dataclass(frozen=True, slots=True)
class Vote:
    """One engine read this in one view. `family` names views that repeat each other's mistakes.

    `box` is None where the engine does not say where. `sure`: the engine measured how much worse any other code
    explains the picture, and it is far worse. `frames`: in how many frames of a film; a still is one.
    """

    engine: str
    family: str
    symbology: str
    data: bytes
    aim: str | None = None
    declared: str | None = None
    box: Box | None = None
    sure: bool = False
    frames: int = 1


@dataclass(slots=True)
class Candidate:
    data: bytes
    votes: list[Vote] = field(default_factory=list)

    @property
    def symbology(self) -> str:
        """The stricter where engines differ: zbar may call a UPC-E by the EAN-13 that it stands for."""
        return max({vote.symbology for vote in self.votes}, key=lambda name: (name == "UPCE", name))

    @property
    def witnesses(self) -> frozenset[tuple[str, str]]:
        return frozenset((vote.engine, vote.family) for vote in self.votes)

    @property
    def is_seen_again(self) -> bool:
        """By another engine, in another kind of view, or in another frame."""
        return len(self.witnesses) > 1 or any(vote.frames > 1 for vote in self.votes)

    @property
    def sure(self) -> bool:
        return any(vote.sure for vote in self.votes)

    @property
    def weight(self) -> int:
        return len(self.witnesses) + (RIVAL_FACTOR - 1) * self.sure

    @property
    def engines(self) -> frozenset[str]:
        return frozenset(vote.engine for vote in self.votes)

    def families(self, engine: str | None = None) -> frozenset[str]:
        return frozenset(vote.family for vote in self.votes if engine in (None, vote.engine))

    def meets(self, other: "Candidate") -> bool:
        return any(boxes_meet(one.box, two.box) for one in self.votes for two in other.votes)


def decide(votes: Iterable[Vote]) -> list[DecodedCode]:
    """The accepted codes, those with most witnesses first."""
    candidates = gather(votes)
    matrix = [c for c in candidates if c.symbology in MATRIX and _matrix_stands(c, candidates)]
    checked = [c for c in candidates if _is_checked(c) and _checked_stands(c)]
    weak = [
        c
        for c in candidates
        if _is_weak(c) and _weak_stands(c, candidates) and not any(c.meets(strong) for strong in checked)
    ]
    accepted = sorted(matrix + checked + weak, key=_rank)
    return [_code(candidate) for candidate in accepted]


def undecided(votes: Iterable[Vote], accepted: Iterable[DecodedCode]) -> bool:
    """Whether zxing saw a further label, elsewhere in the picture, that is not decided yet."""
    known = {code.data for code in accepted}
    candidates = gather(votes)
    settled = [c for c in candidates if c.data in known]
    return any(
        "zxing" in c.engines and not any(c.meets(other) for other in settled) for c in candidates if c.data not in known
    )


def gather(votes: Iterable[Vote]) -> list[Candidate]:
    found: dict[tuple[str, bytes], Candidate] = {}
    for vote in votes:
        kind = "GTIN13" if vote.symbology in ("EAN13", "UPCE") else vote.symbology
        found.setdefault((kind, vote.data), Candidate(vote.data)).votes.append(vote)
    return [found[key] for key in sorted(found)]


def _rank(candidate: Candidate) -> tuple[int, str, bytes]:
    return -len(candidate.witnesses), candidate.symbology, candidate.data


def _is_checked(candidate: Candidate) -> bool:
    return candidate.symbology == "CODE128" or candidate.symbology in DATABAR


def _is_weak(candidate: Candidate) -> bool:
    return candidate.symbology not in MATRIX and not _is_checked(candidate)


def _matrix_stands(candidate: Candidate, all_candidates: list[Candidate]) -> bool:
    """Engines differ only in how they spell a character set; zxing keeps the bytes as they are in the symbol."""
    if UNALTERED not in candidate.families() and not candidate.is_seen_again:
        return False
    if "zxing" in candidate.engines:
        return True
    rivals = [c for c in all_candidates if c.symbology in MATRIX and c is not candidate and c.meets(candidate)]
    return (
        "zbar" in candidate.engines
        and all(_rank(candidate) < _rank(c) for c in rivals if "zbar" in c.engines)
        and (not any("zxing" in c.engines for c in rivals))
    )


def _checked_stands(candidate: Candidate) -> bool:
    if candidate.symbology != "CODE128" and "zxing" not in candidate.engines:
        return False
    return len(candidate.witnesses) >= WITNESSES_FOR_CHECKED


def _weak_stands(candidate: Candidate, all_candidates: list[Candidate]) -> bool:
    rivals = [c for c in all_candidates if _is_weak(c) and c is not candidate and c.meets(candidate)]
    strongest = max((c.weight for c in rivals), default=0)
    if candidate.weight < RIVAL_FACTOR * strongest:
        return False
    if len(candidate.engines) < ENGINES_AGREEING:
        return candidate.sure or _is_lone_zxing(candidate, strongest)
    return candidate.symbology not in CUT_SHORT or len(candidate.families()) >= WITNESSES_FOR_CHECKED


def _is_lone_zxing(candidate: Candidate, strongest: int) -> bool:
    """Keeps a till without zbar useful: many kinds of view and nobody else who says anything else there."""
    alone = candidate.engines == {"zxing"} and candidate.symbology == "EAN13" and strongest == 0
    return alone and len(candidate.families()) >= LONE_ZXING_FAMILIES


def boxes_meet(one: Box | None, two: Box | None, slack_share: float = SLACK) -> bool:
    if one is None or two is None:
        return True
    slack = slack_share * max(one[2] - one[0], one[3] - one[1], two[2] - two[0], two[3] - two[1])
    across = min(one[2], two[2]) - max(one[0], two[0])
    down = min(one[3], two[3]) - max(one[1], two[1])
    return across > -slack and down > -slack


def _code(candidate: Candidate) -> DecodedCode:
    first = min(candidate.votes, key=lambda vote: (vote.engine != "zxing", vote.engine, vote.aim or "~"))
    return DecodedCode(
        symbology=candidate.symbology,
        data=candidate.data,
        text=printable(candidate.data, first.aim, first.declared),
        aim=first.aim,
        votes=len(candidate.witnesses),
        engines=candidate.engines,
    )
