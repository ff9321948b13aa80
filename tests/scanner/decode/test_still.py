import numpy as np
import pytest

from scanner.decode.engines import OPENCV, ZXING, OpencvBarcodeEngine, ZbarEngine, ZxingEngine
from scanner.decode.model import DecodedCode, Picture
from scanner.decode.still import VotingStillReader
from tests.scanner.decode.drawing import barcode, ground_of_words, on_table, photographed, qr


@pytest.fixture(scope="module")
def reader() -> VotingStillReader:
    return VotingStillReader()


def only(codes: list[DecodedCode]) -> DecodedCode:
    assert len(codes) == 1, codes
    return codes[0]


LABELS = [
    ("EAN13", "6939400204821", "EAN13", "6939400204821"),
    ("UPCA", "036000291452", "EAN13", "0036000291452"),
    ("EAN8", "69012341", "EAN8", "69012341"),
    ("UPCE", "01234565", "UPCE", "0012345000065"),
    ("ITF", "16901234567892", "I25", "16901234567892"),
    ("Code128", "GF320100-88", "CODE128", "GF320100-88"),
    ("Code39", "CN-0042", "CODE39", "CN-0042"),
    ("DataBarOmni", "(01)06901234567892", "DATABAR", "0106901234567892"),
    ("DataMatrix", "https://example.cn/l/7", "DATAMATRIX", "https://example.cn/l/7"),
    ("QRCode", "https://example.cn/l/7", "QRCODE", "https://example.cn/l/7"),
]


@pytest.mark.parametrize(("drawn_as", "content", "symbology", "text"), LABELS)
def test_a_label_photographed_askew_in_uneven_light_is_read(
    reader: VotingStillReader, drawn_as: str, content: str, symbology: str, text: str
) -> None:
    picture = photographed(barcode(content, drawn_as, module=4), seed=5)

    code = only(reader.read(picture))

    assert (code.symbology, code.text) == (symbology, text)


def test_two_engines_stand_behind_every_retail_code(reader: VotingStillReader) -> None:
    code = only(reader.read(photographed(barcode("6939400204821", "EAN13"), seed=1)))

    assert len(code.engines) >= 2
    assert code.votes >= 2
    assert code.aim == "]E0"


def test_gs1_bytes_keep_their_separator_and_have_no_brackets(reader: VotingStillReader) -> None:
    drawn = barcode("(01)09501101530003(10)ABC(21)9", "Code128")
    plain = reader.read(drawn)

    assert only(plain).data == b"(01)09501101530003(10)ABC(21)9"

    import zxingcpp

    made = zxingcpp.create_barcode("(01)09501101530003(10)ABC(21)9", zxingcpp.BarcodeFormat.DataMatrix, gs1=True)
    code = only(reader.read(np.pad(np.array(made.to_image(scale=5)), 30, constant_values=255)))

    assert code.data == b"010950110153000310ABC\x1d219"
    assert code.aim == "]d2"


def test_chinese_is_read_from_utf8_and_from_gb18030(reader: VotingStillReader) -> None:
    utf8 = only(reader.read(qr("绿色食品")))
    gb = only(reader.read(qr("中国绿色食品发展中心 GF320100".encode("gb18030"))))

    assert (utf8.text, utf8.data) == ("绿色食品", "绿色食品".encode())
    assert gb.text == "中国绿色食品发展中心 GF320100"
    assert gb.data == "中国绿色食品发展中心 GF320100".encode("gb18030")


def test_several_labels_of_one_picture_are_all_read(reader: VotingStillReader) -> None:
    table = on_table(
        barcode("6939400204821", "EAN13", 2), qr("https://example.cn/l/7", 3), barcode("LB-07-1", "Code128", 2)
    )

    texts = {code.text for code in reader.read(table)}

    assert texts == {"6939400204821", "https://example.cn/l/7", "LB-07-1"}


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_label_is_read_whichever_way_it_lies(reader: VotingStillReader, turn: int) -> None:
    picture = photographed(np.ascontiguousarray(np.rot90(barcode("6901234567892", "EAN13", 3), turn)), seed=turn)

    assert only(reader.read(picture)).text == "6901234567892"


def test_colour_pictures_are_read_like_grey_ones(reader: VotingStillReader) -> None:
    grey = photographed(barcode("6901234567892", "EAN13"), seed=9)

    assert reader.read(np.dstack([grey, grey, grey])) == reader.read(grey)


NEGATIVES: list[tuple[str, Picture]] = [
    ("noise", np.random.default_rng(3).integers(0, 256, (240, 320), dtype=np.uint8)),
    ("words", ground_of_words(4)),
    ("stripes", np.tile(np.repeat(np.random.default_rng(5).integers(0, 2, 160) * 255, 2).astype(np.uint8), (200, 1))),
    ("black", np.zeros((120, 160), np.uint8)),
    ("tiny", np.zeros((3, 900), np.uint8)),
    ("left half", barcode("6939400204821", "EAN13", 4)[:, :230]),
    ("right half", barcode("6939400204821", "EAN13", 4)[:, 230:]),
    ("half a QR code", qr("https://example.cn/l/7")[:, :70]),
    ("half of ITF", barcode("16901234567892", "ITF", 4)[:, :300]),
]


@pytest.mark.parametrize("picture", [pytest.param(p, id=name) for name, p in NEGATIVES])
def test_what_is_no_whole_label_gives_nothing(reader: VotingStillReader, picture: Picture) -> None:
    assert reader.read(picture) == []


def test_heavily_disturbed_labels_give_the_truth_or_nothing(reader: VotingStillReader) -> None:
    for seed in range(6):
        picture = photographed(barcode("6939400204821", "EAN13", 2), seed, tilt=0.12, blur=1.6, noise=18, light=0.6)

        assert {code.text for code in reader.read(picture)} <= {"6939400204821"}


def test_without_zbar_the_scanner_says_so_once_and_reads_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyzbar", None)
    monkeypatch.setattr(ZbarEngine, "_told", False)

    assert ZbarEngine.make() is None
    assert ZbarEngine.make() is None
    assert len(caplog.records) == 1

    reader = VotingStillReader({ZXING: ZxingEngine(), OPENCV: OpencvBarcodeEngine()})
    assert only(reader.read(barcode("6939400204821", "EAN13"))).text == "6939400204821"
    assert only(reader.read(qr("https://example.cn/l/7"))).text == "https://example.cn/l/7"
