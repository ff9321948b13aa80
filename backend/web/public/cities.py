"""Where tills stand: the cities that a newcomer may choose."""

import marshmallow as ma
from flask import Response

from backend.devices import queries
from backend.labels.regions import region_name
from backend.web.auth import Access
from backend.web.context import backend
from backend.web.endpoint import answer, endpoint
from backend.web.public.routes import public


class CitySchema(ma.Schema):
    city = ma.fields.String(required=True, metadata={"description": "GB/T 2260"})
    name = ma.fields.String(required=True)


class CitiesSchema(ma.Schema):
    cities = ma.fields.List(ma.fields.Nested(CitySchema), required=True)


@endpoint(public, "/cities", access=Access.OPEN, answers={200: CitiesSchema()})
def cities() -> Response:
    """已开通的城市 / cities in which tills stand."""
    with backend().database.read() as connection:
        found = queries.cities(connection)
    return answer({"cities": [{"city": code, "name": region_name(code) or code} for code in found]})
