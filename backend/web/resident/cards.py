"""One's own paper cards: which there are, and that one was lost."""

from uuid import UUID

import marshmallow as ma
from flask import Response

from backend.residents import people
from backend.residents.cards import queries
from backend.residents.people import Home
from backend.usecases.issue_card import block_own_card
from backend.web.auth import Access
from backend.web.context import backend, now, session
from backend.web.endpoint import answer, endpoint, nothing
from backend.web.resident.sign_in import accounts


class CardSchema(ma.Schema):
    card = ma.fields.String(required=True)
    ending = ma.fields.String(required=True, metadata={"description": "卡号末四位 / the last four characters"})
    issued_at = ma.fields.DateTime(required=True)
    blocked_at = ma.fields.DateTime(required=True, allow_none=True)
    blocked_why = ma.fields.String(required=True, allow_none=True, metadata={"enum": ["lost", "replaced"]})


class CardsSchema(ma.Schema):
    cards = ma.fields.List(ma.fields.Nested(CardSchema), required=True)


@endpoint(accounts, "/cards", access=Access.RESIDENT, answers={200: CardsSchema()})
def cards() -> Response:
    """我的会员卡 / paper cards that credit one's account, the newest first."""
    who = Home(session().city, session().resident)
    with backend().database.read() as connection:
        homes = sorted(people.homes_of(connection, who))
        found = [one for city in homes for one in queries.held(connection, city, who.resident)]
    return answer({"cards": [one._asdict() for one in found]})


@endpoint(accounts, "/cards/<uuid:card>/block", method="POST", access=Access.RESIDENT, answers={204: None})
def block(card: UUID) -> Response:
    """挂失 / a card is lost: from now on it credits nothing. A new one is issued at a service counter."""
    who = Home(session().city, session().resident)
    backend().database.write(lambda connection: block_own_card(connection, who, str(card), now()))
    return nothing()
