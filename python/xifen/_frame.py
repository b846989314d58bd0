"""The frame door: every table enters and leaves here, and nothing else imports narwhals.

A frame is pandas, polars, a pyarrow Table or a dict of arrays. It is looked at once: columns are handed to
Rust as an Arrow stream without copying what need not be copied, and results come back as columns of the
caller's own kind. The caller's frame is never changed and never deep-copied.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import narwhals.stable.v2.dependencies as known
import numpy as np
import pandas as pd
import pyarrow as pa

from xifen import _core
from xifen._equality import as_integers, codes, is_read
from xifen._results import NAT, Column, dictionary, to_arrow, to_pandas, to_polars, with_missing
from xifen.errors import InputError

__all__ = ["Frame", "as_kind", "is_array"]

Kind = Literal["pandas", "polars", "pyarrow", "dict"]

#: What to do about a thing that could become a frame, by library and class.
NEXT_STEPS = {
    "polars.LazyFrame": "call .collect() first",
    "dask.DataFrame": "call .compute() first",
    "pyspark.DataFrame": "bring it into memory with .toPandas() first",
    "duckdb.DuckDBPyRelation": "call .to_arrow_table() first",
    "pyarrow.RecordBatch": "wrap it with pyarrow.Table.from_batches([...]) first",
    "pyarrow.RecordBatchReader": "call .read_all() first",
    "numpy.ndarray": "an array has no column names: give a frame or a dict of arrays",
}


class Frame:
    """A caller's table: its kind, its column names, its columns for Rust, and the way back.

    Parameters
    ----------
    data : pandas.DataFrame, polars.DataFrame, pyarrow.Table or dict of arrays
    what : str
        What to call it in an error, "orders" for example.
    """

    def __init__(self, data: Any, what: str = "frame") -> None:
        self.what = what
        self.native, self.kind = _recognise(data, what)
        names = list(self.native.column_names if self.kind == "pyarrow" else self.native.columns)
        if isinstance(names and names[0], tuple):
            raise InputError(f"{what} has several levels of column names; join them to one name per column first")
        self.names: list[Any] = names
        self.absent: list[str] = []

    def __len__(self) -> int:
        return len(self.native)

    # -- towards Rust ------------------------------------------------------------------------------

    def require(self, names: Iterable[str]) -> None:
        """Raise InputError naming the columns that are absent, each with its nearest name, or one that stands twice."""
        missing = []
        for name in names:
            if not isinstance(name, str):
                raise TypeError(f"a column name must be text; got {name!r}")
            if name in self.absent:
                continue
            if self._require_once(name) == 0 and name not in missing:
                missing.append(name)
        if missing:
            shown = ", ".join(f"'{name}'" for name in self.names[:20]) + (", ..." if len(self.names) > 20 else "")
            if self.kind == "pandas" and missing[0] in self.native.index.names:
                shown += "; it is the name of an index: call .reset_index() first"
            raise InputError(absent_columns(self.what, missing, self.names, f"its columns are: {shown or 'none'}"))

    def _require_once(self, name: Any) -> int:
        count = self.names.count(name)
        if count > 1:
            raise InputError(f"{self.what} has {count} columns named '{name}'; rename or drop all but one")
        return count

    def allow_absent(self, names: Iterable[str]) -> None:
        """Let these columns count as missing in every row where the frame has none of that name (see `absent`)."""
        self.absent = [name for name in names if name not in self.names]

    def stream(
        self,
        names: Sequence[str],
        *,
        kinds_only: bool = False,
        with_nat: bool = False,
        compared: Sequence[Any] = (),
    ) -> Any:
        """Columns in the order asked for, as an object with ``__arrow_c_stream__``.

        With `kinds_only` rows may be left out where the columns' kinds are known without them. With `with_nat` the
        reader knows NaT among the values; otherwise they are looked for and become nulls. Of the columns `compared`,
        which follow, it matters only which of their values are equal, so they may be of any kind and any name.
        """
        if compared:
            for name in compared:
                self._require_once(name)
            table = pa.table(self.stream(names, with_nat=with_nat))
            for name in compared:
                table = table.append_column(str(name), self._compared(name, with_nat))
            return table
        names = list(names)
        self.require(names)
        if self.absent and not set(self.absent).isdisjoint(names):
            there = [name for name in names if name not in self.absent]
            columns = pa.table(self.stream(there, kinds_only=kinds_only, with_nat=with_nat)) if there else {}
            missing = pa.nulls(len(columns) if there else len(self))
            return pa.table({name: columns[name] if name in there else missing for name in names})
        if self.kind == "polars":
            table = self.native[names] if names else self.native.select()  # [[]] would be no rows
            kinds = [kind.base_type().__name__ for kind in table.dtypes]  # an Enum's own text lists its categories
            for name, kind in zip(names, kinds, strict=True):
                if kind in ("Object", "Int128", "UInt128"):  # Arrow has no such kinds
                    raise InputError(_unknown(self.what, name, kind))
            # polars exports a column without a kind in a way that arrow-rs refuses; pyarrow's way is understood.
            return table.to_arrow() if "Null" in kinds else table
        if self.kind == "pyarrow":
            table = self.native.select(names)
        else:
            table = pa.table({name: self._arrow(name, kinds_only, with_nat) for name in names})
        for field in table.schema:
            if isinstance(field.type, pa.BaseExtensionType):  # its storage alone would be read as what it is not
                shown = field.type if self.kind == "pyarrow" else self.native[field.name].dtype
                raise InputError(_unknown(self.what, field.name, shown))
        return table

    def matrix(self, names: Sequence[str] | None = None) -> np.ndarray:
        """Put columns (None: all) side by side: float32 where every one is, else float64; missing is NaN."""
        if len(set(self.names)) < len(self.names):
            for name in self.names:
                self._require_once(name)
        table = self.native
        if names is not None:
            table = table.select(names) if self.kind == "pyarrow" else table[list(names)]
        kinds = [str(kind).lower() for kind in (table.schema.types if self.kind == "pyarrow" else table.dtypes)]
        for name, kind in zip(self.names if names is None else names, kinds, strict=True):
            if not re.match(r"u?int\d|float|double|halffloat|decimal|bool", kind):
                raise InputError(
                    f"column '{name}' of {self.what} holds {kind}; wanted numbers: convert it, or leave it out"
                )
        wanted = np.float32 if kinds and set(kinds) <= {"float32", "float"} else np.float64
        if self.kind in ("pandas", "dict"):
            array: np.ndarray = table.to_numpy(dtype=wanted, na_value=np.nan)
            return array
        columns = table.columns if self.kind == "pyarrow" else table.get_columns()
        out = np.empty((len(self), len(columns)), dtype=wanted, order="F")
        for place, column in enumerate(columns):
            out[:, place] = column.to_numpy()
        return out

    def take(self, rows: np.ndarray) -> Any:
        """Give these rows of the caller's table, by position, as often as they are named."""
        if self.kind in ("pandas", "dict"):
            return self.native.iloc[rows]
        return self.native[rows] if self.kind == "polars" else self.native.take(rows)

    def _arrow(self, name: str, kinds_only: bool, with_nat: bool) -> pa.Array | pa.ChunkedArray:
        column = self.native[name]
        if column.dtype in (np.float32, np.float64) and len(column) and pd.isna(column.iloc[0]) and column.isna().all():
            return pa.nulls(0 if kinds_only else len(column))  # NaN is what an empty column of any kind is read as
        if kinds_only and column.dtype.kind != "O":  # what objects are, only their values say
            column = column.iloc[:0]
        values = column.to_numpy() if isinstance(column.dtype, (np.dtype, pd.SparseDtype)) else column.array
        try:
            array = _from_pandas(values, with_nat=with_nat)
            return array[:0] if kinds_only else array
        except (pa.ArrowException, TypeError, OverflowError, ValueError) as failure:
            raise InputError(_unreadable(self.what, name, values, failure)) from None

    def _compared(self, name: Any, with_nat: bool) -> pa.Array | pa.ChunkedArray:
        """Give a column as it is where Rust can read it, otherwise as numbers that are equal where its values are."""
        column = self.native[name]
        array = None
        try:
            if self.kind == "pyarrow":
                array = column
            elif self.kind == "polars":
                array = column.to_arrow() if column.dtype.is_nested() else pa.table(self.stream([name])).column(0)
            else:
                array = self._arrow(name, kinds_only=False, with_nat=with_nat)
                if column.dtype.kind == "O" and not isinstance(column.dtype, pd.ArrowDtype) and not is_read(array.type):
                    array = None  # Arrow may keep less than the objects hold
        except InputError:
            pass  # its kind, or its kinds
        array = None if array is None else as_integers(array)
        if array is not None and is_read(array.type):
            return array
        values = column.to_list() if array is None else array.to_pylist()
        try:
            return pa.array(codes(values), pa.int64())
        except TypeError:
            kinds = sorted({type(value).__name__ for value in values})
            raise InputError(
                f"column '{name}' of {self.what} holds {', '.join(kinds)}, of which some cannot be compared, and "
                "duplicates are equal in every column; drop it first"
            ) from None

    def numeric_names(self) -> list[str]:
        """List the columns that hold numbers, as Python objects too (booleans do not count)."""
        if self.kind == "polars":
            return [name for name, dtype in self.native.schema.items() if dtype.is_numeric()]
        if self.kind == "pyarrow":
            numeric = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
            return [field.name for field in self.native.schema if any(test(field.type) for test in numeric)]
        from pandas.api.types import infer_dtype, is_bool_dtype, is_numeric_dtype

        objects = ("decimal", "integer", "floating", "mixed-integer-float")
        return [
            name
            for name, column in self.native.items()
            if (is_numeric_dtype(column) and not is_bool_dtype(column))
            or (column.dtype == object and infer_dtype(column, skipna=True) in objects)
        ]

    # -- back to the caller ------------------------------------------------------------------------

    def new(
        self, columns: Mapping[str, Column], like: Mapping[str, str] | None = None, *, same_rows: bool = False
    ) -> Any:
        """Build a table of the caller's kind; `like` names, for a column, the caller's column whose type it takes.

        With `same_rows` the table has the caller's rows, and so its index.
        """
        like = like or {}
        if self.kind in ("pandas", "dict"):
            made = {name: self._pandas(column, like.get(name)) for name, column in columns.items()}
            return pd.DataFrame(made, index=self.native.index if same_rows else None, copy=False)
        return self._native(columns, like)

    def by_customer(
        self, customer_id: str, columns: Mapping[str, Column], like: Mapping[str, str] | None = None
    ) -> Any:
        """Build a table with one row per customer; its first column, the ids, takes the caller's name and type."""
        (_, ids), *others = columns.items()
        if customer_id in dict(others):
            raise InputError(
                f"the id column is called '{customer_id}', as one of the columns to be added is; rename it first"
            )
        # Whole floats come back as int64: that is what they are.
        own = {} if isinstance(ids, np.ndarray) and self.holds_floats(customer_id) else {customer_id: customer_id}
        return self.new({customer_id: ids, **dict(others)}, like={**own, **(like or {})})

    def holds_floats(self, name: str) -> bool:
        column = self.native[name]
        if self.kind == "pyarrow":
            return bool(pa.types.is_floating(column.type))
        if self.kind == "polars":
            return bool(column.dtype.is_float())
        return bool(pd.api.types.is_float_dtype(column.dtype))

    def add(self, columns: Mapping[str, Column]) -> Any:
        """Give the caller's table with these columns behind its own; a name it already has is an InputError."""
        for name in columns:
            if name in self.names:
                raise InputError(
                    f"{self.what} already has a column '{name}'; drop it, or give the added column another name by output="
                )
        if self.kind in ("pandas", "dict"):
            out = self.native.copy(deep=False)
            for name, column in columns.items():
                # As a Series with the frame's own index it is taken over; an array would be copied.
                out[name] = pd.Series(self._pandas(column, None), index=out.index, copy=False)
            return out
        table = self._native(columns, {})
        if self.kind == "polars":
            return self.native.hstack(table)  # no query to plan, as with_columns would
        out = self.native
        for name in table.column_names:
            out = out.append_column(table.schema.field(name), table.column(name))
        return out

    def _native(self, columns: Mapping[str, Column], like: Mapping[str, str]) -> Any:
        if self.kind == "polars":
            return self._polars(columns, like)
        arrays = {name: to_arrow(column) for name, column in columns.items()}
        for name, source in like.items():
            wanted = self.native.schema.field(source).type
            if not pa.types.is_null(wanted):  # else no value ever had a kind to take
                array = arrays[name].dictionary_encode() if pa.types.is_dictionary(wanted) else arrays[name]
                arrays[name] = array.cast(wanted)
        return pa.table(arrays)

    def _polars(self, columns: Mapping[str, Column], like: Mapping[str, str]) -> Any:
        import polars as pl

        out = pl.DataFrame([to_polars(name, column) for name, column in columns.items()])
        if not like:
            return out  # casting nothing would plan a query
        kinds: dict[str, Any] = {}
        for name, source in like.items():
            kind = self.native.schema[source]
            if isinstance(kind, pl.Enum):  # an id from elsewhere (customers=) becomes one more category
                more = out[name].drop_nulls().unique(maintain_order=True)
                kind = pl.Enum(pl.concat([kind.categories, more.filter(~more.is_in(kind.categories))]))
            if kind != pl.Null:
                kinds[name] = kind
        return out.with_columns(pl.col(name).cast(kind) for name, kind in kinds.items() if out.schema[name] != kind)

    def _pandas(self, column: Column, like: str | None) -> Any:
        values = to_pandas(column)
        if like is not None:
            wanted = self.native[like].dtype
            if isinstance(wanted, pd.CategoricalDtype):
                # A value from elsewhere (customers=) becomes one more category; astype would lose it.
                more = pd.Index(values).difference(wanted.categories)
                return pd.Categorical(values, wanted.categories.append(more), ordered=wanted.ordered)
            if values.dtype != wanted:
                values = pd.Series(values, copy=False).astype(wanted).array
        return values


