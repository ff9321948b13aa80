"""Shops of a city by name: which one a sales slip is of."""

from typing import Any

import marshmallow as ma
from flask import Response

from backend.retailers import queries
from backend.web.auth import Access
from backend.web.context import backend
from backend.web.endpoint import answer, endpoint
from backend.web.public.routes import public
from backend.web.schemas import Body, City, Text

FOUND_MAX = 20
NAME_CHARS_MAX = 60


class StoreQuery(Body):
    city = City(required=True)
    name = Text(
        1,
        NAME_CHARS_MAX,
        pattern=r"[^\x00-\x1f\x7f]+",
        required=True,
        metadata={"description": "名称的一部分，或门店编号 / a part of its name, or its number"},
    )


class FoundStoreSchema(ma.Schema):
    store = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    district = ma.fields.String(required=True, metadata={"description": "GB/T 2260"})


class FoundStoresSchema(ma.Schema):
    stores = ma.fields.List(ma.fields.Nested(FoundStoreSchema), required=True)


@endpoint(public, "/stores", access=Access.OPEN, query=StoreQuery(), answers={200: FoundStoresSchema()})
def stores(query: dict[str, Any]) -> Response:
    """门店查询 / shops of a city by a part of their name, at most 20."""
    with backend().database.read() as connection:
        found = queries.search(connection, query["city"], query["name"], limit=FOUND_MAX)
    return answer({"stores": [{"store": one.store, "name": one.name_zh, "district": one.district} for one in found]})
