"""A code is sent to a phone, for people without WeChat. Whether anybody is known by that phone is not told."""

from datetime import datetime
from typing import Protocol

from backend.kernel.errors import DomainError
from backend.residents import identities, phone_codes
from backend.residents.identities import identity_hash, mobile_number
from backend.storage.transaction import Database
from backend.usecases.sign_in import SignInWayClosed, phone_code_hash


class TextMessageNotSent(DomainError):
    code = "text-message-not-sent"
    text_zh = "短信没有发出去，请一分钟后再试。"
    text_en = "The message could not be sent; please try again in a minute."


class PhoneRefused(DomainError):
    code = "phone-refused"
    text_zh = "这个号码收不到短信（空号、停机或已退订），请核对或换一个号码。"
    text_en = "This number cannot receive messages; check it or use another."


class TextMessages(Protocol):
    def send(self, number: str, code: str) -> None:
        """Sends a code to a number, as +86 and 11 digits. Raises TextMessageNotSent, PhoneRefused."""


class SendPhoneCode:
    def __init__(self, database: Database, identity_key: bytes, messages: TextMessages | None) -> None:
        """`messages` None: nobody can sign in by phone here."""
        self._database = database
        self._identity_key = identity_key
        self._messages = messages

    def send(self, typed: str, code: str, now: datetime) -> None:
        """`code`: six digits, drawn by the caller. Sent only after COMMIT: what is sent can be used.

        Raises SignInWayClosed, PhoneMalformed, PhoneCodeTooSoon, PhoneCodesUsedUp, TextMessageNotSent, PhoneRefused.
        """
        if self._messages is None:
            raise SignInWayClosed
        number = mobile_number(typed)
        phone = identity_hash(self._identity_key, identities.of_phone(number))
        hashed = phone_code_hash(self._identity_key, phone, code)
        self._database.write(lambda connection: phone_codes.put_code(connection, phone, hashed, now))
        self._messages.send(number, code)