def is_array(data: Any) -> bool:
    """Whether this is an array, or a list that could become one: values by position, without column names."""
    if hasattr(
        data, "tocsr"
    ):  # sparse; one of scipy's formats is a dict; scikit-learn's check of arrays has the words for all of them
        return True
    return not isinstance(data, Mapping) and not any(hasattr(type(data), name) for name in ("columns", "schema"))


def absent_columns(where: str, absent: Sequence[str], found: Iterable[Any], advice: str) -> str:
    """Say that columns are not there, each with the nearest name that is."""
    texts = [name for name in found if isinstance(name, str)]
    near = [_core.did_you_mean(name, texts) for name in absent]
    if len(absent) == 1:
        return f"{where} has no column '{absent[0]}'{near[0] or ';'} {advice}"
    named = [
        f"'{name}'" + (f" ({like.removeprefix('; ')})" if like else "") for name, like in zip(absent, near, strict=True)
    ]
    *others, last = named
    return f"{where} has no columns {', '.join(others)} and {last}; {advice}"


def as_kind(data: Any, kind: str) -> Any:
    """Give the same table as a pandas or polars DataFrame; itself when it already is one."""
    frame = Frame(data)
    if frame.kind == kind:
        return data
    if kind == "pandas":
        return frame.native if frame.kind == "dict" else frame.native.to_pandas()
    import polars as pl

    return pl.from_arrow(frame.native) if frame.kind == "pyarrow" else pl.from_pandas(frame.native)


