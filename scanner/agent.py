"""`python -m scanner run`: the till's program, put together from its settings."""

import argparse
import os
import queue
import random
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import metadata

import cv2

from firmware_bridge.wire import topics
from firmware_bridge.wire.messages import Clock as ClockReport
from firmware_bridge.wire.messages import ClockSource
from scanner import keys, launch, notices
from scanner.admission import Admission
from scanner.chaos import Chaos
from scanner.clock import SystemClock, judge
from scanner.commands import Commands
from scanner.downlinks import Downlinks, Handler
from scanner.enrolment.renewal import renewal_of
from scanner.errors import TillRefusal
from scanner.feedback import Console, Everyone, Feedback, Signal
from scanner.lasting import deaths_of, look_after
from scanner.lease.desk import LeaseDesk
from scanner.lights import Lights
from scanner.outbox import Limits
from scanner.outbox_file import STREAM_BYTES, OpenedOutbox, open_outbox
from scanner.page.desk import PageDesk
from scanner.pulse import Part
from scanner.receipts import ReceiptDesk
from scanner.settings import Settings, read_settings
from scanner.slip_printer import SlipPrinter
from scanner.snapshot.part import snapshot_of
from scanner.sources.model import (
    ButtonPressed,
    ReadSource,
    SourceEnded,
    SourceEvent,
    Stop,
    follow,
)
from scanner.sources.select_source import reads_otherwise, source_of
from scanner.sources.shop_serial import ShopSerial
from scanner.systemd import Systemd
from scanner.till import Till
from scanner.twin.desk import TwinDesk
from scanner.twin.file import TwinFile
from scanner.update.slots import SlotsUnusable
from scanner.update.trial import TrialWatch
from scanner.update.updates import Updates
from scanner.uplink import Uplink
from scanner.vitals import Vitals
from scanner.watch import Watch

EVENTS_MAX = 256
"""Reads that wait for the disk. A source that is faster is made to wait: nothing is dropped here."""
TICK_S = 0.25
EXIT_DONE, EXIT_BROKEN, EXIT_USAGE, EXIT_AGAIN = 0, 1, 2, launch.AGAIN


def main(argv: Sequence[str] | None = None) -> int:
    """0 stopped or done, 1 broken (to be started again), 2 settings or keys unusable, 75 to be started anew (slot, keys)."""
    parser = argparse.ArgumentParser(prog="greenpoints-till run", description="运行扫码终端 / run the till")
    parser.add_argument("--events-json", action="store_true", help="每个事件一行 JSON / one JSON line an event")
    options = parser.parse_args(argv)
    try:
        settings = read_settings()
        return _Agent(settings, Console(events_json=options.events_json)).run()
    except TillRefusal as refusal:
        print(f"{refusal.sentence_zh}\n{refusal.sentence_en}", file=sys.stderr)
        return EXIT_USAGE


