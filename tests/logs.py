"""Small nasty order logs: how hypothesis makes them, how they become frames, how results are read back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import strategies as st
from reference import Row, Table

ZONES = ("America/New_York", "Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe", "UTC")
AS_OF = (date(2024, 2, 29), date(2024, 3, 31), date(2024, 11, 3), date(2023, 12, 31))
WINDOWS = ("1D", "7D", "30D", "90D", "1M", "2M", "6M", "12M", "18M")


@dataclass(frozen=True)
class Log:
    """The rows of a log and the Arrow type of each of its columns."""

    rows: list[Row]
    schema: pa.Schema

    def table(self) -> pa.Table:
        """The log as a pyarrow table."""
        return pa.table(
            [pa.array([row[field.name] for row in self.rows], field.type) for field in self.schema], schema=self.schema
        )


def _pandas(log: Log) -> pd.DataFrame:
    return log.table().to_pandas(date_as_object=False, types_mapper={pa.uint64(): pd.UInt64Dtype()}.get)


def _pieces(log: Log) -> pa.Table:
    """Three pieces, each with its own dictionary, one of them beginning inside its buffers."""
    halves = [Log(log.rows[:3], log.schema).table(), Log(log.rows[3:], log.schema).table()]
    return pa.concat_tables([halves[0].slice(0, 1), halves[0].slice(1), halves[1]])


#: How a log becomes each kind of frame.
FRAMES: dict[str, Callable[[Log], Any]] = {
    "pandas": _pandas,
    "pandas-arrow": lambda log: log.table().to_pandas(types_mapper=pd.ArrowDtype),
    "polars": lambda log: pl.from_arrow(log.table()),
    "pyarrow": lambda log: log.table(),
    "pyarrow-pieces": _pieces,
}

ID_KINDS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "int64": (pa.int64(), [-7, 0, 1, 2, 2**40]),
    "int8": (pa.int8(), [-128, 0, 1, 2, 127]),
    "uint64": (pa.uint64(), [0, 1, 2**53 + 1, 2**63 + 5, 2**64 - 1]),
    "text": (
        pa.string(),
        ["001", "1", "", "张三", "a-name-longer-than-sixteen-bytes", "a-name-longer-than-sixteen-bytez"],
    ),
    "long-text": (
        pa.string(),
        ["5f0c2d1e-7b1a-4c7e-9d55-000000000001", "1", f"{'x' * 39}", f"{'x' * 40}", f"{'x' * 50}y", f"{'x' * 50}z"],
    ),
    "category": (pa.dictionary(pa.int32(), pa.string()), ["b", "a", "张三", "10", "9"]),
}

_cents = st.integers(-5_000, 20_000)
AMOUNT_KINDS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "float64": (
        pa.float64(),
        st.one_of(
            _cents.map(lambda cents: cents / 100),
            st.sampled_from([0.0, -0.0, 0.1, 1e16, -1e16, 1.0, 1e-300, -5e-324, 1e300, -1e300, 1e15 + 0.3]),
            st.sampled_from([None, math.nan, math.inf, -math.inf]),
        ),
    ),
    "int64": (pa.int64(), st.one_of(_cents, st.none())),
    "decimal": (pa.decimal128(12, 2), st.one_of(_cents.map(lambda cents: Decimal(cents).scaleb(-2)), st.none())),
}


@st.composite
def moments(draw: st.DrawFn, kind: str) -> date:
    """Points in time crowded around days, months, years and clock changes."""
    as_of = draw(st.sampled_from(AS_OF))
    day = as_of + timedelta(days=draw(st.sampled_from([-800, -366, -365, -181, -90, -89, -31, -30, -29, -7, -1, 0, 1])))
    if kind == "date":
        return day
    clock = draw(st.sampled_from([time(0), time(0, 30), time(5, 30), time(6, 30), time(23, 59, 59, 999999)]))
    if kind == "naive":
        return datetime.combine(day, clock)
    return datetime.combine(day, clock, UTC).astimezone(ZoneInfo(kind))


@st.composite
def logs(draw: st.DrawFn, amount: str | None = None) -> Log:
    """A log of up to 14 rows with ties, returns, gaps, repeated rows, an order_id and a discount column."""
    id_type, ids = ID_KINDS[draw(st.sampled_from(sorted(ID_KINDS)))]
    moment = draw(st.sampled_from(["date", "naive", *ZONES]))
    amount_type, amounts = AMOUNT_KINDS[amount or draw(st.sampled_from(["float64", *sorted(AMOUNT_KINDS)]))]
    discount_type, discounts = draw(
        st.sampled_from([(pa.bool_(), [True, False, None]), (pa.float64(), [0.5, 0.0, -1.0, math.nan, None])])
    )
    row = st.tuples(
        st.sampled_from([*ids, *ids, None]),
        st.one_of(moments(moment), moments(moment), moments(moment), st.none()),
        amounts,
        st.sampled_from(["A", "B", "C", "D", "A", "B", None]),
        st.sampled_from(discounts),
    )
    names = ("customer_id", "timestamp", "amount", "order_id", "discount")
    rows = draw(st.lists(row, min_size=1, max_size=10))
    rows += draw(st.lists(st.sampled_from(rows), max_size=4))
    time_type = {"date": pa.date32(), "naive": pa.timestamp("us")}.get(moment, pa.timestamp("us", moment))
    types = (id_type, time_type, amount_type, pa.string(), discount_type)
    schema = pa.schema(list(zip(names, types, strict=True)))
    return Log([dict(zip(names, values, strict=True)) for values in rows], schema)


def parameters(log: Log) -> st.SearchStrategy[dict[str, Any]]:
    """What order_ledger, clv_table and rfm_table share."""
    zone = getattr(log.schema.field("timestamp").type, "tz", None)
    return st.fixed_dictionaries(
        {
            "as_of": st.sampled_from([*AS_OF, "max"]),
            "returns": st.sampled_from(["net", "net", "exclude"]),
            "duplicates": st.sampled_from(["keep", "drop"]),
            "tz": st.sampled_from([None, *ZONES]) if zone else st.none(),
        }
    )


def plain(frame: Any) -> Table:
    """Any frame as lists of plain values, None where a value is missing, aware times in UTC."""
    if isinstance(frame, pd.DataFrame):
        columns: Mapping[str, Any] = {name: list(column) for name, column in frame.items()}
    else:
        columns = frame.to_dict(as_series=False) if isinstance(frame, pl.DataFrame) else frame.to_pydict()
    return {name: [_plain_value(value) for value in values] for name, values in columns.items()}


def _plain_value(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime()
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo is not None else value
    return value.item() if isinstance(value, np.generic) else value


def assert_table(frame: Any, expected: Table) -> None:
    """The frame has exactly these columns with exactly these values (a date may come back as its midnight)."""
    got = plain(frame)
    assert list(got) == list(expected)
    for name, values in expected.items():
        wanted = values
        if any(isinstance(value, datetime) for value in got[name]):
            wanted = [_midnight(value) for value in values]
        assert got[name] == wanted, name


def _midnight(value: date | None) -> date | None:
    return datetime.combine(value, time()) if isinstance(value, date) and not isinstance(value, datetime) else value
