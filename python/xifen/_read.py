"""Files into tables: csv, parquet and Excel. What had to be found out about a file is reported, never guessed in silence."""

from __future__ import annotations

import codecs
import csv
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from xifen import _cells, _chinese, _core, _detect
from xifen._chinese import Conversions
from xifen._frame import absent_columns
from xifen.errors import InputError, ParameterError, XifenError

__all__ = ["DataFile", "Reading", "pandas_frame"]

# What databases and spreadsheets write for a missing date or amount. An id is missing only when its cell is empty:
# NA and NULL may be what somebody or some place is called.
_MISSING: Final = ("", "NA", "N/A", "#N/A", "NULL", "Null", "null", "NaN", "nan", "None", "none")
#: Where a float begins to lose digits.
_EXACT_FLOAT: Final = 2.0**53
#: A number without anything around it.
_PLAIN: Final = r"(?i)^-?([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?$|^-?inf(inity)?$"


@dataclass(frozen=True)
class Reading:
    """A table that was read, and what was converted on the way: column, conversion, rows, first_row."""

    table: pa.Table
    conversions: pd.DataFrame


@dataclass(frozen=True)
class DataFile:
    """A file of rows, and how to read it.

    Parameters
    ----------
    path : pathlib.Path
        A csv, tsv, parquet or Excel file.
    encoding : str, optional
        Of a text file. Found by looking where it is not given: a mark, valid UTF-8, or else GB18030 if the text is
        plain Chinese. `findings` says so.
    delimiter : str, optional
        What stands between two values of a text file; found by looking where it is not given.
    sheet : str, optional
        Of a workbook; the first where it is not given.
    chinese : bool
        Read 12万, 1.2亿, ¥5,000.00, full-width digits, 30%, - and 无 as missing, 是 and 否, units in the names of columns
        (万元), and take off trailing tabs and ="..." of platform exports.
    dates : str or mapping, optional
        strftime format of the dates (those that are named in `read`, and columns of which all values have it), or
        "excel" for the days Excel counts; or one per column.
    naming : str
        What an absent column's error advises.
    """

    path: Path
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    chinese: bool = False
    dates: str | Mapping[str, str] | None = None
    naming: str = "Name yours by columns="

    @cached_property
    def kind(self) -> str:
        """Text, parquet or workbook: by the name, which the first bytes must bear out."""
        if not self.path.is_file():
            raise InputError(
                f"{self.path} is a folder; name a file" if self.path.is_dir() else f"there is no file {self.path}"
            )
        return _detect.kind(self.path)

    @property
    def is_text(self) -> bool:
        return self.kind == "text"

    @cached_property
    def codec(self) -> str:
        """The encoding, by the name that also skips a byte order mark."""
        if self.encoding is None:
            return _detect.encoding(self.path)
        try:
            name = codecs.lookup(self.encoding).name
        except LookupError:
            raise ParameterError(
                f"encoding is {self.encoding!r}, which is none; give utf-8, gb18030 or cp1252 for example"
            ) from None
        return "utf-8-sig" if name == "utf-8" else name

    @cached_property
    def separator(self) -> str:
        r"""The one character between two values; a tab may be written tab or \t."""
        if self.delimiter is None:
            return "\t" if self.path.suffix.lower() == ".tsv" else _detect.separator(self.path, self.codec)
        given = "\t" if self.delimiter in ("\\t", "tab") else self.delimiter
        if len(given) != 1 or not given.isascii() or given in '"\r\n\0':
            raise ParameterError(
                f"delimiter is {self.delimiter!r}; wanted one ASCII character such as ';' or '|', or the word tab"
            )
        return given

    @property
    def findings(self) -> str | None:
        """Say how the file was read where that was found out and is not the usual: UTF-8 with commas."""
        if not self.is_text:
            return None
        found = []
        if self.encoding is None and self.codec != "utf-8-sig":
            found.append(f"as {self.codec}")
        usual = "\t" if self.path.suffix.lower() == ".tsv" else ","
        if self.delimiter is None and self.separator != usual:
            found.append(f"with {self.separator!r} between values")
        if not found:
            return None
        return f"{self.path} was read {' and '.join(found)}, as found by looking; encoding= and delimiter= decide otherwise"

    @property
    def columns(self) -> list[str]:
        """The names of the columns; but for workbooks no row is read for them."""
        if self.is_text:
            return [self._clean_name(name) for name in self._header()]
        return self._cells[0] if self.kind == "workbook" else self._parquet(pa_parquet.read_schema).names

    def require(self, wanted: Sequence[str]) -> None:
        """Refuse columns that are wanted and absent, each with its nearest name, or one that stands there twice."""
        self._require(self.columns, list(wanted))

    def read(
        self,
        wanted: Sequence[str] | None = None,
        *,
        ids: Sequence[str] = (),
        times: Sequence[str] = (),
        amounts: Sequence[str] = (),
        drop: Sequence[str] = (),
        text_ids: bool = True,
        invalid: str = "raise",
    ) -> Reading:
        """Read the file.

        Parameters
        ----------
        wanted : sequence of str, optional
            The columns beside those named below; None is all of them.
        ids : sequence of str
            Columns of ids, which must be there: text, so that 001 keeps its zeros.
        times : sequence of str
            Columns of dates, which must be there. Text stays text where `dates` says no format.
        amounts : sequence of str
            Columns of numbers, which must be there; any other value is an error, or with ``invalid="drop"`` missing, counted.
        drop : sequence of str
            Columns that are not read at all.
        text_ids : bool
            Make whole numbers text where a parquet file has such ids.
        invalid : {"raise", "drop"}
            What amounts that are no numbers do; "drop" lets them be missing, so that their rows are left out later.

        Returns
        -------
        Reading
            The other columns are whole numbers, numbers, truths or dates where all their values are, text otherwise.
        """
        needed = list(dict.fromkeys([*(wanted or ()), *ids, *times, *amounts]))
        open_as = {"text": self._read_text, "parquet": self._read_parquet, "workbook": self._read_workbook}
        table = open_as[self.kind](needed, lambda name: name not in drop and (wanted is None or name in needed))
        found = Conversions()
        columns = {}
        for name in table.column_names:
            values = table[name].combine_chunks()
            values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
            if name in ids:
                columns[name] = self._ids(values, name, found, as_text=text_ids or self.kind != "parquet")
            elif name in times:
                columns[name] = self._times(values, name, found)
            else:
                columns[name] = self._values(values, name, found, number=name in amounts, drop=invalid == "drop")
        return Reading(pa.table(columns), found.table())

    # -- the kinds of columns ----------------------------------------------------------------------

    def _ids(self, values: Any, name: str, found: Conversions, *, as_text: bool) -> Any:
        if _is_text(values):
            return _chinese.cleaned(values, name, found) if self.chinese else values
        if pa.types.is_floating(values.type) or (pa.types.is_integer(values.type) and self.kind == "workbook"):
            size = values.cast(pa.float64())
            limit, keeps = (_EXACT_FLOAT, "floats lose digits from 2**53")
            if self.kind == "workbook":
                limit, keeps = (_cells.EXACT, "Excel keeps 15 digits of a number")
            row = _first(pc.or_(pc.not_equal(pc.floor(size), size), pc.greater_equal(pc.abs(size), limit)))
            if row >= 0:
                raise InputError(
                    f"column '{name}' holds {values[row].as_py()!r} in row {row}, which is no id ({keeps}): make the "
                    "column text where the file comes from"
                )
            values = pc.if_else(pc.is_finite(size), size, None).cast(pa.int64())
        return values.cast(pa.string()) if as_text else values

    def _times(self, values: Any, name: str, found: Conversions) -> Any:
        form = self.dates.get(name) if isinstance(self.dates, Mapping) else self.dates
        if pa.types.is_temporal(values.type) or pa.types.is_dictionary(values.type):
            return values
        if not _is_text(values):
            if form is None and self.kind == "workbook":
                raise InputError(
                    f"column '{name}' holds numbers; if they are the days Excel counts, say so by dates='excel'"
                )
            return values if form is None else _chinese.dates(values.cast(pa.string()), name, form, found)
        words = _words(_chinese.cleaned(values, name, found) if self.chinese else values)
        return words if form is None else _chinese.dates(words, name, form, found)

    def _values(self, values: Any, name: str, found: Conversions, *, number: bool, drop: bool) -> Any:
        unit = self.chinese and _chinese.has_unit(name)
        if isinstance(self.dates, Mapping) and name in self.dates:
            return self._times(values, name, found)
        if not _is_text(values):
            return _chinese.numbers(values.cast(pa.string()), name, found) if unit and _is_number(values) else values
        values = _chinese.cleaned(values, name, found) if self.chinese else values
        words = _words(values)
        if words.null_count == len(words) and not number:
            return values
        read = None if number or unit else _inferred(words)
        if read is None and self.chinese:
            read = _chinese.numbers(words, name, found)
        if read is None and number and drop:
            wrong = _chinese.unreadable(words) if self.chinese else pc.invert(pc.match_substring_regex(words, _PLAIN))
            found.add(name, "unreadable", wrong)
            words = pc.if_else(wrong, None, words)
            read = _chinese.numbers(words, name, found) if self.chinese else None
        if read is None and number:
            return _numbers(words, name, chinese=self.chinese)
        if read is None and self.chinese:
            read = _chinese.flags(words, name, found)
        if read is None and isinstance(self.dates, str) and self.dates != "excel":
            read = _chinese.dates(words, name, self.dates, found, sure=False)
        return values if read is None else read

    # -- the kinds of files ------------------------------------------------------------------------

    def _read_parquet(self, needed: list[str], keep: Callable[[str], bool]) -> pa.Table:
        self.require(needed)
        return self._parquet(pa_parquet.read_table, columns=list(filter(keep, self.columns)))

    def _parquet(self, read: Callable[..., Any], **options: Any) -> Any:
        try:
            return read(self.path, **options)
        except (pa.ArrowException, OSError) as failure:
            reason = str(failure).partition("\n")[0].rstrip(".")
            raise InputError(f"{self.path} cannot be read as parquet ({reason}); is it another kind of file?") from None

    def _header(self) -> list[str]:
        """Read the first line of a text file."""
        try:
            with self.path.open(encoding=self.codec, newline="") as file:
                header = next(csv.reader(file, delimiter=self.separator), [])
        except UnicodeError as failure:
            raise InputError(self._wrong_encoding(failure)) from None
        except csv.Error as failure:
            raise InputError(f"{self.path}: its first line cannot be read ({failure}); is it a text file?") from None
        if not any(name.strip() for name in header):
            raise InputError(f"{self.path} has no first line with the names of its columns; add one")
        return header

    def _read_text(self, needed: list[str], keep: Callable[[str], bool]) -> pa.Table:
        header = self._header()
        names = {name: self._clean_name(name) for name in header}
        self._require([names[name] for name in header], needed)
        try:
            table = self._lines([name for name in header if names[name].strip() and keep(names[name])], self.separator)
            return table.rename_columns([names[name] for name in table.column_names])
        except UnicodeError as failure:
            raise InputError(self._wrong_encoding(failure)) from None
        except pa.ArrowInvalid as failure:
            if "UTF8" in str(failure):
                raise InputError(self._wrong_encoding(None)) from None
            reason = str(failure).removeprefix("CSV parse error: ").partition("\n")[0]
            # pyarrow counts the header as row 1.
            reason = re.sub(r"^Row #(\d+)", lambda row: f"in row {int(row[1]) - 2}", reason)
            raise InputError(
                f"{self.path} cannot be read: {reason[:300]}; every line must have the header's columns, and text that "
                f"holds {self.separator!r} must stand in double quotes"
            ) from None

    def _lines(self, columns: list[str], separator: str) -> pa.Table:
        def read(**options: Any) -> pa.Table:
            encoding = "utf8" if self.codec == "utf-8-sig" else self.codec
            return pa_csv.read_csv(
                self.path,
                read_options=pa_csv.ReadOptions(encoding=encoding, **options),
                parse_options=pa_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
                convert_options=pa_csv.ConvertOptions(
                    include_columns=columns,
                    column_types=dict.fromkeys(columns, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )

        try:
            return read()
        except pa.ArrowInvalid as failure:
            if "straddl" in str(failure):  # a value longer than a block
                return read(block_size=min(self.path.stat().st_size + 1, 2**31 - 1))
            return read(use_threads=False)  # fails again, but knows the row

    def _read_workbook(self, needed: list[str], keep: Callable[[str], bool]) -> pa.Table:
        header, cells = self._cells
        self.require(needed)
        kept = [(place, name) for place, name in enumerate(header) if name.strip() and keep(name)]
        return pa.table({name: _cells.column(cells[place]) for place, name in kept})

    @cached_property
    def _cells(self) -> tuple[list[str], pd.DataFrame]:
        """The names of the columns and the rows below them, each with its place in the sheet."""
        try:
            from python_calamine import CalamineError, CalamineWorkbook
        except ImportError:
            raise ParameterError('workbooks are read by python-calamine: pip install "xifen[report]"') from None
        try:
            with CalamineWorkbook.from_path(self.path) as book:
                names = book.sheet_names
                sheet = names[0] if self.sheet is None else self.sheet
                rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False) if sheet in names else None
        except CalamineError as failure:
            raise InputError(
                f"{self.path} cannot be read as a workbook ({failure}); is it another kind of file?"
            ) from None
        if rows is None:
            near = _core.did_you_mean(sheet, names)
            raise InputError(f"{self.path} has no sheet {sheet!r}; it has: {', '.join(names)}{near}")
        cells = pd.DataFrame(rows, dtype=object)
        cells = cells.where(cells != "", None)
        cells = cells[cells.notna().any(axis=1)]
        if cells.empty:
            raise InputError(f"{self.path} has no first line with the names of its columns; add one")
        return [self._clean_name("" if name is None else str(name)) for name in cells.iloc[0]], cells.iloc[1:]

    def _clean_name(self, name: str) -> str:
        if not self.chinese:
            return name
        return re.sub(r'^="(.*)"$', r"\1", name.strip()).strip()

    # -- errors ------------------------------------------------------------------------------------

    def _wrong_encoding(self, failure: UnicodeError | None) -> str:
        reason = f" ({failure})" if failure else ""
        tried = self.encoding or self.codec
        return f"{self.path} is not {tried}{reason}; {_detect.other_encodings(tried)}"

    def _require(self, found: list[str], wanted: list[str]) -> None:
        """Say what to set when a column is not there or there twice."""
        for name in found:
            if found.count(name) > 1 and name.strip():
                raise InputError(f"{self.path} has {found.count(name)} columns '{name}'; rename all but one")
        missing = [name for name in dict.fromkeys(wanted) if name not in found]
        if missing:
            advice = (
                f"its columns are: {', '.join(map(repr, found))}. {self.naming}"  # in quotes: the caller's own words
            )
            if len(found) == 1:
                advice = f"its first line is one value, {found[0][:60]!r}"
                if self.is_text:
                    advice += f": is {self.separator!r} the delimiter? If not, give it as delimiter="
            raise InputError(absent_columns(str(self.path), missing, found, advice))

    @contextmanager
    def naming_lines(self) -> Iterator[None]:
        """Let errors and warnings about a row say on which line of the file it is, and how the file was read."""
        show = warnings.showwarning
        try:
            with warnings.catch_warnings():
                warnings.showwarning = lambda message, *more, **named: show(
                    self._with_lines(str(message)), *more, **named
                )
                yield
        except XifenError as failure:
            raise type(failure)(self._with_lines(str(failure)) + self._as_found()) from None

    def _as_found(self) -> str:
        try:
            return f" ({self.findings})" if self.findings else ""
        except (XifenError, OSError, UnicodeError):
            return ""

    def _with_lines(self, message: str) -> str:
        """Say beside each row of the data where the file has it."""

        def place(found: re.Match[str]) -> str:
            line = self._line_of(int(found[1]))
            return f"{found[0]} of the data, counted from 0" if line is None else f"{found[0]}, line {line} of the file"

        return re.sub(r"(?:\bin |\bof |\bfirst: |\()row (\d+)\b", place, message)

    def _line_of(self, row: int) -> int | None:
        """The line on which a row of the data begins, None where lines do not tell."""
        if self.kind == "workbook":
            cells = self._cells[1]
            return int(cells.index[row]) + 1 if row < len(cells) else None
        if not self.is_text:
            return None
        try:
            with self.path.open(encoding=self.codec, newline="") as file:
                records = csv.reader(file, delimiter=self.separator)
                begins, number = 1, -1  # the header is no row
                for record in records:
                    if number == row and record:
                        return begins
                    begins, number = records.line_num + 1, number + bool(record)  # an empty line is no row
        except (csv.Error, UnicodeError):
            pass
        return None


def pandas_frame(table: pa.Table) -> pd.DataFrame:
    """Give a pandas frame whose whole numbers stay whole where one is missing."""
    nullable: dict[Any, Any] = {pa.int8(): pd.Int8Dtype(), pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    return table.to_pandas(types_mapper=nullable.get)


def _is_text(values: Any) -> bool:
    return bool(pa.types.is_string(values.type) or pa.types.is_large_string(values.type))


def _is_number(values: Any) -> bool:
    kind = values.type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _first(mask: Any) -> int:
    return int(pc.index(pc.fill_null(mask, False), True).as_py())


def _words(values: Any) -> Any:
    """Trim, and let what stands for a missing value be missing."""
    trimmed = pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.is_in(trimmed, pa.array(_MISSING, trimmed.type)), None, trimmed)


def _inferred(words: Any) -> Any | None:
    """Read plain whole numbers, numbers, truths or ISO dates; None where some value is none. 007 is a text."""
    kinds = (
        (r"^(0|-?[1-9][0-9]{0,14})$", pa.int64()),
        (r"^[-+]?(0|[1-9][0-9]*)?(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?$", pa.float64()),
        (r"^(true|false|True|False|TRUE|FALSE)$", pa.bool_()),
        (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", pa.date32()),
    )
    for pattern, kind in kinds:
        if pc.all(pc.match_substring_regex(words, pattern)).as_py():
            try:
                return words.cast(kind)
            except pa.ArrowInvalid:  # of the form of a number or day, and none: ., 2024-02-30
                return None
    return None


def _numbers(words: Any, name: str, *, chinese: bool) -> Any:
    try:
        return pc.cast(words, pa.float64())
    except pa.ArrowInvalid:
        row = _chinese.first_no_number(words) if chinese else None
        if row is None:
            row = _first_wrong(words, lambda some: pc.cast(some, pa.float64()))
        word = words[row].as_py()[:60]
        wanted = "plain numbers such as 1234.50, without currency signs and thousands separators"
        wanted += "" if re.search("[$€£]", word) else " (or read with chinese=True)"
        if re.fullmatch(r"[-+]?\d[\d. ]*,\d{1,2}", word):
            wanted = "written with a decimal point and without thousands separators, such as 1234.50"
        elif chinese:
            wanted = "numbers such as 1234.50, ¥1,234.50, 12万 or 30%"
        raise InputError(
            f"column '{name}' holds '{word}' in row {row}, which is no number; amounts must be {wanted}"
        ) from None


def _first_wrong(words: Any, cast: Callable[[Any], Any]) -> int:
    first, end = 0, len(words)  # the first word that cannot be cast is among these
    while end - first > 1:
        half = (first + end) // 2
        try:
            cast(words.slice(first, half - first))
            first = half
        except pa.ArrowInvalid:
            end = half
    return first