class _Agent:
    def __init__(self, settings: Settings, console: Console) -> None:
        """Raises TillRefusal: unusable keys, an outbox that another program uses."""
        cv2.setNumThreads(1)
        self._settings = settings
        self._events: queue.Queue[SourceEvent] = queue.Queue(maxsize=EVENTS_MAX)
        self._stop = threading.Event()
        self._lights = Lights(settings.pins, self._press) if settings.pins.wired else None
        self._health = TrialWatch()
        clock = SystemClock()
        self._page = PageDesk(settings, clock, self._events)
        self._slips = SlipPrinter(settings.slip_printer_path)
        lights = [self._lights] if self._lights else []
        self._feedback: Feedback = Everyone([console, self._health, self._page, self._slips, *lights])
        self._systemd = Systemd(os.environ)
        self._watch = Watch(self._systemd, self._feedback.show, time.monotonic())
        chaos = Chaos(settings.chaos_point, at_hit=settings.chaos_hit)
        verify = keys.receipt_verifier(settings.receipt_key_path)
        sign = keys.signing_key(settings.key_path)
        self._opened = _open(settings, clock)
        self._outbox = self._opened.outbox
        self._vitals = Vitals(settings.tls.certificate if settings.tls else None)
        show = self._feedback.show
        self._admission = Admission(self._outbox, settings.device_id, show, grace_s=settings.refused_grace_s)
        desk = ReceiptDesk(settings.device_id, self._outbox, verify, clock, show, chaos)
        firmware = _version()
        self._updates = self._updates_of(settings, clock, firmware)
        self._twin = self._twin_of(settings, clock, chaos)
        self._judge_clock: Callable[[], ClockReport] = lambda: judge(
            settings.clock_source, clock, desk.round_trips.best()
        )
        self._leases = self._leases_of(settings, clock)
        downlinks = Downlinks(verify, self._handlers(settings.device_id), show)
        self._uplink = Uplink(
            settings,
            self._outbox,
            desk,
            downlinks,
            sign,
            clock,
            show,
            random.SystemRandom().random,
            chaos,
            firmware=firmware,
            vitals=self._vitals,
            admission=self._admission,
        )
        self._snapshot = snapshot_of(settings, clock, self._judge_clock, verify, show)
        self._till = self._till_of(settings, clock, chaos)
        self._renewal = renewal_of(settings, show, self._true_time, chaos)
        parts = [part for part in (self._updates, self._renewal) if part is not None]
        self._lasting = [part.thread for part in parts] + self._snapshot.threads
        self._clock = clock
        self._shop = ShopSerial(settings, clock, self._put, show)
        self._reading = (self._source_of(settings), self._new_stop())

    def _true_time(self) -> datetime | None:
        """None while nobody has set the clock."""
        report = self._judge_clock()
        if report.src is ClockSource.NONE:
            return None
        return datetime.fromtimestamp((self._clock.wall_ms() + report.off_ms) / 1000, UTC)

    def _handlers(self, device: str) -> dict[str, Handler]:
        """Each kind of downlink is added here: its topic and who takes it."""
        handlers: dict[str, Handler] = {
            topics.down_cmd(device): Commands(self._feedback, self._admission.revoked).take,
            topics.down_twin(device): self._twin.take,
            topics.down_lease(device): self._leases.take,
        }
        if self._updates is not None:
            handlers[topics.down_job(device)] = self._updates.take
        return handlers

    def _till_of(self, settings: Settings, clock: SystemClock, chaos: Chaos) -> Till:
        return Till(
            settings,
            self._outbox,
            keys.city_keys(settings.city_keys_path),
            clock,
            self._judge_clock,
            self._feedback,
            self._uplink.wake,
            chaos,
            self._snapshot.teller,
            leases=self._leases,
        )

    def _leases_of(self, settings: Settings, clock: SystemClock) -> LeaseDesk:
        return LeaseDesk(
            self._outbox,
            clock,
            self._judge_clock,
            lambda: self._uplink.offline,
            self._feedback.show,
            may_promise=settings.feed_token_path is None and not settings.feed_serial,
        )

    def _twin_of(self, settings: Settings, clock: SystemClock, chaos: Chaos) -> TwinDesk:
        path = settings.outbox_path.with_name(settings.outbox_path.name + ".twin")
        topic = topics.twin(settings.device_id)
        return TwinDesk(
            settings,
            TwinFile(path, chaos),
            lambda payload: self._uplink.report(topic, payload),
            self._feedback.show,
            chaos,
            boot=clock.boot,
        )

    def _updates_of(self, settings: Settings, clock: SystemClock, firmware: str) -> Updates | None:
        """None where there are none, or its folders are not as they must be: that is no reason not to sell."""
        if settings.updates is None:
            return None
        topic = topics.job(settings.device_id)
        try:
            return Updates(
                settings.updates,
                self._health,
                lambda payload: self._uplink.report(topic, payload),
                self._feedback.show,
                self._outbox.answers,
                clock.wall_ms,
                release=firmware,
            )
        except SlotsUnusable as refusal:
            self._feedback.show(notices.state("updates_off", refusal.sentence_zh, refusal.sentence_en, Signal.WARNING))
            return None

    def _open_page(self) -> None:
        """A page that cannot be shown, its port taken or its token unreadable, is no reason not to sell."""
        try:
            self._page.join(self._till, self._outbox, self._judge_clock)
        except TillRefusal as refusal:
            self._feedback.show(notices.state("page_off", refusal.sentence_zh, refusal.sentence_en, Signal.WARNING))

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        self._open_page()
        self._tell_start()
        self._admission.begin()
        self._till.begin()
        self._page.start(self._feedback.show)
        self._shop.start(self._stop)
        self._slips.start(self._outbox.slip_shown, self._feedback.show, self._stop)
        self._twin.begin(time.monotonic())
        if self._updates is not None:
            self._updates.start(self._till.test_itself)
        self._uplink.start()
        self._snapshot.start()
        if self._renewal is not None:
            self._renewal.start()
        reading = threading.Thread(target=self._read, name="source", daemon=True)
        reading.start()
        self._systemd.ready()
        try:
            return self._serve(reading)
        finally:
            self._shut_down(reading)

    def _serve(self, reading: threading.Thread) -> int:
        ended, served_s = False, time.monotonic()
        while not self._stop.is_set():
            if self._till.open_basket is None:
                self._heed_twin()
            event = self._next_event()
            if event is not None:
                self._till.take(event)
                served_s = time.monotonic()
            self._vitals.hear(event)
            if isinstance(event, SourceEnded):
                ended = True
                self._watch.rest(Part.READER)
            self._till.tick()
            self._look_after_parts(time.monotonic())
            if ended and self._settings.exit_when_done and self._outbox.fill().baskets == 0:
                return EXIT_DONE
            if self._begins_anew(time.monotonic() - served_s):
                return EXIT_AGAIN
            if not self._is_whole(reading, ended=ended):
                return EXIT_BROKEN
        return EXIT_DONE

    def _look_after_parts(self, now_s: float) -> None:
        if not self._watch.due(now_s):
            return
        look_after(self._lasting)
        self._vitals.part_deaths = deaths_of(self._lasting)
        self._watch.turned(Part.MAIN, now_s)
        self._watch.turned(Part.UPLINK, self._uplink.turned_s)
        if self._outbox.answers():
            self._watch.turned(Part.OUTBOX, now_s)
        self._watch.look(now_s, notices.service_status(self._outbox.fill(), self._judge_clock()))

    def _heed_twin(self) -> None:
        """Takes the settings that the twin gives, between baskets; a source that reads otherwise is opened anew."""
        self._twin.tick(time.monotonic(), self._unwell)
        before, settings = self._settings, self._twin.settings
        if settings == before:
            return
        self._settings = settings
        self._till.retune(settings)
        self._uplink.retune(settings)
        if self._updates is not None and settings.updates is not None:
            self._updates.retune(settings.updates)
        if reads_otherwise(before, settings):
            (_, stop), self._reading = self._reading, (self._source_of(settings), self._new_stop())
            stop.set()

    def _source_of(self, settings: Settings) -> ReadSource:
        source = source_of(settings, self._clock, self._vitals.frames)
        self._vitals.source = source.src
        return source

    def _unwell(self) -> str | None:
        """What is not as it should be, in a word."""
        if self._vitals.source_open is False:
            return "source_lost"
        if not self._outbox.answers():
            return "outbox"
        return None if self._uplink.connected else "offline"

    def _begins_anew(self, idle_s: float) -> bool:
        """For a trial of another slot, or with new keys; never while a customer is served."""
        basket_open = self._till.open_basket is not None
        if self._updates and self._updates.tick(idle_s, basket_open=basket_open):
            return True
        return self._renewal is not None and self._renewal.done and not basket_open

    def _is_whole(self, reading: threading.Thread, *, ended: bool) -> bool:
        """A thread that died of a bug: start again as a whole rather than go on half. After a stop they may end."""
        reads_on = ended or reading.is_alive() or not self._events.empty()
        return self._stop.is_set() or (self._uplink.alive() and self._shop.alive() and reads_on)

    def _shut_down(self, reading: threading.Thread) -> None:
        self._systemd.stopping()
        self._stop.set()
        self._reading[1].set()
        while (event := self._waiting_event()) is not None:
            self._till.take(event)
        reading.join(timeout=2.0)
        self._till.end()
        self._twin.end()
        if self._updates is not None:
            self._updates.stop()
        if self._renewal is not None:
            self._renewal.stop()
        self._uplink.stop()
        self._snapshot.stop()
        self._feedback.show(notices.state("stopped", "扫码终端已停止。", "The till has stopped."))
        if self._lights is not None:
            self._lights.close()
        self._page.stop()
        self._outbox.close()

    def _read(self) -> None:
        reading = None
        while reading is not self._reading:
            reading = self._reading
            follow(reading[0], self._put, reading[1])

    def _new_stop(self) -> Stop:
        return Stop(lambda: self._watch.turned(Part.READER, time.monotonic()))

    def _put(self, event: SourceEvent) -> None:
        self._events.put(event)

    def _press(self) -> None:
        self._events.put(ButtonPressed())

    def _next_event(self) -> SourceEvent | None:
        try:
            return self._events.get(timeout=TICK_S)
        except queue.Empty:
            return None

    def _waiting_event(self) -> SourceEvent | None:
        try:
            return self._events.get_nowait()
        except queue.Empty:
            return None

    def _tell_start(self) -> None:
        show = self._feedback.show
        if self._opened.set_aside is not None:
            text_zh = f"本机存储损坏或丢失，原文件保存为 {self._opened.set_aside}，请通知店长。"
            text_en = "The outbox was broken or gone; its file is kept, a new stream begins."
            facts = {"path": str(self._opened.set_aside)}
            show(notices.state("outbox_set_aside", text_zh, text_en, Signal.WARNING, **facts))
        waiting = self._outbox.fill().baskets
        text_zh, text_en = f"扫码终端启动，{waiting} 单待上传。", f"The till starts; {waiting} baskets wait."
        show(notices.state("started", text_zh, text_en, stream=self._outbox.stream, outbox=waiting))


def _open(settings: Settings, clock: SystemClock) -> OpenedOutbox:
    limits = Limits(baskets_max=settings.outbox_baskets_max, size_max_bytes=settings.outbox_size_max_bytes)
    stream = secrets.token_bytes(STREAM_BYTES)
    return open_outbox(settings.outbox_path, limits, random_stream=stream, now_ts=clock.wall_ms())


def _version() -> str:
    try:
        return metadata.version("greenpoints")
    except metadata.PackageNotFoundError:
        return "source"
