"""The shops that pages are of: those of the retailer whose staff asks."""

from sqlalchemy import Connection

from backend.retailers import queries
from backend.web.console import here

SHOPS_MAX = 500
"""Of one retailer in one city: pages read no further ones."""


def own_shops(connection: Connection) -> dict[str, str]:
    """Names by number, in the order of numbers."""
    found = queries.stores_of(connection, here.city(), here.retailer(), "", limit=SHOPS_MAX)
    return {one.store: one.name_zh for one in found}
