"""Codes reach phones by a gateway: signed, sent once however often it is asked, and nothing of a person in any log."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from backend.adapters.text_gateway import GatewayAccount, TextGateway
from backend.bootstrap import build
from backend.environment import SettingsRefused
from backend.kernel.errors import DomainError
from backend.resident_settings import TextMessages
from backend.settings import Settings, load
from backend.web.app import create_app
from tests.http.conftest import Clock
from tests.worlds import text_gateway
from tests.worlds.city import NANJING, City
from tests.worlds.text_gateway import KEY, SECRET, SIGN_NAME, TEMPLATE, TextGatewayServer

NUMBER, CODE = "+8613800138000", "042137"


@pytest.fixture(scope="module")
def serving() -> Iterator[TextGatewayServer]:
    with text_gateway.serving() as fake:
        yield fake


@pytest.fixture
def fake(serving: TextGatewayServer) -> TextGatewayServer:
    serving.mood, serving.mood_for, serving.calls = None, None, 0
    serving.sent.clear()
    return serving


def outcome(fake: TextGatewayServer, secret: str = SECRET, **http: Any) -> tuple[str, list[float]]:
    """What became of one message, and the pauses between attempts."""
    pauses: list[float] = []
    account = GatewayAccount(fake.url, KEY, secret.encode(), TEMPLATE, SIGN_NAME)
    with closing(TextGateway(account, pause=pauses.append, **http)) as gateway, capture_logs() as logged:
        try:
            gateway.send(NUMBER, CODE)
            said = "sent"
        except DomainError as refusal:
            said = refusal.code
    assert all(secret not in str(logged) for secret in (NUMBER, NUMBER[3:], CODE, secret))
    return said, pauses


def test_a_message_is_signed_and_says_what_the_template_asks(fake: TextGatewayServer) -> None:
    assert outcome(fake) == ("sent", [])

    ((message, said),) = fake.sent.items()
    expected = {"phone": NUMBER, "sign_name": SIGN_NAME, "template_id": TEMPLATE}
    assert said == {**expected, "message_id": message, "params": {"code": CODE, "minutes": "5"}}


@pytest.mark.parametrize(
    ("mood", "lasts", "said", "calls"),
    [
        ("busy", 2, "sent", 3),
        ("away", 1, "sent", 2),
        ("busy", None, "text-message-not-sent", 3),
        ("quota", None, "text-message-not-sent", 1),
        ("refused", None, "phone-refused", 1),
        ("garbage", None, "text-message-not-sent", 1),
    ],
)
def test_what_passes_is_tried_again_with_longer_pauses_and_nothing_else(
    fake: TextGatewayServer, mood: str, lasts: int | None, said: str, calls: int
) -> None:
    fake.mood, fake.mood_for = mood, lasts

    assert outcome(fake) == (said, [0.2, 0.6][: calls - 1])
    assert (fake.calls, len(fake.sent)) == (calls, int(said == "sent"))


def test_a_slow_gateway_that_took_it_sends_it_once(fake: TextGatewayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.mood, fake.mood_for = "slow", 1
    monkeypatch.setattr("backend.adapters.text_gateway.TIMEOUT_S", 0.2)

    assert outcome(fake) == ("sent", [0.2])
    assert (fake.calls, len(fake.sent)) == (2, 1)


def test_a_wrong_secret_is_an_operators_matter(fake: TextGatewayServer) -> None:
    assert outcome(fake, secret="another-secret-0123456789") == ("text-message-not-sent", [])


def test_nobody_listens() -> None:
    away = TextGatewayServer(url="http://127.0.0.1:9/v1/messages")

    assert outcome(away, transport=httpx.HTTPTransport(retries=0)) == ("text-message-not-sent", [0.2, 0.6])


def test_a_resident_signs_in_with_the_code_that_the_gateway_sent(
    settings: Settings, fake: TextGatewayServer, city: City, clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "sms").write_text(SECRET)
    chosen = replace(
        settings,
        text_messages=TextMessages.GATEWAY,
        text_messages_url=fake.url,
        text_messages_key=KEY,
        text_messages_secret_file=tmp_path / "sms",
        text_messages_template=TEMPLATE,
        text_messages_sign_name=SIGN_NAME,
    )
    with closing(build(chosen)) as backend:
        client = create_app(backend, clock).test_client()
        assert client.post("/api/resident/v1/phone-codes", json={"phone": NUMBER}).status_code == 202
        (said,) = fake.sent.values()
        proof = {"way": "phone", "phone": NUMBER, "code": said["params"]["code"], "city": NANJING}
        assert client.post("/api/resident/v1/sessions", json=proof).status_code == 201


def test_a_gateway_is_set_up_whole(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "sms").write_text(SECRET)
    environ = {
        "ENV": "production",
        "DATABASE_URL": "postgresql://x/y",
        "GREENPOINTS_RECEIPT_KEY_FILE": str(settings.receipt_key_file),
        "GREENPOINTS_MEMBER_CODE_KEY_FILE": str(settings.member_code_key_file),
        "GREENPOINTS_MEMBER_CODE_KEY_ID": "n1",
        "GREENPOINTS_IDENTITY_HASH_KEY_FILE": str(settings.identity_hash_key_file),
        "GREENPOINTS_TEXT_MESSAGES": "gateway",
        "GREENPOINTS_TEXT_MESSAGES_URL": "http://sms.example.cn/v1",
        "GREENPOINTS_TEXT_MESSAGES_SECRET_FILE": str(tmp_path / "sms"),
    }
    with pytest.raises(SettingsRefused) as refused:
        load(environ)

    assert set(refused.value.faults) == {
        f"GREENPOINTS_TEXT_MESSAGES_{name}" for name in ("URL", "KEY", "TEMPLATE", "SIGN_NAME")
    }
