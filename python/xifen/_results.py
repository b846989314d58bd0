"""What a result column is before it takes the caller's kind, and how it becomes numpy's, Arrow's, pandas' or polars'.

Values are taken over as they stand wherever the other library can hold them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

__all__ = [
    "NAT",
    "Column",
    "Labels",
    "Masked",
    "Times",
    "as_array",
    "dictionary",
    "to_arrow",
    "to_pandas",
    "to_polars",
    "with_missing",
]

NAT = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Masked:
    """Whole numbers or booleans, with the rows that are missing (None: no row is)."""

    values: np.ndarray
    missing: np.ndarray | None = None


@dataclass(frozen=True)
class Labels:
    """One of a few declared texts per row, as a code into `categories`; -1 is missing.

    `ordered` labels run from worst to best, and pandas compares and sorts them so; a polars Enum always does.
    """

    codes: np.ndarray
    categories: Sequence[str]
    ordered: bool = False


@dataclass(frozen=True)
class Times:
    """Points in time as int64 since 1970-01-01 in `unit` ("D" is a calendar date); the smallest int64 is missing."""

    values: np.ndarray
    unit: Literal["D", "s", "ms", "us", "ns"]
    zone: str | None = None


#: What a result column is before it takes the caller's kind. A plain float array says missing by NaN.
Column: TypeAlias = np.ndarray | Masked | Labels | Times | pa.Array


def as_array(columns: Mapping[str, Column]) -> np.ndarray:
    """Put columns side by side: float64 with NaN, or objects with None when there are labels."""
    plain: list[np.ndarray] = []
    for column in columns.values():
        if isinstance(column, Labels):
            plain.append(np.asarray([*column.categories, None], dtype=object)[column.codes])
        elif isinstance(column, Masked):
            values = column.values.astype(np.float64)
            if column.missing is not None:
                values[column.missing] = np.nan
            plain.append(values)
    return np.column_stack(plain)


def dictionary(codes: np.ndarray, categories: pa.Array, ordered: bool = False) -> pa.DictionaryArray:
    # In range: the codes are ours, or pandas'.
    places = with_missing(codes, _negative(codes))
    return pa.DictionaryArray.from_arrays(places, categories, ordered=ordered, safe=False)


def with_missing(values: np.ndarray, missing: np.ndarray | None) -> pa.Array:
    """Borrow numbers; pa.array(mask=) gives the same, but makes the bits of the mask one by one."""
    if missing is None:
        return pa.array(values)
    present = pa.py_buffer(~np.packbits(missing, bitorder="little"))
    numbers = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [present, numbers])


def _negative(codes: np.ndarray) -> np.ndarray | None:
    """Which codes are missing; None when none is."""
    return codes < 0 if len(codes) and codes.min() < 0 else None


def _any(missing: np.ndarray) -> np.ndarray | None:
    return missing if missing.any() else None


@functools.lru_cache(maxsize=32)  # a new one costs more than a thousand labels do
def _categorical(categories: tuple[str, ...], ordered: bool) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(list(categories), ordered)


@functools.lru_cache(maxsize=32)
def _enumeration(categories: tuple[str, ...]) -> Any:
    import polars as pl

    return pl.Series(categories, dtype=pl.Enum(categories))


def to_arrow(column: Column) -> pa.Array:
    if isinstance(column, Masked):
        if column.values.dtype == bool:
            return pa.array(column.values, mask=column.missing)
        return with_missing(column.values, column.missing)
    if isinstance(column, Labels):
        return dictionary(column.codes, pa.array(list(column.categories), pa.large_string()), column.ordered)
    if isinstance(column, Times):
        kind = pa.date32() if column.unit == "D" else pa.timestamp(column.unit, column.zone)
        values = column.values.astype(np.int32) if column.unit == "D" else column.values
        return with_missing(values, _any(column.values == NAT)).view(kind)
    if isinstance(column, np.ndarray) and column.dtype.kind == "f":
        return with_missing(column, _any(np.isnan(column)))
    if isinstance(column, np.ndarray):
        return pa.array(column, from_pandas=True)
    return column


def to_polars(name: str, column: Column) -> Any:
    import polars as pl

    if isinstance(column, Labels):
        # Picked from the categories in their own order, on all processors: an Arrow dictionary is read on one.
        codes = column.codes.view(f"u{column.codes.itemsize}")
        places = pl.Series(with_missing(codes, _negative(column.codes)))
        return _enumeration(tuple(column.categories))[places].alias(name)  # gather() would plan a query
    return pl.Series(name, to_arrow(column))


def to_pandas(column: Column) -> Any:
    if isinstance(column, Masked):
        missing = column.missing if column.missing is not None else np.zeros(len(column.values), dtype=bool)
        array = pd.arrays.BooleanArray if column.values.dtype == bool else pd.arrays.IntegerArray
        return array(column.values, missing)
    if isinstance(column, Labels):
        # Ours are in range.
        kind = _categorical(tuple(column.categories), column.ordered)
        return pd.Categorical.from_codes(column.codes, dtype=kind, validate=False)
    if isinstance(column, Times):
        unit = "s" if column.unit == "D" else column.unit
        values = np.where(column.values == NAT, NAT, column.values * 86_400) if column.unit == "D" else column.values
        times = pd.DatetimeIndex(values.view(f"M8[{unit}]"), copy=False)
        return (times.tz_localize("UTC").tz_convert(column.zone) if column.zone else times).array
    if isinstance(column, pa.Array):
        # As Python objects decimals would be slow and of no declared scale, and lists would become numpy arrays.
        kept = pa.types.is_decimal(column.type) or pa.types.is_list(column.type)
        return pd.arrays.ArrowExtensionArray(column) if kept else column.to_pandas().array
    return column
