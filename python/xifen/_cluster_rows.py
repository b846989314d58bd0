"""The columns clusters are made of: which hold numbers, which categories, and which rows have them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from xifen._cuts import column_names, known_columns
from xifen._frame import Frame
from xifen.errors import InputError, ParameterError

__all__ = ["Rows", "category_columns", "clusterable", "column_kinds", "different_rows", "read_rows"]


class Rows(NamedTuple):
    """The rows without a missing value: numbers side by side, columns of categories, and which rows these are."""

    values: np.ndarray
    categories: dict[str, np.ndarray]
    known: np.ndarray


def column_kinds(frame: Frame, columns: Sequence[str]) -> dict[str, str]:
    """Tell "number", "flag" (true and false) and "category" apart."""
    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    kinds = {}
    for field in pa.table(frame.stream(columns, kinds_only=True)).schema:
        if pa.types.is_boolean(field.type):
            kinds[field.name] = "flag"
        else:
            kinds[field.name] = "number" if any(test(field.type) for test in numbers) else "category"
    return kinds


def category_columns(frame: Frame, kinds: Mapping[str, str], method: str, categorical: Any) -> list[str]:
    """Name the columns of categories; a method that cannot group by them refuses them."""
    if method != "kprototypes":
        if categorical is not None:
            raise ParameterError(f"categorical is {categorical!r}, but only method='kprototypes' groups by categories")
        for name, kind in kinds.items():
            if kind == "category":
                raise InputError(
                    f"column '{name}' of {frame.what} holds no numbers; convert it, leave it out, or take "
                    "method='kprototypes', which groups by categories too"
                )
        return []
    if categorical is None:
        named = [name for name, kind in kinds.items() if kind != "number"]
    else:
        named = column_names("categorical", categorical)
        known_columns("categorical", named, list(kinds))
    if not named:
        raise InputError("method='kprototypes' found no categories in columns; take 'kmeans' for numbers alone")
    if len(named) == len(kinds):
        raise InputError("method='kprototypes' found no numbers in columns; add some, or use KModes")
    return named


def read_rows(frame: Frame, columns: Sequence[str], categorical: Sequence[str]) -> Rows:
    """Read the columns."""
    frame.require(columns)
    numbers = [name for name in columns if name not in categorical]
    values = frame.matrix(numbers).astype(np.float64, copy=False)
    infinite = np.isinf(values)
    if infinite.any():
        row, column = (int(place) for place in np.argwhere(infinite)[0])
        raise InputError(
            f"column '{numbers[column]}' of {frame.what} is infinite ({values[row, column]}) in row {row}; "
            "infinity is never data: correct or drop the row"
        )
    known = ~np.asarray(np.isnan(values).any(axis=1))
    categories = {}
    if categorical:
        for name, texts in pa.table(frame.stream(categorical)).to_pydict().items():
            categories[name] = np.empty(len(frame), dtype=object)
            categories[name][:] = texts
            known &= ~pd.isna(categories[name])
    return Rows(values[known], {name: column[known] for name, column in categories.items()}, known)


def clusterable(measures: np.ndarray, names: Iterable[str], rows: Rows) -> Any:
    """Give the clusterer numbers alone as an array, numbers and categories as a frame."""
    if not rows.categories:
        return measures
    return pd.DataFrame({**dict(zip(names, measures.T, strict=True)), **rows.categories}, copy=False)


def different_rows(table: Any) -> int:
    """Count the different rows."""
    return len(np.unique(table, axis=0)) if isinstance(table, np.ndarray) else len(table.drop_duplicates())
