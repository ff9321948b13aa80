"""Puts before the tills what they will read: a folder of pictures with the shop's prices, and a short video."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from backend.demo.city import FINISH_CODE, Goods, Sale
from backend.demo.pictures import EASY, Picture, label_card, photograph, write_picture, write_video

PICTURES_VERSION = 2  # raise it when the drawing changes, so that kept pictures are drawn anew
MEMBER_CARD = ("会员码 MEMBER", "居民手机上的会员码，两分钟内有效")
FINISH_CARD = ("结单 FINISH", "收银员结单码")


def stage_pictures(folder: Path, kept: Path, sales: Sequence[Sale], member_codes: Sequence[str | None]) -> None:
    """`folder` anew: for each sale the resident's phone, then the goods. Goods' pictures are kept for later runs."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    kept.mkdir(parents=True, exist_ok=True)
    for number, (sale, member_code) in enumerate(zip(sales, member_codes, strict=True), start=1):
        if member_code is not None:
            card = label_card("QRCODE", member_code, *MEMBER_CARD)
            write_picture(folder / f"{number}-0-member.jpg", photograph(card, number, EASY))
        for position, goods in enumerate(sale.goods, start=1):
            name = f"{number}-{position}-goods"
            shutil.copyfile(_kept_picture(kept, goods), folder / f"{name}.jpg")
            said: dict[str, object] = {"qty": goods.quantity, "cashier": "c01"}
            if goods.price_fen is not None:
                said["price_fen"] = goods.price_fen
            if position == len(sale.goods):
                said["finish"] = True
            (folder / f"{name}.json").write_text(json.dumps(said))


def stage_video(path: Path, sale: Sale, member_code: str) -> None:
    """The resident's phone, the goods and the cashier's finish code, carried past the camera one after another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cards = [label_card("QRCODE", member_code, *MEMBER_CARD)]
    cards += [_card(goods) for goods in sale.goods]
    cards.append(label_card("QRCODE", FINISH_CODE, *FINISH_CARD))
    write_video(path, cards, seed=1)


def _kept_picture(kept: Path, goods: Goods) -> Path:
    drawn = f"{PICTURES_VERSION}|{goods.symbology}|{goods.code}|{goods.title}|{goods.caption}|{goods.hardship}"
    digest = hashlib.sha256(drawn.encode()).digest()
    path = kept / f"{digest.hex()[:24]}.jpg"
    if not path.exists():
        write_picture(path, photograph(_card(goods), int.from_bytes(digest[:4], "big"), goods.hardship))
    return path


def _card(goods: Goods) -> Picture:
    return label_card(goods.symbology, goods.code, goods.title, goods.caption)
