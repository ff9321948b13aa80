"""Lamps, buzzer and finish button on GPIO pins, where there are any."""

from collections.abc import Callable
from typing import Any

from scanner.feedback import Notice, Signal
from scanner.settings import FeedbackPins

GOOD_S = 0.08
REFUSED_S = 1.2


class Lights:
    """Each lamp may be missing. Blinking runs in gpiozero's own thread, so no sale waits for a lamp."""

    def __init__(self, pins: FeedbackPins, on_button: Callable[[], None]) -> None:
        import gpiozero  # noqa: PLC0415 - touches the board, so only where pins are named

        self._green = None if pins.green is None else gpiozero.LED(pins.green)
        self._amber = None if pins.amber is None else gpiozero.LED(pins.amber)
        self._red = None if pins.red is None else gpiozero.LED(pins.red)
        self._buzzer = None if pins.buzzer is None else gpiozero.Buzzer(pins.buzzer)
        self._button = None if pins.button is None else gpiozero.Button(pins.button, bounce_time=0.05)
        self._stopped = False
        if self._button is not None:
            self._button.when_pressed = on_button

    def show(self, notice: Notice) -> None:
        match notice.signal:
            case Signal.GOOD:
                _switch(self._amber, on=False)
                _pulse(self._green, GOOD_S)
                _pulse(self._buzzer, GOOD_S)
            case Signal.REFUSED:
                if not self._stopped:
                    _pulse(self._red, REFUSED_S)
                _pulse(self._buzzer, REFUSED_S)
            case Signal.STOPPED | Signal.RESUMED:
                self._stopped = notice.signal is Signal.STOPPED
                _switch(self._red, on=self._stopped)
                if self._stopped:
                    _pulse(self._buzzer, REFUSED_S)
            case Signal.WARNING:
                _switch(self._amber, on=True)
            case Signal.NONE:
                pass

    def close(self) -> None:
        for part in (self._green, self._amber, self._red, self._buzzer, self._button):
            if part is not None:
                part.close()


def _pulse(part: Any | None, seconds: float) -> None:
    if part is not None:
        part.blink(on_time=seconds, off_time=0, n=1, background=True)


def _switch(part: Any | None, *, on: bool) -> None:
    if part is not None:
        part.value = on
