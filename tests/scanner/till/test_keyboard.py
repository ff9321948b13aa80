import pytest
from evdev import InputEvent, ecodes

from scanner.sources.model import CodeSeen, Unusable
from scanner.sources.wedge import KeyDecoder, WedgeSource
from tests.scanner.till.test_sources import EAN, TickingClock, codes, reasons


def keys_of(text: str) -> list[InputEvent]:
    """What a US keyboard sends for `text`, presses and releases."""
    names = {" ": "SPACE", "-": "MINUS", ".": "DOT", "/": "SLASH", ":": "SEMICOLON", "\n": "ENTER", "]": "RIGHTBRACE"}
    events = []
    for character in text:
        shifted = character.isupper() or character == ":"
        key = ecodes.ecodes[f"KEY_{names.get(character, character.upper())}"]
        pressed = [ecodes.KEY_LEFTSHIFT, key] if shifted else [key]
        events += [InputEvent(0, 0, ecodes.EV_KEY, code, 1) for code in pressed]
        events += [InputEvent(0, 0, ecodes.EV_KEY, code, 0) for code in reversed(pressed)]
        events.append(InputEvent(0, 0, ecodes.EV_SYN, 0, 0))
    return events


@pytest.mark.parametrize("text", [EAN, "https://q.example.cn/01/069A", "GPM1.abcXYZ-9", "]E06901234567892"])
def test_a_wedge_types_what_the_label_says(text: str) -> None:
    source = WedgeSource("-", 1_000, TickingClock())

    (seen,) = source.decode(KeyDecoder(1_000), keys_of(text + "\n"))

    assert isinstance(seen, CodeSeen)
    assert (seen.aim or "") + seen.code == text


def test_our_key_rows_are_those_of_linux() -> None:
    from scanner.sources.wedge import _PLAIN

    for digit_or_letter in "1234567890qwertyuiopasdfghjklzxcvbnm":
        assert _PLAIN[ecodes.ecodes[f"KEY_{digit_or_letter.upper()}"]] == digit_or_letter
    assert [_PLAIN[ecodes.ecodes[f"KEY_KP{digit}"]] for digit in range(10)] == list("0123456789")


def typed(decoder: KeyDecoder, text: str, at_ms: int) -> list[str | Unusable]:
    found: list[str | Unusable] = []
    for event in keys_of(text):
        if event.type == ecodes.EV_KEY:
            found += decoder.key(event.code, event.value, at_ms)
    return found


def test_a_wedge_that_pauses_in_a_code_loses_that_half_and_not_the_next_code() -> None:
    decoder = KeyDecoder(100)
    typed(decoder, "690123", 0)

    found = typed(decoder, "4567892\n", 101)

    assert isinstance(found[0], Unusable)
    assert found[0].refusal.code == "partial_code"
    assert found[1:] == ["4567892"]


def test_half_a_code_is_dropped_even_when_no_key_follows() -> None:
    decoder = KeyDecoder(100)
    typed(decoder, "690123", 0)

    assert decoder.pause(100) == []
    assert [event.refusal.code for event in decoder.pause(101)] == ["partial_code"]


def keys_with_a_gap(text: str, first: int, last: int) -> list[InputEvent]:
    """As the kernel gives them when its buffer was full: of what it dropped, a marker and the end of the last report."""
    kept, stale = keys_of(text), keys_of("9")[:1]
    return [*kept[:first], InputEvent(0, 0, ecodes.EV_SYN, ecodes.SYN_DROPPED, 0), *stale, *kept[last:]]


def test_a_code_of_which_the_kernel_lost_keys_is_dropped_and_the_next_is_read() -> None:
    source = WedgeSource("-", 1_000, TickingClock())
    gap = keys_with_a_gap(EAN + "\n", 12, 23)

    events = list(source.decode(KeyDecoder(1_000), [*gap, *keys_of("6902\n")]))

    assert reasons(events) == ["partial_code"]
    assert codes(events) == ["6902"]


def test_a_code_whose_end_the_kernel_lost_is_dropped_after_the_pause() -> None:
    decoder = KeyDecoder(100)
    source = WedgeSource("-", 100, TickingClock())
    keys = keys_of(EAN + "\n")

    assert list(source.decode(decoder, keys_with_a_gap(EAN + "\n", 12, len(keys) - 1))) == []

    (partial,) = decoder.pause(10_000)
    assert partial.refusal.code == "partial_code"
    assert typed(decoder, "6902\n", 10_001) == ["6902"]


def test_the_separator_of_gs1_comes_as_control_and_bracket() -> None:
    decoder = KeyDecoder(100)
    typed(decoder, "10ab", 0)
    decoder.key(ecodes.KEY_LEFTCTRL, 1, 0)
    decoder.key(ecodes.KEY_RIGHTBRACE, 1, 0)
    decoder.key(ecodes.KEY_LEFTCTRL, 0, 0)

    assert typed(decoder, "21c\n", 0) == ["10ab\x1d21c"]
