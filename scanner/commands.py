"""What the server commands this till to do, at once or never: commands expire after an hour."""

from collections.abc import Callable

from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.strict_json import load_object
from scanner.feedback import Feedback, Signal
from scanner.notices import state


class Commands:
    """Answers are notices; a command that this release does not know is told and passed over."""

    def __init__(self, feedback: Feedback, on_revoked: Callable[[], None]) -> None:
        self._feedback = feedback
        self._on_revoked = on_revoked

    def take(self, body: bytes) -> None:
        try:
            command = load_object(body).get("cmd")
        except WireError as error:
            self._tell(
                "command_unusable", "服务器指令无法识别，已忽略。", "A command was not usable.", reason=error.code
            )
            return
        if command == "revoked":
            self._on_revoked()
        else:
            self._tell("command_unknown", "服务器指令本版不认识，已忽略。", "This release knows no such command.")

    def _tell(self, name: str, text_zh: str, text_en: str, **facts: object) -> None:
        self._feedback.show(state(name, text_zh, text_en, Signal.WARNING, **facts))
