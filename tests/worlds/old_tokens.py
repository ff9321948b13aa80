"""Tokens as the release before issued them to shops' systems, naming no retailer, and as the migration left them."""

import psycopg

from backend.kernel.tokens import token_hash
from tests.worlds.city import NOON

UNBOUND = """
INSERT INTO service_tokens (token_hash, service, name, issued_at, of_before)
VALUES (%(token_hash)s, 'pos', %(name)s, %(now)s, TRUE)"""


def issue_unbound(database_url: str, token: str) -> None:
    """Named as it reads."""
    with psycopg.connect(database_url) as connection:
        connection.execute(UNBOUND, {"token_hash": token_hash(token), "name": token, "now": NOON})
