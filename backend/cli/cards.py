"""Paper cards at a service counter: `greenpoints residents card issue`, `block`."""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import click

from backend.cli.card_sheet import sheet
from backend.cli.connection import by_option, city_option, database, identity_key, operator
from backend.kernel.ids import new_id
from backend.residents.cards.number import RANDOM_BYTES as OCTETS
from backend.residents.cards.number import CardNumber, drawn, secret_of, typed_card
from backend.usecases.issue_card import DrawnCard, block_card, block_cards_of, issue_card, phone_hash


@click.group(help="纸质会员卡：发放、挂失 / paper cards.")
def card() -> None:
    pass


@card.command()
@city_option
@click.option(
    "--phone", default=None, help="记到该手机号的账户，只存散列 / to the account of a phone, stored as a hash."
)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="写出打印页（HTML，A4，大字） / the sheet to print.",
)
@by_option
def issue(city: str, phone: str | None, out: Path, by: str | None) -> None:
    """发一张卡，写出打印页；该账户的旧卡随即作废，不给手机号则新开一个只有卡的账户 / issues a card.

    Writes the sheet to print; older cards of the account end with it. Without a phone a new account opens, to which the card
    alone leads.
    """
    key = identity_key()
    new = DrawnCard(
        new_id(), drawn(city, secrets.token_bytes(OCTETS)), secret_of(secrets.token_bytes(OCTETS)), new_id()
    )
    hashed = None if phone is None else phone_hash(key, phone)
    who, now = operator(by), datetime.now(UTC)
    with out.open("x", encoding="utf-8") as file, database() as opened:
        os.fchmod(file.fileno(), 0o600)
        replaced = opened.write(lambda connection: issue_card(connection, new, hashed, key, who, now))
        file.write(sheet(new.number, new.secret))
    click.echo(f"{new.number.shown}：已发放，作废旧卡 {len(replaced)} 张 / issued, {len(replaced)} replaced")
    click.echo(f"{out}：打印后请删除，绑定码不再显示 / print it, then delete it", err=True)


@card.command()
@city_option
@click.option("--number", default=None, help="卡号 / the card's number.")
@click.option("--phone", default=None, help="挂失该手机号账户的全部卡 / all cards of a phone's account.")
@by_option
def block(city: str, number: str | None, phone: str | None, by: str | None) -> None:
    """挂失：此刻起售出的不再记入 / a card is lost: nothing sold from now on is credited by it."""
    if (number is None) == (phone is None):
        raise click.UsageError("给出 --number 或 --phone 其中之一 / give one of --number and --phone")
    who, now = operator(by), datetime.now(UTC)
    with database() as opened:
        if number is not None:
            given: CardNumber = typed_card(number)
            opened.write(lambda connection: block_card(connection, given, who, now))
            blocked = 1
        else:
            hashed = phone_hash(identity_key(), phone or "")
            blocked = opened.write(lambda connection: block_cards_of(connection, city, hashed, who, now))
    click.echo(f"已挂失 {blocked} 张 / blocked")
