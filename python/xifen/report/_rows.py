"""The rows of a large sheet, made column by column and put into a finished workbook.

A library writes one cell after another, which takes several times as long. It writes the workbook with two rows to
copy, whose cells name the styles; they give way to the rows here.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["FORMULA", "Rows", "fill"]

#: What a person's next key stroke in the cell could turn into a formula, full-width signs included.
FORMULA: Final = tuple("=+-@\t\r＝＋－＠")
_CHUNK: Final = 20_000
_ESCAPED: Final = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "_x000D_"))


@dataclass(frozen=True)
class Rows:
    """The rows of a sheet: its columns, and the number of the first row as the sheet counts, from 1.

    That row and the next are those to copy: the styles of all columns, and of their texts that begin like a formula.
    """

    columns: Sequence[Any]
    first: int

    def xml(self, styles: Mapping[str, str]) -> Iterator[bytes]:
        """Give the rows in pieces; `styles` are those of the cells to copy, by their place."""
        for start in range(0, len(self.columns[0]), _CHUNK):
            parts = [column.slice(start, _CHUNK) for column in self.columns]
            first = self.first + start
            numbers = pa.array(range(first, first + len(parts[0]))).cast(pa.large_string())
            cells = []
            for place, part in enumerate(parts):
                letters = _letters(place)
                plain, quoted = (styles[f"{letters}{row}"] for row in (self.first, self.first + 1))
                cells.append(_cells(part, letters, numbers, plain, quoted))
            rows = _joined('<row r="', numbers, '">', *cells, "</row>")
            yield "".join(rows.to_pylist()).encode()


def fill(template: Path, path: Path, sheets: Mapping[str, Rows]) -> None:
    """Copy a workbook, with rows in the sheets (by the name of their part) in place of those to copy."""
    with zipfile.ZipFile(template) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            with source.open(part) as given, target.open(part, "w", force_zip64=part.filename in sheets) as made:
                if part.filename not in sheets:
                    shutil.copyfileobj(given, made)
                    continue
                rows = sheets[part.filename]
                before, copied, after = _around(given.read().decode(), rows.first)
                last = rows.first - 1 + len(rows.columns[0])
                made.write(re.sub(r'(<dimension ref="A1:[A-Z]+)\d+', rf"\g<1>{last}", before).encode())
                for piece in rows.xml(dict(re.findall(r'<c r="([A-Z]+\d+)" s="(\d+)"', copied))):
                    made.write(piece)
                made.write(after.encode())


def _around(xml: str, first: int) -> tuple[str, str, str]:
    """Give a sheet before the rows to copy, these, and what follows."""
    start, end = xml.index(f'<row r="{first}"'), xml.index("</sheetData>")
    return xml[:start], xml[start:end], xml[end:]


def _cells(values: Any, letters: str, numbers: Any, plain: str, quoted: str) -> Any:
    """Give the cells of a column as XML, nothing where a value is missing."""
    start = f'<c r="{letters}'
    if pa.types.is_floating(values.type):
        cells = _joined(start, numbers, f'" s="{plain}"><v>', values.cast(pa.large_string()), "</v></c>")
    else:
        formula = pc.is_in(pc.utf8_slice_codeunits(values, 0, 1), pa.array(FORMULA, values.type))
        style = pc.if_else(formula, quoted, plain).cast(pa.large_string())
        text = pc.replace_substring_regex(values, "_(x[0-9a-fA-F]{4}_)", r"_x005F_\1")
        for sign, escaped in _ESCAPED:
            text = pc.replace_substring(text, sign, escaped)
        inline = '" t="inlineStr"><is><t xml:space="preserve">'
        cells = _joined(start, numbers, '" s="', style, inline, text, "</t></is></c>")
    return pc.fill_null(cells, pa.scalar("", pa.large_string()))


def _joined(*parts: Any) -> Any:
    large = [pa.scalar(part, pa.large_string()) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*large, pa.scalar("", pa.large_string()))


def _letters(place: int) -> str:
    """Give the name of a column: A, Z, AA."""
    more, last = divmod(place, 26)
    return (_letters(more - 1) if more else "") + chr(ord("A") + last)
