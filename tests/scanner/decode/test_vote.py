from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from scanner.decode.charset import printable
from scanner.decode.vote import CUT_SHORT, Vote, boxes_meet, decide

TRUE, FALSE = b"6939400204821", b"6939400204814"
HERE, THERE = (10.0, 10.0, 90.0, 40.0), (300.0, 300.0, 380.0, 330.0)


def vote(engine: str, family: str, data: bytes = TRUE, symbology: str = "EAN13", box: object = HERE) -> Vote:
    return Vote(engine, family, symbology, data, box=box)  # type: ignore[arg-type]  # boxes are literals here


boxes = st.sampled_from([None, HERE, THERE])
votes_strategy = st.lists(
    st.builds(
        Vote,
        engine=st.sampled_from(["zxing", "zbar", "opencv"]),
        family=st.sampled_from(["plain", "enlarged", "contrast", "sharp", "turned_20", "averaged", "half"]),
        symbology=st.sampled_from(
            ["EAN13", "EAN8", "UPCE", "I25", "CODE128", "CODE39", "DATABAR", "QRCODE", "DATAMATRIX"]
        ),
        data=st.sampled_from([TRUE, FALSE, b"0012345000065", b"00123456"]),
        box=boxes,
    ),
    max_size=30,
)


def texts(votes: list[Vote]) -> list[bytes]:
    return [code.data for code in decide(votes)]


def test_one_engine_alone_is_not_believed_however_often_it_repeats_itself() -> None:
    assert texts([vote("opencv", family) for family in "abcdefghij"]) == []
    assert texts([vote("zbar", family) for family in "abcdefghij"]) == []
    assert texts([vote("zxing", "plain") for _ in range(10)]) == []


def test_two_engines_that_agree_are_believed() -> None:
    assert texts([vote("zxing", "plain"), vote("zbar", "plain")]) == [TRUE]


def test_a_rival_at_the_same_place_is_outvoted_only_three_to_one() -> None:
    agreed = [vote("zxing", "plain"), vote("zbar", "plain")]
    rival = vote("opencv", "sharp", FALSE)

    assert texts([*agreed, rival]) == []
    assert texts([*agreed, vote("zbar", "contrast"), rival]) == [TRUE]
    assert texts([*agreed, replace(rival, box=THERE)]) == [TRUE]


def test_a_sure_measurement_stands_alone_but_not_against_two_witnesses() -> None:
    sure = replace(vote("profile", "plain"), sure=True)

    assert texts([replace(sure, sure=False)]) == []
    assert texts([sure]) == [TRUE]
    assert texts([sure, vote("opencv", "sharp", FALSE)]) == [TRUE]
    assert texts([sure, vote("opencv", "sharp", FALSE), vote("zbar", "sharp", FALSE)]) == []


def test_a_reading_that_may_be_cut_short_needs_two_kinds_of_view() -> None:
    for symbology in CUT_SHORT:
        same_view = [vote("zxing", "turned_20", b"005361", symbology), vote("zbar", "turned_20", b"005361", symbology)]

        assert texts(same_view) == []
        assert texts([*same_view, vote("zbar", "plain", b"005361", symbology)]) == [b"005361"]


def test_a_retail_code_invented_within_a_code_128_is_dropped() -> None:
    strong = [vote("zxing", "plain", b"AB-12", "CODE128"), vote("zbar", "plain", b"AB-12", "CODE128")]
    invented = [vote("zxing", "sharp", b"0012345000065", "UPCE"), vote("zbar", "sharp", b"0012345000065", "UPCE")]

    assert texts(strong + invented) == [b"AB-12"]
    assert len(texts(strong + [replace(one, box=THERE) for one in invented])) == 2


def test_error_corrected_symbols_need_one_engine_that_corrects() -> None:
    assert texts([vote("zxing", "plain", b"x", "QRCODE")]) == [b"x"]
    assert texts([vote("opencv", "plain", b"x", "QRCODE")]) == []


def test_what_a_single_altered_view_alone_shows_is_doubted_whatever_its_check() -> None:
    for symbology in ("QRCODE", "DATAMATRIX", "DATABAR_EXP"):
        once = vote("zxing", "half", b"x", symbology)

        assert texts([once, once]) == []
        assert texts([once, vote("zxing", "sharp", b"x", symbology)]) == [b"x"]

    frames = replace(vote("zxing", "half", b"x", "QRCODE"), frames=2)
    assert texts([frames]) == [b"x"], "two frames are two looks"


def test_one_look_at_the_picture_itself_is_enough_only_for_reed_solomon() -> None:
    assert texts([vote("zxing", "plain", b"x", "DATABAR_EXP")]) == []
    assert texts([vote("zxing", "plain", b"x", "DATAMATRIX")]) == [b"x"]


def test_one_symbol_spelled_in_two_character_sets_is_one_code() -> None:
    spelled = [vote("zxing", "plain", b"\xc2\xcc", "QRCODE"), vote("zbar", "plain", "绿".encode(), "QRCODE")]

    assert texts(spelled) == [b"\xc2\xcc"]


@given(votes_strategy, st.randoms())
def test_the_order_of_the_votes_does_not_matter(votes: list[Vote], random: object) -> None:
    shuffled = list(votes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random

    assert decide(shuffled) == decide(votes)


@given(votes_strategy)
def test_saying_the_same_again_changes_nothing(votes: list[Vote]) -> None:
    assert decide(votes + votes) == decide(votes)


@given(votes_strategy)
def test_every_retail_code_has_two_engines_or_six_kinds_of_view(votes: list[Vote]) -> None:
    for code in decide(votes):
        if code.symbology in {"EAN13", "EAN8", "UPCE", "I25", "CODE39"}:
            lone = code.engines == {"zxing"} and code.symbology == "EAN13" and code.votes >= 6
            assert len(code.engines) >= 2 or lone


@given(votes_strategy)
def test_no_two_retail_codes_stand_at_one_place(votes: list[Vote]) -> None:
    retail = [c for c in decide(votes) if c.symbology in {"EAN13", "EAN8", "UPCE"}]
    places = [{v.box for v in votes if v.data == code.data} for code in retail]

    for number, place in enumerate(places):
        for other in places[number + 1 :]:
            assert not any(boxes_meet(one, two) for one in place for two in other)


@given(st.binary(max_size=200), st.sampled_from([None, "]Q1", "]Q2"]), st.none() | st.text(max_size=5))
def test_any_bytes_have_a_printable_form(data: bytes, aim: str | None, declared: str | None) -> None:
    assert isinstance(printable(data, aim, declared), str)


def test_an_announced_character_set_wins_over_the_guess() -> None:
    assert printable(b"\xb6\xb6", "]d4", "¶Ж") == "¶Ж"
    assert printable(b"\xb6\xb6", "]d1", "¶Ж") == "抖"
