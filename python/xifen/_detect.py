"""What a file is, found by looking at it: its kind, the encoding of its text, what stands between values."""

from __future__ import annotations

import codecs
import csv
from pathlib import Path
from typing import Final, Literal

from xifen.errors import InputError

__all__ = ["Kind", "encoding", "kind", "separator"]

Kind = Literal["text", "parquet", "workbook"]

_WORKBOOKS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
#: Files of tables that other readers know, and that a text of values could be mistaken for.
_OTHERS: Final = (
    ".json",
    ".jsonl",
    ".ndjson",
    ".xml",
    ".html",
    ".htm",
    ".feather",
    ".arrow",
    ".orc",
    ".avro",
    ".db",
    ".pkl",
)
#: The first bytes of files that are no text.
_MAGIC: Final[dict[bytes, Kind]] = {b"PAR1": "parquet", b"PK\x03\x04": "workbook", b"\xd0\xcf\x11\xe0": "workbook"}
_MARKS: Final = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SEPARATORS: Final = (",", "\t", ";", "|")


def kind(path: Path) -> Kind:
    """Give the kind of a file by its name, which its first bytes must bear out."""
    suffix = path.suffix.lower()
    if suffix in _OTHERS:
        raise InputError(f"{path} is a {suffix} file, which is not read here; save it as csv or parquet")
    named: Kind = "parquet" if suffix == ".parquet" else "workbook" if suffix in _WORKBOOKS else "text"
    with path.open("rb") as file:
        start = file.read(4)
    found = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), "text")
    if found != named:
        advice = "save its sheet as csv or parquet, or " if named == "workbook" else ""
        raise InputError(
            f"{path} cannot be read as {named}, for it begins like {'a ' * (found == 'workbook')}{found}; {advice}give it the "
            "ending of what it is"
        )
    return named


def encoding(path: Path) -> str:
    """Give the encoding of a text: that of its mark, UTF-8, or GB18030; no other is told from them by its bytes."""
    with path.open("rb") as file:
        start = file.read(3)
    marked = next((codec for mark, codec in _MARKS.items() if start.startswith(mark)), None)
    if marked or _decodes(path, "utf-8"):
        return marked or "utf-8-sig"
    # Nearly any bytes can be read as GB18030; those of Chinese text are in its old and common part, GB2312.
    if _decodes(path, "gb18030") and _is_common(path):
        return "gb18030"
    raise InputError(f"{path} is neither UTF-8 nor plain Chinese text in GB18030; {other_encodings('utf-8')}")


def other_encodings(tried: str) -> str:
    """Advise to name another encoding than the one that was tried."""
    names = [repr(name) for name in ("utf-8", "gb18030", "big5", "cp1252") if name != tried.removesuffix("-sig")]
    return f"name its encoding by encoding={', '.join(names[:-1])} or {names[-1]} for example"


def separator(path: Path, codec: str) -> str:
    """Give what stands between values: that by which the first rows have the same number of them, more than one."""
    with path.open(encoding=codec, newline="") as file:
        start = file.read(1 << 16)
    whole = start.splitlines(keepends=True)[:20]
    if len(start) == 1 << 16 and len(whole) > 1:
        whole.pop()  # cut in the middle
    for candidate in _SEPARATORS:
        try:
            widths = {len(record) for record in csv.reader(whole, delimiter=candidate) if record}
        except csv.Error:
            continue
        if len(widths) == 1 and widths != {1}:
            return candidate
    return ","


def _decodes(path: Path, codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 22):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_common(path: Path) -> bool:
    with path.open("rb") as file:
        text = file.read(1 << 20).decode("gb18030", errors="ignore")
    # ¥ stands before amounts, but not in GB 2312.
    foreign = "".join(letter for letter in text if not letter.isascii() and letter != "¥")
    return len(foreign.encode("gb2312", errors="ignore").decode("gb2312")) >= 0.95 * len(foreign)
