"""Joins what sources see to the outbox: decide, commit, and only then tell."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from firmware_bridge.wire.claim_code import RANDOM_BYTES, claim_sha256, draw_claim_code
from firmware_bridge.wire.envelope import Verify
from firmware_bridge.wire.member_card import is_member_card
from firmware_bridge.wire.member_code import is_member_code
from firmware_bridge.wire.messages import CASHIER, SLIP_NO, ClosedBy, Read
from firmware_bridge.wire.messages import Clock as ClockReport
from scanner import member, notices
from scanner.basket import (
    AnotherIsLast,
    CashierNamed,
    CloseAsked,
    Closing,
    Event,
    LabelRead,
    MemberShown,
    Moment,
    NothingToVoid,
    OpenBasket,
    Rules,
    SlipNumbered,
    Step,
    TimePassed,
    VoidWhileOpen,
    interrupted,
    lines,
    self_test_line,
    step,
    void_lines,
)
from scanner.chaos import Chaos, ChaosPoint
from scanner.claim import slip_text
from scanner.clock import Clock
from scanner.errors import TillRefusal
from scanner.feedback import Feedback, Signal, refused
from scanner.lease.desk import LeaseDesk, Promised
from scanner.outbox import WARNING_PERCENT, NewRows, Outbox
from scanner.read_line import keep
from scanner.settings import Settings
from scanner.snapshot.sayings import Saying, reserved, settled_later
from scanner.snapshot.teller import Teller
from scanner.sources.model import (
    ButtonPressed,
    CashierSeen,
    CodeSeen,
    FeedLineUnusable,
    FinishSeen,
    LineOutcome,
    ShopLine,
    ShopLines,
    SlipSeen,
    SourceEnded,
    SourceEvent,
    SourceLost,
    SourceOpened,
    Unusable,
    VoidAsked,
)


class Till:
    """Used by one thread."""

    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        city_keys: Mapping[str, Verify],
        clock: Clock,
        judge_clock: Callable[[], ClockReport],
        feedback: Feedback,
        wake_uplink: Callable[[], None],
        chaos: Chaos,
        teller: Teller,
        *,
        leases: LeaseDesk,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._city_keys = city_keys
        self._clock = clock
        self._judge_clock = judge_clock
        self._feedback = feedback
        self._wake_uplink = wake_uplink
        self._chaos = chaos
        self._teller = teller
        self._leases = leases
        self._rules = Rules(boot=clock.boot, timeout_ms=1000 * settings.basket_timeout_s)
        self._open: OpenBasket | None = None
        self._left_over = False
        """Whether the open basket is the last run's, which the disk has not let end yet: nothing joins it."""
        self._unended: OpenBasket | None = None
        self._warned = False
        self._line_id: str | None = None
        """Of the shop's line in hand: remembered with what it changes."""
        self._line_cut: str | None = None
        """Of the shop's line whose code is kept, and whose end of the sale the disk refused: that may come again."""
        self._lease_book: str | None = None
        """With what the label in hand was promised: on disk with its read."""

    @property
    def open_basket(self) -> OpenBasket | None:
        """Frozen, so any thread may look at it."""
        return self._open

    @property
    def cashier(self) -> str | None:
        return self._rules.cashier

    def begin(self) -> None:
        """What the last run left: slips that were perhaps never printed, a basket that was never closed."""
        for seq, claim_code in self._outbox.slips_to_show():
            self._show_slip(seq, claim_code)
        self._open = self._outbox.open_basket()
        self._left_over = self._open is not None
        self.end()

    def test_itself(self) -> int | None:
        """Closes a basket that sold nothing, to see its receipt: its seq. None when the outbox cannot be written."""
        at = self._now()
        new = NewRows(make_lines=lambda seq: [self_test_line(seq, self._rules, at)], ts=at.ts, voidable=False)
        try:
            (row,) = self._outbox.record(self._open, new)
        except TillRefusal as refusal:
            self._feedback.show(refused(refusal))
            return None
        self._tell(
            "self_test", f"自检单 {row.seq} 已存本机。", f"The self-test basket {row.seq} waits for its receipt."
        )
        return row.seq

    def retune(self, settings: Settings) -> None:
        """Other codes and times, between baskets: one ends by the rules it began under."""
        assert self._open is None
        self._settings = settings
        self._rules = replace(self._rules, timeout_ms=1000 * settings.basket_timeout_s)

    def end(self) -> None:
        """Whoever is before the till now: their basket closes as `interrupted`."""
        self._guarded(self._interrupt)

    def take(self, event: SourceEvent) -> None:
        self._guarded(lambda: self._take(event))

    def tick(self) -> None:
        """Now and then: a basket that nobody finishes closes by itself; told once where the disk refuses that."""
        self._leases.tick()
        try:
            if self._left_over:
                self._end_left_over()
            elif self._open is not None:
                self._step(TimePassed(self._now()))
        except TillRefusal as refusal:
            # Of one left over the cashier was told at the start, and is at each read that it stops.
            if not self._left_over and self._unended is not self._open:
                self._feedback.show(refused(refusal))
            self._unended = self._open

    def _interrupt(self) -> None:
        if self._open is not None:
            self._apply(interrupted(self._open))
        self._left_over = False

    def _end_left_over(self) -> None:
        """Another customer's reads, and another boot's clock: it ends before anything else happens. Raises OutboxUnwritable."""
        if self._left_over:
            self._interrupt()

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except TillRefusal as refusal:
            self._feedback.show(refused(refusal))

    def _take(self, event: SourceEvent) -> None:
        match event:
            case CodeSeen():
                self._on_code(event)
            case CashierSeen():
                self._on_cashier(event.cashier)
            case SlipSeen():
                self._on_slip(event.slip_no)
            case FinishSeen():
                self._step(CloseAsked(ClosedBy.FINISH, self._now()))
            case ButtonPressed():
                self._step(CloseAsked(ClosedBy.BUTTON, self._now()))
            case ShopLines():
                self._on_shop_lines(event)
            case VoidAsked():
                self._void(self._now(), seen_as_last=event.seq)
            case _:
                self._on_source(event)

    def _on_source(self, event: Unusable | SourceLost | SourceOpened | SourceEnded) -> None:
        match event:
            case Unusable():
                self._feedback.show(refused(event.refusal))
            case SourceLost():
                lost = event.refusal
                self._tell("source_lost", lost.sentence_zh, lost.sentence_en, Signal.WARNING)
            case SourceOpened():
                self._tell("source_open", f"读码来源 {event.src} 就绪。", f"The source {event.src} is ready.")
            case SourceEnded():
                # Nothing more can come: what a timeout would do later is done now.
                if self._open is not None:
                    self._step(CloseAsked(ClosedBy.TIMEOUT, self._now()))
                self._tell("source_ended", f"读码来源 {event.src} 已结束。", f"The source {event.src} has ended.")

    def _on_code(self, seen: CodeSeen) -> None:
        self._end_left_over()
        at = Moment(seen.mono_ms, self._clock.wall_ms())
        if seen.code == self._settings.finish_code:
            self._step(CloseAsked(ClosedBy.FINISH, at))
        elif seen.code == self._settings.void_code:
            self._void(at)
        elif seen.code.startswith(self._settings.cashier_prefix):
            self._on_cashier(seen.code.removeprefix(self._settings.cashier_prefix))
        elif is_member_card(seen.code):
            self._on_card(seen.code, at)
        elif is_member_code(seen.code):
            self._on_member(seen.code, at)
        else:
            self._on_label(seen, at)

    def _on_shop_lines(self, asked: ShopLines) -> None:
        """Each is on disk, or refused and told, before the shop's till has its answer."""
        asked.answer(tuple(self._outcome(line) for line in asked.lines))

    def _outcome(self, line: ShopLine) -> LineOutcome:
        events = line.events
        if self._knows(line):
            if line.line_id != self._line_cut:
                return LineOutcome(line.line_id, repeated=True)
            events = tuple(event for event in events if isinstance(event, FinishSeen | ButtonPressed))
        try:
            for event in events:
                # A cashier or slip is named once or twice alike; were the line known by that, its code would be lost.
                only_names = isinstance(event, CashierSeen) or (
                    isinstance(event, SlipSeen) and event is not line.events[-1]
                )
                self._line_id = None if only_names else line.line_id
                if isinstance(event, Unusable):
                    raise event.refusal
                self._take(event)
        except TillRefusal as refusal:
            self._feedback.show(refused(refusal))
            self._line_cut = line.line_id if self._knows(line) else self._line_cut
            return LineOutcome(line.line_id, refusal=refusal)
        finally:
            self._line_id = None
        return LineOutcome(line.line_id)

    def _knows(self, line: ShopLine) -> bool:
        return line.line_id is not None and self._outbox.knows_line(line.line_id)

    def _on_label(self, seen: CodeSeen, at: Moment) -> None:
        self._outbox.check_room()
        said, promised = self._said(seen)
        self._lease_book = promised.book
        try:
            self._step(LabelRead(keep(replace(_read_of(seen), promised=promised.promises)), at))
        finally:
            self._lease_book = None
        self._leases.keep(promised.book)
        if promised.promises:
            self._chaos.reach(ChaosPoint.LEASE_DRAWN)
        # On disk since a moment ago; only now may it beep.
        self._feedback.show(notices.beep(seen, said, seq=self._outbox.next_seq(), stream=self._outbox.stream))
        self._chaos.reach(ChaosPoint.MID_BASKET)
        self._warn_when_filling()

    def _said(self, seen: CodeSeen) -> tuple[Saying, Promised]:
        """What is told of a label, and what of it is promised: to a member alone, since a claim code may earn less."""
        said = self._teller.tell(seen)
        shown = None if self._open is None else self._open.member
        # A card may be a copy, and the server may count it out for the day: nothing is promised on one.
        is_members = shown is not None and not is_member_card(shown)
        promised = self._leases.promise((said.payers or {}) if is_members else {})
        if promised.promises:
            return reserved(said, promised.amounts), promised
        return (settled_later(said) if self._leases.is_offline else said), promised

    def _on_member(self, code: str, at: Moment) -> None:
        self._outbox.check_room()
        member.verify(code, self._city_keys, wall_ms=at.ts, clock=self._judge_clock())
        self._step(MemberShown(code, at))

    def _on_card(self, text: str, at: Moment) -> None:
        self._outbox.check_room()
        member.check_card(text)
        self._step(MemberShown(text, at))

    def _on_cashier(self, cashier: str) -> None:
        if CASHIER.fullmatch(cashier) is None:
            raise FeedLineUnusable(reason="cashier")
        if cashier != self._rules.cashier:
            self._rules = replace(self._rules, cashier=cashier)
            self._step(CashierNamed(cashier))
            self._tell("cashier", f"收银员 {cashier}。", f"The cashier is {cashier}.", Signal.GOOD)

    def _on_slip(self, slip_no: str) -> None:
        if SLIP_NO.fullmatch(slip_no) is None:
            raise FeedLineUnusable(reason="slip_no")
        if self._open is None:
            self._outbox.check_room()
        self._step(SlipNumbered(slip_no, self._now()))

    def _step(self, event: Event) -> None:
        self._end_left_over()
        self._apply(step(self._open, event, self._rules))

    def _apply(self, after: Step) -> None:
        claim_code = None
        if after.closing is not None:
            claim_code = self._record_closing(after.closing, after.open)
        elif after.open is not self._open:
            self._outbox.record(after.open, line_id=self._line_id, lease_book=self._lease_book)
        self._open = after.open
        if after.note is not None:
            self._feedback.show(notices.of_step(after.note))
        if claim_code is not None:
            self._show_slip(*claim_code)

    def _record_closing(self, closing: Closing, still_open: OpenBasket | None) -> tuple[int, str] | None:
        """The seq and claim code of a basket without a member."""
        with_member = closing.basket.member is not None
        claim_code = None if with_member else draw_claim_code(secrets.token_bytes(RANDOM_BYTES))
        claim_hash = None if claim_code is None else claim_sha256(claim_code)

        def make_lines(first_seq: int) -> Sequence[bytes]:
            return lines(closing, first_seq, claim_hash)

        new = NewRows(make_lines=make_lines, ts=closing.at.ts, claim_code=claim_code)
        rows = self._outbox.record(still_open, new, line_id=self._line_id)
        self._line_cut = None
        self._chaos.reach(ChaosPoint.AFTER_OUTBOX_COMMIT)
        for notice in notices.closings(closing, rows, self._outbox.stream, claim_code):
            self._feedback.show(notice)
        self._wake_uplink()
        return None if claim_code is None else (rows[0].seq, claim_code)

    def _void(self, at: Moment, *, seen_as_last: int | None = None) -> None:
        """`seen_as_last`: whoever pressed a button meant this basket, and no later one."""
        voided = self._outbox.last_group()
        if self._open is not None and self._open.reads:
            raise VoidWhileOpen
        if not voided:
            raise NothingToVoid
        if seen_as_last is not None and seen_as_last != voided[0]:
            raise AnotherIsLast(seq=seen_as_last)

        def make_lines(first_seq: int) -> Sequence[bytes]:
            return void_lines(voided, first_seq, self._rules, at)

        new = NewRows(make_lines=make_lines, ts=at.ts, voidable=False)
        rows = self._outbox.record(self._open, new, line_id=self._line_id)
        self._chaos.reach(ChaosPoint.AFTER_OUTBOX_COMMIT)
        for row, seq in zip(rows, voided, strict=True):
            self._feedback.show(notices.voided(row, seq, self._outbox.stream))
        self._wake_uplink()

    def _show_slip(self, seq: int, claim_code: str) -> None:
        self._feedback.show(notices.slip(seq, claim_code, slip_text(claim_code)))
        if self._settings.page_port is None and self._settings.slip_printer_path is None:
            # A page says when the slip has stood on it, a printer when it is printed: until then it is kept.
            self._outbox.slip_shown(seq)

    def _warn_when_filling(self) -> None:
        fill = self._outbox.fill()
        warn = fill.percent >= WARNING_PERCENT
        if warn and not self._warned:
            self._feedback.show(notices.filling(fill))
        self._warned = warn

    def _tell(self, name: str, text_zh: str, text_en: str, signal: Signal = Signal.NONE) -> None:
        self._feedback.show(notices.state(name, text_zh, text_en, signal))

    def _now(self) -> Moment:
        return Moment(self._clock.mono_ms(), self._clock.wall_ms())


def _read_of(seen: CodeSeen) -> Read:
    return Read(
        sym=seen.symbology,
        code=seen.code,
        raw=seen.raw,
        aim=seen.aim,
        src=seen.src,
        votes=seen.votes,
        mono=seen.mono_ms,
        qty=seen.qty,
        price_fen=seen.price_fen,
        sn=seen.sn,
    )
