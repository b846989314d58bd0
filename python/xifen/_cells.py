"""Columns made of the cells of a workbook."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["EXACT", "column"]

#: Where Excel begins to lose digits.
EXACT: Final = 1e15


def column(cells: pd.Series) -> Any:
    """Make the cells of a column one kind: numbers, dates, truths, or text where they are mixed."""
    values = cells.tolist()
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {int, float}:
        whole = all(value is None or (float(value).is_integer() and abs(value) < 2**53) for value in values)
        return pa.array([value if value is None or not whole else int(value) for value in values])
    if kinds and kinds <= {dt.datetime, dt.date}:
        times = pa.array([_midnight(value) for value in values], pa.timestamp("us"))
        days = pc.all(pc.equal(pc.floor_temporal(times, unit="day"), times)).as_py()
        return times.cast(pa.date32()) if days else times
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    return pa.array([None if value is None else _shown(value) for value in values], pa.string())


def _midnight(value: dt.date | None) -> dt.datetime | None:
    return value if value is None or isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())


def _shown(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    return str(value)
