"""A workbook, sheet by sheet: the only place that knows xlsxwriter."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xifen.errors import ParameterError
from xifen.report._rows import FORMULA, Rows, fill

__all__ = ["MOST_ROWS", "Workbook"]

#: The rows of a sheet, its header included.
MOST_ROWS: Final = 1_048_576
#: The UTF-16 units of a cell.
_LONGEST: Final = 32_767
#: What XML cannot hold.
_UNKEPT: Final = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]"
#: Microseconds: a day, and the day Excel counts from, which is right since March 1900.
_DAY: Final = 86_400_000_000
_DAY_ZERO: Final = -25_569 * _DAY
_FIRST_DAY: Final = dt.datetime(1900, 3, 1)  # noqa: DTZ001  a calendar's day has no zone
_WIDEST: Final = 44
_MOST_LINES: Final = 3
#: The points of a line.
_LINE: Final = 14.5
#: Rows that decide how wide and high very many are.
_SAMPLE: Final = 2_000
_TRUTHS: Final = {"zh": ("是", "否"), "en": ("yes", "no")}
_FONTS: Final = {"zh": "Microsoft YaHei", "en": "Calibri"}

Kind = Literal["text", "date", "moment", "whole", "decimal", "share"]
_FORMATS: Final[Mapping[Kind, str]] = {
    "text": "@",
    "date": "yyyy-mm-dd",
    "moment": "yyyy-mm-dd hh:mm:ss",
    "whole": "#,##0_ ",
    "decimal": "#,##0.00_ ",
    "share": "0.0%_ ",
}

_ALIGNED: Final[Mapping[str, Mapping[str, Any]]] = {
    "text": {"indent": 1},
    "date": {"align": "center"},
    "moment": {"align": "center"},
}


class Workbook:
    """A workbook, whose large sheets are filled when all else is written.

    Parameters
    ----------
    path : path
        Where it is written when it is closed.
    lang : {"zh", "en"}
        Decides the font.
    title : str
        What its properties say.
    day : datetime.date, optional
        The day its properties name, so that the same input gives the same bytes.
    """

    def __init__(self, path: Path, *, lang: Literal["zh", "en"], title: str, day: dt.date | None = None) -> None:
        try:
            import xlsxwriter
        except ImportError:
            raise ParameterError('workbooks need xlsxwriter: pip install "xifen[report]"') from None
        font = {"font_name": _FONTS[lang], "font_size": 10, "valign": "vcenter"}
        self._path = path
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._template = Path(self._folder.name) / "book.xlsx"
        self._book = xlsxwriter.Workbook(self._template, {"default_format_properties": font})
        self._rows: dict[str, Rows] = {}
        created = dt.datetime.combine(day or dt.date(2000, 1, 1), dt.time(), dt.UTC).replace(tzinfo=None)
        self._book.set_properties({"title": title, "created": created})
        self._formats: dict[tuple[Any, ...], Any] = {}
        self._truths = _TRUTHS[lang]
        #: How many cells were changed to be text a workbook can hold: formulas, cut, control.
        self.touched: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write the file if all went well; take away what was put aside for it in any case."""
        from xlsxwriter.exceptions import FileCreateError

        try:
            if kind is None:
                self._book.close()
                fill(self._template, self._path, self._rows)
        except FileCreateError as failure:
            raise failure.args[0] from None  # the OSError it wraps
        finally:
            self._folder.cleanup()

    def style(self, **properties: Any) -> Any:
        """Give one format for the same properties."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format({"font_size": 10, "valign": "vcenter", **properties})
        return self._formats[key]

    def sheet(self, name: str, *, landscape: bool = True) -> Any:
        """Add a sheet that prints on A4, one page wide."""
        sheet = self._book.add_worksheet(name)
        sheet.hide_gridlines(2)  # tables draw their own
        if landscape:
            sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        sheet.set_footer("&L&A&R&P / &N")
        return sheet

    def heading(self, sheet: Any, row: int, text: str, *, size: int = 12) -> int:
        """Write a line of heading; give the row below it."""
        sheet.set_row(row, size * 1.8)
        sheet.write_string(row, 0, text, self.style(bold=True, font_size=size, font_color="#1F3B57"))
        return row + 1

    def table(
        self,
        sheet: Any,
        frame: pd.DataFrame,
        *,
        row: int = 0,
        kinds: Mapping[str, Kind] | None = None,
        notes: Mapping[str, str] | None = None,
        bars: bool = False,
        many: bool = False,
    ) -> int:
        """Write a header and the rows of a frame; give the row below them.

        Parameters
        ----------
        sheet
            A sheet of `sheet`.
        frame : pandas.DataFrame
            What stands in it. A missing value is an empty cell.
        row : int
            The row of the header.
        kinds : mapping, optional
            What a column is where its values do not say: ``{"share": "share"}``.
        notes : mapping, optional
            Header -> what its comment says.
        bars : bool
            Draw bars behind the numbers.
        many : bool
            There may be very many rows: all are as high as the highest of the first.
        """
        columns = [self._column(values, (kinds or {}).get(name)) for name, values in frame.items()]
        header = self.style(
            bold=True, bg_color="#1F3B57", font_color="#FFFFFF", text_wrap=True, align="center", border=1,
            border_color="#FFFFFF",
        )  # fmt: skip
        end = row + len(frame)
        for place, (name, (kind, values)) in enumerate(zip(frame.columns, columns, strict=True)):
            sheet.write_string(row, place, str(name), header)
            if name in (notes or {}):
                sheet.write_comment(row, place, (notes or {})[name], {"x_scale": 1.6})
            if bars and kind in ("whole", "decimal", "share") and len(values):
                sheet.conditional_format(
                    row + 1, place, end, place,
                    {"type": "data_bar", "bar_color": "#9DC3E6", "bar_solid": True, "min_type": "num", "min_value": 0},
                )  # fmt: skip
        sheet.set_row(row, 32)
        if many:
            sheet.set_default_row(max(_heights(frame.head(_SAMPLE)), default=_LINE))
            self._put_off(sheet, row + 1, columns)
        else:
            self._cells(sheet, row + 1, columns, _heights(frame))
        if len(frame):
            lines = {"type": "no_errors", "format": self.style(bottom=4, bottom_color="#B8C4CE")}
            sheet.conditional_format(row + 1, 0, end, len(columns) - 1, lines)
            # Ids are text on purpose: no green corners.
            sheet.ignore_errors({"number_stored_as_text": f"A{row + 2}:XFD{end + 1}"})
        return end + 1

    def widths(self, sheet: Any, *frames: pd.DataFrame) -> None:
        """Make columns as wide as what stands in them: a Latin letter takes one cell, a Chinese character two."""
        for place in range(max(len(frame.columns) for frame in frames)):
            there = [frame.iloc[:, place] for frame in frames if place < len(frame.columns)]
            wide = max(float(_widths(values.head(_SAMPLE)).max(initial=0)) for values in there)
            header = max(_header_width(str(values.name)) for values in there)
            sheet.set_column(place, place, max(min(wide, _WIDEST), header) + 3)

    def _put_off(self, sheet: Any, first: int, columns: list[tuple[Kind, Any]]) -> None:
        """Write two rows to copy, and keep the columns until the sheet is filled."""
        if not columns or not len(columns[0][1]):
            return
        for place, (kind, values) in enumerate(columns):
            plain, quoted = self._cell_styles(kind, values)
            sheet.write_blank(first, place, None, plain)
            sheet.write_blank(first + 1, place, None, quoted)
        self._rows[f"xl/worksheets/sheet{len(self._book.worksheets())}.xml"] = Rows(
            [values for _, values in columns], first + 1
        )

    def _cells(self, sheet: Any, first: int, columns: list[tuple[Kind, Any]], heights: list[float]) -> None:
        styles = [self._cell_styles(kind, values) for kind, values in columns]
        for row, cells in enumerate(zip(*(values.to_pylist() for _, values in columns), strict=True), first):
            sheet.set_row(row, heights[row - first])
            for place, value in enumerate(cells):
                plain, quoted = styles[place]
                if isinstance(value, str):
                    sheet.write_string(row, place, value, quoted if value[0] in FORMULA else plain)
                elif value is not None:
                    sheet.write_number(row, place, value, plain)

    def _cell_styles(self, kind: Kind, values: Any) -> tuple[Any, Any]:
        """Give the format of a column, and that of a text in it that begins like a formula."""
        long = kind == "text" and (pc.max(pc.utf8_length(values.slice(0, _SAMPLE))).as_py() or 0) > _WIDEST // 2
        plain = {"num_format": _FORMATS[kind], **_ALIGNED.get(kind, {}), **({"text_wrap": True} if long else {})}
        return self.style(**plain), self.style(**plain, quote_prefix=True)

    def _column(self, values: pd.Series, kind: Kind | None) -> tuple[Kind, Any]:
        """Give what a column is, and its cells: texts or numbers, null where nothing is written."""
        array = _array(values)
        if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
            return _days(array, kind)
        if kind != "text" and _is_number(array):
            return _numbers(array, kind)
        return "text", self._texts(array)

    def _texts(self, array: Any) -> Any:
        """Give texts a cell can hold, and count what had to be changed."""
        if pa.types.is_boolean(array.type):
            array = pc.if_else(array, *self._truths)
        texts = _as_text(array)
        kept = pc.replace_substring_regex(texts, _UNKEPT, "")
        self.touched["control"] += _count(pc.not_equal(kept, texts))
        self.touched["formulas"] += _count(pc.is_in(pc.utf8_slice_codeunits(kept, 0, 1), pa.array(FORMULA, kept.type)))
        # xlsxwriter would take a text in the shape of a formatted one as XML.
        kept = pc.replace_substring_regex(kept, "(?s)^(<r>.*</r>)$", "\\1 ")
        kept = pc.if_else(pc.equal(kept, ""), None, kept)
        long = pc.fill_null(pc.greater(pc.binary_length(kept), _LONGEST), fill_value=False)
        if pc.any(long).as_py():
            whole = pc.filter(kept, long)
            cut = pa.array(map(_cut, whole.to_pylist()), kept.type)
            self.touched["cut"] += _count(pc.not_equal(whole, cut))
            kept = pc.replace_with_mask(kept, long, cut)
        return kept


def _array(values: pd.Series) -> Any:
    """Give a column plainly: no dictionary, no chunks, times on their own wall clock."""
    try:
        array = pa.array(values, from_pandas=True)
    except pa.ArrowException:  # values of several kinds
        array = pa.array(values.where(values.isna(), values.astype(str)), pa.large_string(), from_pandas=True)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return pc.local_timestamp(array) if pa.types.is_timestamp(array.type) and array.type.tz else array


def _is_number(array: Any) -> bool:
    if pa.types.is_integer(array.type):  # more digits than a workbook keeps are text
        return (_count(pc.greater_equal(pc.abs(array.cast(pa.float64(), safe=False)), float(2**53)))) == 0
    return bool(pa.types.is_floating(array.type) or pa.types.is_decimal(array.type))


def _as_text(array: Any) -> Any:
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        array = pc.binary_join(array.cast(pa.list_(pa.string())), "; ")
    return array.cast(pa.large_string())


def _count(mask: Any) -> int:
    return pc.sum(mask).as_py() or 0


def _cut(text: str) -> str:
    units = text.encode("utf-16-le")
    return text if len(units) <= 2 * _LONGEST else units[: 2 * _LONGEST - 2].decode("utf-16-le", "ignore") + "…"


def _numbers(array: Any, kind: Kind | None) -> tuple[Kind, Any]:
    """Give numbers as a workbook has them: float64, no infinity."""
    values = array.cast(pa.float64(), safe=False)
    finite = pc.if_else(pc.is_finite(values), values, None)
    return kind or ("whole" if pa.types.is_integer(array.type) else "decimal"), finite


def _days(array: Any, kind: Kind | None) -> tuple[Kind, Any]:
    """Give days and times as Excel counts them; what lies before its calendar is text."""
    times = array.cast(pa.timestamp("us"), safe=False)
    first = pc.min(times).as_py()
    if first is not None and first < _FIRST_DAY:
        return "text", pc.strftime(times, format="%Y-%m-%d").cast(pa.large_string())
    days = pc.divide(pc.subtract(times.cast(pa.int64()), _DAY_ZERO).cast(pa.float64()), _DAY)
    whole = not _count(pc.not_equal(pc.floor(days), days))
    return kind or ("date" if whole else "moment"), days


def _header_width(text: str) -> float:
    """Give the width of a header, which may break into two lines."""
    wide = (len(text) + len(text.encode())) / 2
    return max(wide / 2 + 2, 8) if wide > 14 else wide + 2


def _heights(frame: pd.DataFrame) -> list[float]:
    """Give the height of every row: as many lines as its longest text breaks into."""
    lines = np.ones(len(frame))
    for place in range(frame.shape[1]):
        values = frame.iloc[:, place]
        lines = np.maximum(lines, np.ceil(_widths(values) / _WIDEST))
    return list(_LINE * np.minimum(lines, _MOST_LINES))


def _widths(values: pd.Series) -> np.ndarray:
    """Give the width of every value: a Latin letter takes one cell, a Chinese character two."""
    array = _array(values)
    if pa.types.is_temporal(array.type):
        return np.full(len(array), 11.0)
    if _is_number(array):
        largest = pc.max(pc.abs(array.cast(pa.float64(), safe=False))).as_py() or 0
        return np.full(len(array), float(len(f"{largest:,.2f}")))
    texts = _as_text(array)
    # A Chinese character has three bytes: together with itself, four halves.
    halves = pc.add(pc.utf8_length(texts), pc.binary_length(texts))
    return np.asarray(pc.fill_null(halves.cast(pa.float64()), 0.0)) / 2
