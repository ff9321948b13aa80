"""New keys in time: once two thirds of the certificate's life are over, and again every hour until it worked."""

import threading
from collections.abc import Callable
from datetime import datetime

from scanner import notices
from scanner.chaos import Chaos
from scanner.enrolment.enrol import rotate
from scanner.enrolment.identity import Identities
from scanner.enrolment.server import Server
from scanner.errors import TillRefusal
from scanner.feedback import Notice, Signal
from scanner.lasting import LastingThread
from scanner.settings import Settings


def is_due(begins: datetime, ends: datetime, now: datetime) -> bool:
    """After two thirds of the certificate's life; also when it has ended, for HTTPS asks for no certificate."""
    return 3 * (now - begins) >= 2 * (ends - begins)


class Renewal:
    """A thread of its own, as a server may take its time. `done` once the till has a new identity to start with."""

    def __init__(
        self,
        identities: Identities,
        server: Server,
        show: Callable[[Notice], None],
        now: Callable[[], datetime | None],
        chaos: Chaos,
        *,
        every_s: float,
    ) -> None:
        """`now` is None while nobody has set the till's clock: then the server's counts. Receipts would set it, but none come
        where the certificate has expired.
        """
        self._identities = identities
        self._server = server
        self._show = show
        self._now = now
        self._chaos = chaos
        self._every_s = every_s
        self._stopping = threading.Event()
        self.thread = LastingThread("renewal", self._run, show)
        self.done = False

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self.done and not self._stopping.wait(self._every_s):
            self._look()

    def _look(self) -> None:
        identity = self._identities.current()
        try:
            if identity is None or not is_due(*identity.validity(), self._now() or self._server.moment()):
                return
            renewed = rotate(self._identities, self._server, self._chaos)
        except TillRefusal as refusal:
            text_zh, text_en = f"证书续期未成功：{refusal.sentence_zh}", f"No renewal yet: {refusal.sentence_en}"
            self._show(notices.state("renewal_failed", text_zh, text_en, Signal.WARNING, problem=refusal.code))
            return
        ends = renewed.validity()[1].isoformat()
        self._show(notices.state("renewed", "终端证书已续期，空闲时启用。", "New keys and certificate.", ends=ends))
        self.done = True


def renewal_of(
    settings: Settings,
    show: Callable[[Notice], None],
    now: Callable[[], datetime | None],
    chaos: Chaos,
) -> Renewal | None:
    """None for a till whose keys were put in place by hand. Raises ServerAddressRefused."""
    if settings.identity_path is None or settings.backend_url is None:
        return None
    server = Server(settings.backend_url, settings.backend_ca_path)
    every_s = settings.renewal_check_s
    return Renewal(Identities(settings.identity_path), server, show, now, chaos, every_s=every_s)