def _recognise(data: Any, what: str) -> tuple[Any, Kind]:
    if known.is_pandas_dataframe(data):
        return data, "pandas"
    if known.is_polars_dataframe(data):
        return data, "polars"
    if known.is_pyarrow_table(data):
        return data, "pyarrow"
    if isinstance(data, Mapping):
        return _from_mapping(data, what), "dict"
    library = type(data).__module__.split(".")[0].lstrip("_")
    got = type(data).__qualname__ if library == "builtins" else f"{library}.{type(data).__qualname__}"
    advice = NEXT_STEPS.get(got, "give a pandas or polars DataFrame, a pyarrow Table or a dict of arrays")
    article = "an" if got[0] in "aeiou" else "a"
    raise TypeError(f"{what} is {article} {got}, not a frame in memory; {advice}")


def _from_mapping(data: Mapping[Any, Any], what: str) -> pd.DataFrame:
    lengths = {name: len(values) for name, values in data.items() if np.ndim(values) == 1}
    for name, values in data.items():
        if name not in lengths:
            raise InputError(f"{what}['{name}'] has {np.ndim(values)} dimensions; wanted one value per row")
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"'{name}': {length}" for name, length in lengths.items())
        raise InputError(f"the arrays of {what} have different lengths ({shown}); wanted one value per row in each")
    return pd.DataFrame(dict(data), copy=False)


