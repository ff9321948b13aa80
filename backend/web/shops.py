"""In whose name a shop's system asks: one retailer, its shops of one city. The one place that holds requests to that."""

from collections.abc import Collection, Iterable, Mapping

from backend.devices import queries as device_queries
from backend.devices.envelope import kind_of
from backend.kernel.errors import DomainError
from backend.retailers import queries as retailer_queries
from backend.web.context import backend, now, service


class NotOfToken(DomainError):
    code = "not-of-token"
    text_zh = "此令牌只能办理 {city} 的商户“{retailer}”的门店，不能办理其他门店。"
    text_en = "This token acts for the shops of {retailer} in {city}, and for no other."


def hold_to_shops(named: Mapping[str, object]) -> None:
    """Lets a request pass whose `city` and `store`, where it names any, are the token's own. Raises NotOfToken.

    A shop that was never entered is refused alike: nothing is learnt of what stands elsewhere.
    """
    city, retailer = own()
    if named.get("city", city) != city:
        raise _refusal()
    store = named.get("store")
    # No shop's number holds what the database cannot be asked for, such as U+0000.
    if store is not None and not (str(store).isprintable() and _owned(city, retailer, {str(store)})):
        raise _refusal()


def hold_to_tills(topics: Iterable[str]) -> None:
    """Lets tills' messages pass that a bridge hands on, or a shop's system for tills of its own shops. Raises NotOfToken.

    What no enrolled till has sent passes, to be refused for that message alone, as it is of anybody.
    """
    if service().service == "bridge":
        return
    city, retailer = own()
    named = {kind[0] for topic in topics if (kind := kind_of(topic)) is not None}
    with backend().database.glance() as connection:
        tills = device_queries.directory(connection, named, now()).values()
    stores = {till.store for till in tills}
    if any(till.city != city for till in tills) or (stores and stores != _owned(city, retailer, stores)):
        raise _refusal()


def own() -> tuple[str, str]:
    """City and retailer of the shop's system that asks."""
    who = service()
    assert who.of_city is not None, "the gate lets no other in"
    assert who.retailer is not None, "the gate lets no other in"
    return who.of_city, who.retailer


def _owned(city: str, retailer: str, stores: Collection[str]) -> set[str]:
    with backend().database.glance() as connection:
        return retailer_queries.owned(connection, city, retailer, stores)


def _refusal() -> NotOfToken:
    city, retailer = own()
    return NotOfToken(city=city, retailer=retailer)
