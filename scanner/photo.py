"""`python -m scanner.photo`: one photo of a stranger on standard input, the codes on it as JSON on standard output.

The process bounds itself before it looks at the first byte: memory, CPU time, no file, no core, last in line for the CPU.
Whatever goes wrong in a decoder ends this process alone. Exit 0: read, however little was found; 1: no picture.
"""

import base64
import os
import resource
import sys
from pathlib import Path
from typing import Final

import cv2
import orjson

from scanner.decode.limits import OPENCV_THREADS
from scanner.decode.model import DecodedCode
from scanner.decode.still import VotingStillReader
from scanner.errors import TillRefusal
from scanner.pictures import unpack_picture

MEMORY_BYTES_MORE: Final = 352 * 2**20
"""Beyond the program itself: with its 120 MB it stays below 512 MB in all."""
CPU_S_MAX: Final = 8
FILE_BYTES_MAX: Final = 8 * 2**20
CODES_MAX: Final = 16
LAST_IN_LINE: Final = 19


def main() -> int:
    reader = VotingStillReader()
    bound()
    try:
        codes = reader.read(unpack_picture(sys.stdin.buffer.read(FILE_BYTES_MAX)))
    except (TillRefusal, MemoryError, cv2.error):
        return 1
    sys.stdout.buffer.write(orjson.dumps([_shown(code) for code in codes[:CODES_MAX]]))
    return 0


def bound() -> None:
    """Of this process, and for good."""
    cv2.setNumThreads(OPENCV_THREADS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    memory = pages * resource.getpagesize() + MEMORY_BYTES_MORE
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, CPU_S_MAX),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    os.nice(LAST_IN_LINE)


def _shown(code: DecodedCode) -> dict[str, object]:
    """As text where it is some, else its bytes."""
    is_text = code.text.encode("utf-8", "surrogatepass") == code.data
    content = {"code": code.text} if is_text else {"code_b64": base64.b64encode(code.data).decode()}
    return {"code": None, "code_b64": None, **content, "symbology": code.symbology, "aim": code.aim}


if __name__ == "__main__":
    sys.exit(main())