def _unreadable(what: str, name: str, values: Any, failure: Exception) -> str:
    """Say which row of an object column does not fit the others."""
    where = f"column '{name}' of {what}"
    first = ""
    ends: dict[bool, str] = {}
    for row, value in enumerate(values if values.dtype == object or isinstance(values, pd.Categorical) else ()):
        if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
            continue
        kind = _kind_of(value)
        first = first or kind
        if kind != first:
            return (
                f"{where} mixes kinds: row {row} holds {value!r} ({kind}), earlier rows {first}; "
                "convert the column to one kind first"
            )
        if isinstance(value, int) and not NAT <= value < 2**64:
            return f"{where} holds {value} in row {row}, which does not fit 64 bits; write ids as text, amounts as floats or Decimal"
        if isinstance(value, int) and (value < 0 or value >= 2**63):
            ends[value < 0] = f"{value} in row {row}"
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            return f"{where} holds {value!r} in row {row}, which is half a character; repair the text, or leave it out"
    if len(ends) > 1:
        return f"{where} holds {' and '.join(ends.values())}, which no kind of 64 bits holds both; write the column as text"
    why = "" if isinstance(failure, pa.ArrowNotImplementedError) else f" ({failure})"  # Arrow's numbers of types
    return f"{where} holds {values.dtype}, which cannot be read{why}; convert it to numbers, text, dates or true/false first"


