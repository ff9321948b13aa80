"""Names that phones and tills give a symbology lead to one enum."""

import pytest

from backend.labels.symbologies import Symbology, symbology_of

WX_SCAN_CODE = (
    "QR_CODE AZTEC CODABAR CODE_39 CODE_93 CODE_128 DATA_MATRIX EAN_8 EAN_13 ITF MAXICODE PDF_417 RSS_14 RSS_EXPANDED UPC_A"
    " UPC_E UPC_EAN_EXTENSION WX_CODE CODE_25"
)
PYZBAR = "EAN2 EAN5 EAN8 UPCE ISBN10 UPCA EAN13 ISBN13 I25 DATABAR DATABAR_EXP CODABAR CODE39 PDF417 QRCODE SQCODE CODE93 CODE128"
NO_SCHEME_USES = {"ISBN10", "SQCODE"}


@pytest.mark.parametrize("name", [*WX_SCAN_CODE.split(), *PYZBAR.split()])
def test_every_name_of_wx_scan_code_and_pyzbar_is_known(name: str) -> None:
    assert (symbology_of(name) is Symbology.OTHER) == (name in NO_SCHEME_USES)


def test_both_spellings_lead_to_one() -> None:
    pairs = [("EAN_13", "EAN13"), ("CODE_128", "CODE128"), ("RSS_EXPANDED", "DATABAR_EXP"), ("ITF", "I25")]

    assert all(symbology_of(wechat) is symbology_of(zbar) for wechat, zbar in pairs)
