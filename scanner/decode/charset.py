"""The text of a symbol's bytes. Pure."""

# ISO/IEC 15424: these modifiers of a QR code and a Data Matrix announce that the symbol names its character set (ECI).
WITH_ECI = frozenset({"]Q2", "]Q4", "]Q6", "]d4", "]d5", "]d6"})


def printable(data: bytes, aim: str | None, declared: str | None) -> str:
    """UTF-8; else what the symbol's own ECI says; else GB18030, usual in China; else the engine's guess (`declared`).

    zxing guesses Shift JIS or Latin-1 for Chinese bytes, so GB18030 goes first where the bytes can be common Chinese.
    """
    if aim in WITH_ECI and declared:
        return declared
    text = _decoded(data, "utf-8")
    if text is None and (_is_common_chinese(data) or not declared):
        text = _decoded(data, "gb18030")
    if text is None and declared and b"\xa5" not in data:
        text = declared.replace("¥", "\\")  # Shift JIS shows the backslash as a yen sign; the byte is what counts.
    return text or data.decode("utf-8", "replace")


def _decoded(data: bytes, charset: str) -> str | None:
    try:
        return data.decode(charset)
    except UnicodeDecodeError:
        return None


def _is_common_chinese(data: bytes) -> bool:
    """Whether all that is not ASCII pairs up within GB/T 2312, the common part of GB 18030."""
    at = 0
    while at < len(data):
        if data[at] < 0x80:  # noqa: PLR2004 - ASCII
            at += 1
        elif 0xA1 <= data[at] <= 0xF7 and at + 1 < len(data) and 0xA1 <= data[at + 1] <= 0xFE:  # noqa: PLR2004
            at += 2
        else:
            return False
    return True