def _unknown(what: str, name: str, kind: Any) -> str:
    return f"column '{name}' of {what} holds {kind}; wanted numbers of up to 64 bits, text, dates, timestamps or true/false: convert it first"


def _kind_of(value: Any) -> str:
    if not isinstance(value, dt.datetime):
        return type(value).__name__
    return "datetime without a zone" if value.tzinfo is None else f"datetime in {value.tzinfo}"


def _mixed_times(values: np.ndarray) -> bool:
    """Whether objects are dates beside datetimes, or of several zones: Arrow would read all of them like the first."""
    zones = {value.tzinfo for value in values if isinstance(value, dt.datetime) and value is not pd.NaT}
    return len(set(map(str, zones))) > 1 or (len(zones) > 0 and dt.date in set(map(type, values)))


def _from_pandas(values: Any, *, with_nat: bool = False) -> pa.Array | pa.ChunkedArray:
    """Borrow what numpy or pandas holds; NaN stays as it is, the core counts it as missing."""
    if isinstance(values, np.ndarray):
        if not values.dtype.isnative:
            values = values.astype(values.dtype.newbyteorder("="))
        unit = np.datetime_data(values.dtype)[0] if values.dtype.kind == "M" else None
        if unit in ("s", "ms", "us", "ns") and values.flags.c_contiguous:
            numbers = values.view(np.int64)
            if with_nat or not len(numbers) or numbers.min() != NAT:  # otherwise pa.array copies, with nulls for NaT
                return pa.Array.from_buffers(pa.timestamp(unit), len(values), [None, pa.py_buffer(numbers)])
        try:
            array = pa.array(values, from_pandas=values.dtype.kind not in "iufbMm")
        except OverflowError:  # Arrow takes integers of Python to be int64
            array = pa.array(values, pa.uint64(), from_pandas=True)
        except (pa.ArrowInvalid, TypeError):
            if not any(isinstance(value, Decimal) and value.is_infinite() for value in values):
                raise
            # No decimal of Arrow is infinite, but a float is: the core then names its row, or counts it.
            array = pa.array(values.astype(np.float64), from_pandas=True)
        if values.dtype == object and pa.types.is_temporal(array.type) and _mixed_times(values):
            raise TypeError("its times are of several kinds")
        return array
    if isinstance(values, (pd.arrays.IntegerArray, pd.arrays.FloatingArray)):
        # pandas gives numbers with missing ones away, and says which these are, only as copies.
        numbers, missing = values._data, values._mask  # noqa: SLF001
        return with_missing(numbers, missing if missing.any() else None)
    if isinstance(values, pd.Categorical):
        each = values.categories
        return dictionary(values.codes, _from_pandas(each.to_numpy() if each.dtype == object else each))
    return pa.array(values, from_pandas=True)
