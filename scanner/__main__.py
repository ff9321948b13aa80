"""`greenpoints-till`, or `python -m scanner`: run the till, read pictures, name what is wrong."""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import orjson

from scanner.decode.model import DecodedCode, StillReader
from scanner.decode.still import VotingStillReader
from scanner.errors import TillRefusal
from scanner.pictures import PictureFile, find_pictures, load_picture

Row = dict[str, object]


def main(argv: Sequence[str] | None = None) -> int:
    """0 done, 1 something could not be read as a picture, 2 usage."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["run"]:
        # Imported here: reading pictures needs no broker, key or outbox.
        from scanner.agent import main as run_till  # noqa: PLC0415

        return run_till(arguments[1:])
    if arguments[:1] == ["doctor"]:
        from scanner.doctor.command import main as examine_till  # noqa: PLC0415

        return examine_till(arguments[1:])
    if arguments[:1] == ["enrol"]:
        from scanner.enrolment.command import main as enrol_till  # noqa: PLC0415

        return enrol_till(arguments[1:])
    options = _parser().parse_args(arguments)
    try:
        return _read(options.paths, as_json=options.json)
    except BrokenPipeError:
        # Whoever read our lines has gone (`| head`); Python's own flush at exit must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="greenpoints-till", description="绿色积分扫码终端 / Green Points till")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="运行终端 / run the till", add_help=False)
    commands.add_parser("enrol", help="凭登记码登记本机 / enrol this till by its claim", add_help=False)
    commands.add_parser("doctor", help="哪里不对、怎么办 / what is wrong and what to do", add_help=False)
    read = commands.add_parser("read", help="识读图片中的条码 / read the codes on pictures")
    read.add_argument("--json", action="store_true", help="每张图片一行 JSON / one JSON line a picture")
    read.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="图片或文件夹 / picture or folder")
    return parser


def _read(paths: Sequence[Path], *, as_json: bool) -> int:
    reader = VotingStillReader()
    broken = 0
    for number, row in enumerate(_rows(paths, reader), start=1):
        broken += "error" in row
        if not as_json:
            print(_for_people(row), flush=True)
        else:
            sys.stdout.buffer.write(orjson.dumps(row) + b"\n")
            sys.stdout.buffer.flush()
        _show_progress(number, broken)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return 1 if broken else 0


def _rows(paths: Sequence[Path], reader: StillReader) -> Iterator[Row]:
    for root in paths:
        try:
            for picture in find_pictures(root):
                yield _row(picture, reader)
        except TillRefusal as refusal:
            yield {"file": root.as_posix(), "cpu_ms": 0.0, "readings": [], "error": _error(refusal)}


def _row(picture: PictureFile, reader: StillReader) -> Row:
    """`cpu_ms` counts unpacking the file as well as reading it."""
    started = time.process_time()
    row: Row = {"file": picture.name}
    try:
        codes = reader.read(load_picture(picture.path))
    except TillRefusal as refusal:
        codes = []
        row["error"] = _error(refusal)
    row["cpu_ms"] = round((time.process_time() - started) * 1000, 1)
    row["readings"] = [_reading(code) for code in codes]
    return row


def _reading(code: DecodedCode) -> Row:
    reading: Row = {"symbology": code.symbology, "text": code.text, "aim": code.aim, "votes": code.votes}
    if code.text.encode("utf-8", "surrogatepass") != code.data:
        reading["bytes_hex"] = code.data.hex()
    return reading


def _error(refusal: TillRefusal) -> Row:
    return {"code": refusal.code, "detail_zh": refusal.sentence_zh, "detail_en": refusal.sentence_en}


def _for_people(row: Row) -> str:
    match row:
        case {"error": {"detail_zh": str(text_zh), "detail_en": str(text_en)}}:
            said = f"{text_zh} / {text_en}"
        case {"readings": list(readings)} if readings:
            said = "; ".join(_for_a_person(reading) for reading in readings)
        case _:
            said = "未识读 / nothing read"
    return f"{row['file']}: {said}"


def _for_a_person(reading: Mapping[str, object]) -> str:
    return f"{reading['symbology']} {reading['text']!r} ({reading['votes']})"


def _show_progress(number: int, broken: int) -> None:
    if sys.stderr.isatty():
        note = f", {broken} 张无法打开 / unreadable" if broken else ""
        print(f"\r{number} 张 / pictures{note}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
