"""Residents who sign in for development, make two accounts one, and leave."""

from datetime import datetime
from uuid import uuid4

from backend.residents.people import Home
from backend.residents.queries import Session
from backend.residents.session_life import Way
from backend.storage.transaction import Database
from backend.usecases.change_consent import Who
from backend.usecases.close_account import CloseAccount, Confirmed, Drawn
from backend.usecases.merge_residents import MergeResidents
from backend.usecases.sign_in import Opening, Proof, SignIn
from tests.worlds.city import NANJING, NOON


class People:
    def __init__(self, database: Database) -> None:
        self.signing = SignIn(database, bytes(32), None, development=True)
        self.merging = MergeResidents(database, self.signing)
        self.closing = CloseAccount(database, bytes(32))

    def sign_in(self, name: str, token: str = "", city: str = NANJING, now: datetime = NOON) -> Session:
        opening = Opening(city=city, resident=str(uuid4()), session=str(uuid4()), token=token or str(uuid4()))
        return self.signing.sign_in(Proof(way=Way.DEVELOPMENT, code=f"dev:{name}"), opening, now)

    def merge(self, who: Session, name: str, now: datetime = NOON) -> None:
        """The account of `name` becomes that of `who`."""
        self.merging.merge_identity(who, Proof(way=Way.DEVELOPMENT, code=f"dev:{name}"), str(uuid4()), now)

    def leave(self, who: Session | Home, now: datetime = NOON, *, gives_up_money: bool = False) -> None:
        me = Who(who.city, who.resident)
        told = self.closing.tell(me, now).sha256
        self.closing.close(me, Confirmed(told, gives_up_money), Drawn(str(uuid4()), bytes(12)), now)
