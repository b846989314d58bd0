"""On which line of a TOML or JSON text each value stands.

Neither `tomllib` nor `json` says so. They have accepted the text before it comes here, so that this walk over its tokens
need not know what is wrong, only where things are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["Path", "lines_of"]

Path = tuple[str | int, ...]

_TOKEN: Final = re.compile(
    r'(?P<comment>\#[^\n]*)|(?P<text>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
    r"|(?P<mark>[\[\]{}=:,.]|\n)|(?P<bare>[^\s\[\]{}=,.\"'#:]+)",
    re.DOTALL,
)


def lines_of(text: str, *, toml: bool) -> dict[Path, int]:
    """Give for every value, by its path, the line (the first is 1) on which its key stands."""
    walk = _Walk(text)
    if toml:
        walk.document()
    else:
        walk.value(())
    return walk.lines


class _Walk:
    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {(): 1}
        self._tokens = list(_tokens(text))
        self._place = 0

    def document(self) -> None:
        """Walk over headers and the keys below them."""
        table: Path = ()
        counts: dict[Path, int] = {}
        while (token := self._next(skip="\n")) is not None:
            if token[0] != "[":
                self._place -= 1
                self.pair(table)
                continue
            several = self._peek() == "["
            self._place += several
            path, line = self._key()
            self._place += 1 + several
            table = ()
            for depth, part in enumerate(path, 1):  # a list of tables on the way means its last one
                table = (*table, part)
                self.lines.setdefault(table, line)
                if several and depth == len(path):
                    counts[table] = counts.get(table, -1) + 1
                if table in counts:
                    table = (*table, counts[table])
            self.lines.setdefault(table, line)

    def pair(self, table: Path) -> None:
        path, line = self._key()
        for depth in range(1, len(path) + 1):
            self.lines.setdefault((*table, *path[:depth]), line)
        self._place += 1  # = or :
        self.value((*table, *path))

    def value(self, path: Path) -> None:
        """Walk over one value, and into it where it holds others."""
        token = self._next(skip="\n")
        if token is None:
            return
        self.lines.setdefault(path, token[1])
        closing = {"[": "]", "{": "}"}.get(token[0])
        if closing is None:
            while self._peek() in (".", ":") or (self._peek() or "\n")[0] not in "\n[]{}=,":  # 1.5, 2026-06-30 12:00:00
                self._place += 1
            return
        item = 0
        while self._peek(skip="\n") not in (closing, None):
            if self._peek() == ",":
                self._place += 1
            elif closing == "}":
                self.pair(path)
            else:
                self.value((*path, item))
                item += 1
        self._place += 1

    def _key(self) -> tuple[Path, int]:
        """Read a key with its dots."""
        path: list[str] = []
        line = 0
        while (token := self._next(skip="\n")) is not None:
            line = line or token[1]
            path.append(_plain(token[0]))
            if self._peek() != ".":
                break
            self._place += 1
        return tuple(path), line

    def _next(self, skip: str = "") -> tuple[str, int] | None:
        self._peek(skip)
        self._place += 1
        return self._tokens[self._place - 1] if self._place <= len(self._tokens) else None

    def _peek(self, skip: str = "") -> str | None:
        while self._place < len(self._tokens) and self._tokens[self._place][0] == skip:
            self._place += 1
        return self._tokens[self._place][0] if self._place < len(self._tokens) else None


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    line = 1
    end = 0
    for found in _TOKEN.finditer(text):
        line += text.count("\n", end, found.start())
        end = found.start()
        if found.lastgroup != "comment":
            yield found.group(), line


def _plain(key: str) -> str:
    if key.startswith('"'):
        with_long_escapes = re.sub(r"\\U([0-9a-fA-F]{8})", lambda found: chr(int(found[1], 16)), key)
        plain: Any = json.loads(with_long_escapes, strict=False)
        return str(plain)
    return key.strip("'")


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """Give the line of a value, or of the nearest thing around it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)
