"""Tables of numbers and categories as the core reads them: numbers side by side, and a code per category and row."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import infer_dtype

from xifen._frame import Frame, is_array
from xifen._warn import warn
from xifen.errors import InputError, ParameterError

__all__ = ["Coded", "Table"]

#: What the core is given: rows of numbers, and codes with one row per column of categories.
Coded = tuple[np.ndarray, np.ndarray]


class Table:
    """A frame or an array of numbers and categories, its columns by position.

    Categories are Python's values and equal as Python has them: 1, 1.0 and True are one category, "1" is another.
    """

    def __init__(self, data: Any, what: str = "frame") -> None:
        self._frame = None if is_array(data) else Frame(data, what)
        if self._frame is None:
            self._array: np.ndarray = data
            self.names: list[Any] = []
            self.rows, self.width = data.shape
            return
        self.names = self._frame.names
        self.rows, self.width = len(self._frame), len(self.names)
        for name, count in Counter(self.names).items():
            if count > 1:
                raise InputError(f"{what} has {count} columns named '{name}'; rename or drop all but one")

    def called(self, position: int) -> str:
        """Name a column in a sentence."""
        return f"column '{self.names[position]}'" if self.names else f"column {position}"

    def numeric(self) -> list[int]:
        """List the columns of numbers; true and false are none."""
        if self._frame is not None:
            numbers = set(self._frame.numeric_names())
            return [position for position, name in enumerate(self.names) if name in numbers]
        if self._array.dtype != object:
            return list(range(self.width)) if self._array.dtype.kind in "iuf" else []
        kinds = ("integer", "floating", "decimal", "mixed-integer-float")
        return [
            position for position in range(self.width) if infer_dtype(self._array[:, position], skipna=True) in kinds
        ]

    def positions(self, categorical: Any) -> list[int]:
        """Find the columns a caller says are categories: by name in a frame, by position in an array."""
        if categorical is None:
            numeric = set(self.numeric())
            return [position for position in range(self.width) if position not in numeric]
        if isinstance(categorical, (str, bytes)) or not isinstance(categorical, Iterable):
            categorical = [categorical]
        wanted = list(categorical)
        known: Sequence[Any] = self.names or range(self.width)
        for name in wanted:
            if isinstance(name, bool) or name not in known:
                if self._frame is not None and isinstance(name, str):
                    self._frame.require([name])
                kind = "columns by name" if self.names else f"column positions from 0 to {self.width - 1}"
                raise ParameterError(f"categorical holds {name!r}; wanted {kind}")
        return [position for position in range(self.width) if known[position] in wanted]

    def numbers(self, positions: Sequence[int]) -> np.ndarray:
        """Give columns as float64, missing as NaN."""
        if not positions:
            return np.empty((self.rows, 0))
        if self._frame is not None:
            names = [self.names[position] for position in positions]
            return self._frame.matrix(names).astype(np.float64, copy=False)
        out = np.empty((self.rows, len(positions)))
        for place, position in enumerate(positions):
            out[:, place] = self._numbers_of(position)
        return out

    def _numbers_of(self, position: int) -> np.ndarray:
        column = self._array[:, position]
        try:
            return column.astype(np.float64, copy=False)
        except (TypeError, ValueError):  # text that is no number, or a missing value that is no float
            pass
        numbers = np.asarray(pd.to_numeric(pd.Series(column, dtype=object), errors="coerce"), dtype=np.float64)
        wrong = np.isnan(numbers) & ~pd.isna(column)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"{self.called(position)} holds {column[row]!r} in row {row}; wanted numbers: "
                "correct it, or name the column in categorical"
            )
        return numbers

    def _column(self, position: int) -> Any:
        return self._array[:, position] if self._frame is None else self._frame.native.iloc[:, position]

    def _factorized(self, position: int) -> tuple[np.ndarray, list[Any]]:
        """Number the values of a column by first appearance; several of them may be one category."""
        if self._frame is not None and self._frame.kind in ("polars", "pyarrow"):
            column = pa.table(self._frame.stream([self.names[position]])).column(0)
            if pa.types.is_string_view(column.type):
                column = column.cast(pa.large_string())
            if not pa.types.is_dictionary(column.type):
                try:
                    column = column.dictionary_encode()
                except pa.ArrowNotImplementedError:
                    raise InputError(
                        f"{self.called(position)} holds {column.type}, which cannot be a category; convert it to text or "
                        "numbers first"
                    ) from None
            chunks = column.unify_dictionaries().combine_chunks()
            chunk = chunks.chunk(0) if isinstance(chunks, pa.ChunkedArray) else chunks
            places, found = pd.factorize(chunk.indices.cast(pa.int64()).fill_null(-1).to_numpy())
            each = [*chunk.dictionary.to_pylist(), None]  # -1 is the last one: missing
            return places, [each[place] for place in found]
        try:
            codes, values = pd.factorize(self._column(position))
            if (codes < 0).any():  # again, with missing values among the others: three times as slow, so not at first
                codes, values = pd.factorize(self._column(position), use_na_sentinel=False)
        except TypeError as failure:
            raise InputError(
                f"{self.called(position)} holds what cannot be a category ({failure}); convert it to text or numbers first"
            ) from None
        return codes, list(values)

    def categories(self, position: int) -> tuple[np.ndarray, list[Any]]:
        """Give the code of each row and the categories, in the order of their first appearance; None is missing."""
        codes, values = self._factorized(position)
        known: dict[Any, int] = {}
        new = [known.setdefault(self._plain(value, position), len(known)) for value in values]
        return np.asarray(new, dtype=np.int32)[codes] if new else codes.astype(np.int32), list(known)

    def _plain(self, value: Any, position: int) -> Any:
        if isinstance(value, np.datetime64):
            value = pd.Timestamp(value)
        elif isinstance(value, np.generic):
            value = value.item()
        if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
            return None
        if isinstance(value, str):
            return str(value)
        if isinstance(value, pd.Timestamp) and not value.nanosecond:
            return value.to_pydatetime()
        if isinstance(value, (float, Decimal)) and not math.isfinite(value):
            raise InputError(f"{self.called(position)} holds {value}; infinity is never data: correct or drop the row")
        if isinstance(value, (bool, int, float, Decimal, dt.date)) and not isinstance(value, pd.Timestamp):
            return value
        raise InputError(
            f"{self.called(position)} holds {value!r} ({type(value).__name__}); a category is text, a number, true or "
            "false, a date or a timestamp of microseconds: convert the column to text first"
        )

    def learn(self, categorical: Sequence[int], missing: str) -> tuple[Coded, list[list[Any] | None]]:
        """Code every row, and tell the categories of each column; None for a column of numbers."""
        coded = [self.categories(position) for position in categorical]
        for position, (codes, values) in zip(categorical, coded, strict=True):
            self._refuse_missing(position, codes, values, missing)
        known: list[list[Any] | None] = [None] * self.width
        for position, (_, values) in zip(categorical, coded, strict=True):
            known[position] = values
        return (self._numbers_but(categorical), _stacked([codes for codes, _ in coded], self.rows)), known

    def code(self, known: Sequence[list[Any] | None], missing: str) -> tuple[Coded, list[tuple[int, Any]]]:
        """Code every row by known categories; -1 for any other, which are told too with their columns."""
        categorical = [position for position, values in enumerate(known) if values is not None]
        stacked, unseen = [], []
        for position in categorical:
            codes, values = self.categories(position)
            self._refuse_missing(position, codes, values, missing)
            places = {value: code for code, value in enumerate(known[position] or ())}
            new = [places.get(value, -1) for value in values]
            unseen += [(position, value) for value, code in zip(values, new, strict=True) if code < 0]
            stacked.append(np.asarray(new, dtype=np.int32)[codes] if new else codes)
        return (self._numbers_but(categorical), _stacked(stacked, self.rows)), unseen

    def warn_of_unseen(self, unseen: Sequence[tuple[int, Any]]) -> None:
        """Say which categories `fit` never saw."""
        if unseen:
            position, value = unseen[0]
            more = f" (and {len(unseen) - 1} more)" if len(unseen) > 1 else ""
            warn(f"{self.called(position)} holds {value!r}{more}, which fit never saw: it differs from every prototype")

    def _numbers_but(self, categorical: Sequence[int]) -> np.ndarray:
        return self.numbers([position for position in range(self.width) if position not in set(categorical)])

    def _refuse_missing(self, position: int, codes: np.ndarray, values: list[Any], missing: str) -> None:
        if missing == "error" and None in values:
            row = int(np.argmax(codes == values.index(None)))
            raise InputError(
                f"{self.called(position)} is missing in row {row}; fill missing values, drop their rows, or make them a "
                "category by missing='category'"
            )


def _stacked(columns: list[np.ndarray], rows: int) -> np.ndarray:
    return np.asarray(columns, dtype=np.int32).reshape(len(columns), rows)
