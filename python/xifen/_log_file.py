"""The files of the command line: the order log it reads, the customers it writes."""

from __future__ import annotations

import codecs
import csv
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from xifen import _core
from xifen.errors import InputError, ParameterError

# What databases and spreadsheets write for a missing date or amount. An id is missing only when its cell is empty:
# NA and NULL may be what somebody or some place is called.
MISSING = ("", "NA", "N/A", "#N/A", "NULL", "Null", "null", "NaN", "nan", "None", "none")


@dataclass(frozen=True)
class LogFile:
    """An order log in a file, and how to read it."""

    path: Path
    encoding: str = "utf-8"
    delimiter: str | None = None

    @property
    def is_text(self) -> bool:
        """Whether its rows are lines of text."""
        return self.path.suffix.lower() != ".parquet"

    @cached_property
    def codec(self) -> str:
        """The encoding by the name that also skips a byte order mark."""
        try:
            name = codecs.lookup(self.encoding).name
        except LookupError:
            raise ParameterError(
                f"--encoding is {self.encoding!r}, which is none; give utf-8, gb18030 or cp1252 for example"
            ) from None
        return "utf-8-sig" if name == "utf-8" else name

    @cached_property
    def separator(self) -> str:
        r"""The one character between two values; a tab may be written tab or \t."""
        if self.delimiter is None:
            return "\t" if self.path.suffix.lower() == ".tsv" else ","
        given = "\t" if self.delimiter in ("\\t", "tab") else self.delimiter
        if len(given) != 1 or not given.isascii() or given in '"\r\n\0':
            raise ParameterError(
                f"--delimiter is {self.delimiter!r}; wanted one ASCII character such as ';' or '|', or the word tab"
            )
        return given

    def read(self, *, ids: list[str], timestamp: str, amount: str) -> pa.Table:
        """Read the columns of ids, dates and amounts; ids and dates stay text, so that 001 keeps its zeros."""
        wanted = list(dict.fromkeys([*ids, timestamp, amount]))
        if not self.path.is_file():
            raise InputError(f"there is no file {self.path}")
        if self.path.suffix.lower() in (".xlsx", ".xls", ".xlsm", ".ods"):
            raise InputError(f"{self.path} is a workbook, which is not read here; save its sheet as csv or parquet")
        if not self.is_text:
            return self._read_parquet(wanted)
        table = self._read_text(wanted)
        for name in (timestamp, amount):
            words = pc.utf8_trim_whitespace(table[name])
            words = pc.if_else(pc.is_in(words, pa.array(MISSING)), None, words)
            values = self._numbers(words, name) if name == amount else words
            table = table.set_column(table.column_names.index(name), name, values)
        return table

    def _read_parquet(self, wanted: list[str]) -> pa.Table:
        try:
            found = pa_parquet.read_schema(self.path).names
            self._require(found, wanted)
            return pa_parquet.read_table(self.path, columns=wanted)
        except (pa.ArrowException, OSError) as failure:
            reason = str(failure).partition("\n")[0].rstrip(".")
            raise InputError(f"{self.path} cannot be read as parquet ({reason}); is it another kind of file?") from None

    def _read_text(self, wanted: list[str]) -> pa.Table:
        separator = self.separator  # a wrong one is told before the file is opened

        def read(*, use_threads: bool) -> pa.Table:
            encoding = "utf8" if self.codec == "utf-8-sig" else self.codec
            return pa_csv.read_csv(
                self.path,
                read_options=pa_csv.ReadOptions(encoding=encoding, use_threads=use_threads),
                parse_options=pa_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
                convert_options=pa_csv.ConvertOptions(
                    include_columns=wanted,
                    column_types=dict.fromkeys(wanted, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )

        try:
            with self.path.open(encoding=self.codec, newline="") as file:
                header = next(csv.reader(file, delimiter=separator), [])
            if not any(name.strip() for name in header):
                raise InputError(f"{self.path} has no first line with the names of its columns; add one")
            self._require(header, wanted)
            try:
                return read(use_threads=True)
            except pa.ArrowInvalid:
                return read(use_threads=False)  # fails again, but knows the row
        except UnicodeError as failure:
            raise InputError(self._wrong_encoding(failure)) from None
        except csv.Error as failure:
            raise InputError(f"{self.path}: its first line cannot be read ({failure}); is it a text file?") from None
        except pa.ArrowInvalid as failure:
            if "UTF8" in str(failure):
                raise InputError(self._wrong_encoding(None)) from None
            reason = str(failure).removeprefix("CSV parse error: ").partition("\n")[0]
            # pyarrow counts the header as row 1.
            reason = re.sub(r"^Row #(\d+)", lambda row: f"in row {int(row[1]) - 2}", reason)
            raise InputError(
                f"{self.path} cannot be read: {reason}; every line must have the header's columns, and text that holds "
                f"{separator!r} must stand in double quotes"
            ) from None

    def _wrong_encoding(self, failure: UnicodeError | None) -> str:
        reason = f" ({failure})" if failure else ""
        return f"{self.path} is not {self.encoding}{reason}; name its encoding by --encoding, gb18030 or cp1252 for example"

    def _numbers(self, words: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
        try:
            return pc.cast(words, pa.float64())
        except pa.ArrowInvalid:
            first, end = 0, len(words)  # the first word that is no number is among these
            while end - first > 1:
                half = (first + end) // 2
                try:
                    pc.cast(words.slice(first, half - first), pa.float64())
                    first = half
                except pa.ArrowInvalid:
                    end = half
            raise InputError(
                f"column '{name}' holds '{words[first].as_py()[:60]}' in row {first}, which is no number; amounts must "
                "be plain numbers such as 1234.50, without currency signs and thousands separators"
            ) from None

    def _require(self, found: list[str], wanted: list[str]) -> None:
        """Say which option to set when a column is not there or there twice."""
        for name in wanted:
            if found.count(name) == 1:
                continue
            if name in found:
                raise InputError(f"{self.path} has {found.count(name)} columns '{name}'; rename all but one")
            near = _core.did_you_mean(name, found) or ";"
            advice = f"its columns are: {', '.join(found)}. Name yours by --customer, --timestamp and --amount"
            if len(found) == 1:
                advice = f"its first line is one value, {found[0][:60]!r}"
                if self.is_text:
                    advice += f": is {self.separator!r} the delimiter? Set --delimiter"
            raise InputError(f"{self.path} has no column '{name}'{near} {advice}")

    def with_lines(self, message: str) -> str:
        """Say beside each row of the data where the file has it."""

        def place(found: re.Match[str]) -> str:
            line = self._line_of(int(found[1]))
            return f"{found[0]} of the data, counted from 0" if line is None else f"{found[0]}, line {line} of the file"

        return re.sub(r"(?:\bin |\bfirst: |\()row (\d+)\b", place, message)

    def _line_of(self, row: int) -> int | None:
        """The line on which a row of the data begins, None where lines do not tell."""
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


def check_out(out: Path, source: Path | None = None) -> bool:
    """Refuse a name that cannot be written, before any work; tell whether an earlier file is replaced."""
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise InputError(f"{out}: xifen writes .csv and .parquet; give --out such a name")
    if source is not None and out.exists() and source.exists() and out.samefile(source):
        raise InputError(f"--out {out} is the order log itself, which would be lost; give --out another name")
    if out.is_dir():
        raise InputError(f"--out {out} is a directory; give the name of a file in it, such as {out / 'segments.csv'}")
    folder = out.resolve().parent  # where a link leads
    if not folder.is_dir():
        raise InputError(f"--out {out}: there is no directory {folder}; make it, or give --out another name")
    if not os.access(folder, os.W_OK):
        raise InputError(f"--out {out}: the directory {folder} cannot be written; give --out another name")
    return out.exists()


def with_whole_numbers(table: pa.Table) -> pd.DataFrame:
    """Give a pandas frame whose whole numbers stay whole where one is missing."""
    nullable: dict[Any, Any] = {pa.int8(): pd.Int8Dtype(), pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    return table.to_pandas(types_mapper=nullable.get)


def write(table: pa.Table, out: Path) -> None:
    """Write the whole file or none: a temporary name first, then one rename."""
    out = out.resolve()
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    frame = with_whole_numbers(table)
    try:
        if out.suffix.lower() == ".parquet":
            # pandas' own notes in the file bring its whole numbers back whole.
            pa_parquet.write_table(
                pa.Table.from_pandas(frame, schema=table.schema.remove_metadata(), preserve_index=False), temporary
            )
        else:
            frame.to_csv(temporary, index=False, encoding="utf-8-sig")  # the mark lets Excel see Chinese
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
