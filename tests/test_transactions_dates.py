"""Dates that are text: what is read, and what becomes of a row whose text is no date."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from test_transactions_refusals import log, reasons, refusal
from xifen.errors import InputError, ParameterError

USED, MISSING, OUTSIDE = "used", "missing_timestamp", "timestamp_out_of_range"


def left(frame: Any, *warnings: str, **settings: Any) -> int:
    """How many rows are used when the others are dropped, and that the warning says so."""
    with pytest.warns(UserWarning, match="rows left out") as caught:
        table = xf.rfm_table(frame, **{"as_of": "2024-03-31", "invalid": "drop", **settings})
    for words in warnings:
        assert words in str(caught[0].message)
    return int(np.sum(np.asarray(table["row_count"])))


@pytest.mark.parametrize(
    "text", ["01/02/2024", "2024/01/02", "20240102", "2024-1-2", "soon", "2024-01-02T10:00:00 Mars", "2024-01-02x"]
)
def test_text_that_is_not_an_iso_date(text: str) -> None:
    frame = log(timestamp=["2024-01-01", "2024-01-02", text, "2024-01-04"])
    said = "1 row missing_timestamp in column 'timestamp' (first: row 2)"
    refusal(InputError, frame, said, f"row 2 holds '{text}', which is no ISO 8601 date", "date_format='%d/%m/%Y'")
    blank = frame.assign(timestamp=["2024-01-01", "2024-01-02", " ", "2024-01-04"])
    refusal(InputError, blank, said, "row 2 holds ' ', which names no day: fill it in, or make it missing; repair")
    assert reasons(frame) == [USED, USED, MISSING, USED]
    assert left(frame, said) == 3


@pytest.mark.parametrize(
    "text",
    ["2024-02-30", "2024-13-01", "10000-01-01", "2024-01-02 25:00", "2024-01-02T23:59:60", "2024-01-02T10:00+24:00"],
)
def test_a_day_or_time_that_never_was(text: str) -> None:
    frame = log(timestamp=["2024-01-01", "2024-01-02", text, "2024-01-04"])
    said = "1 row timestamp_out_of_range in column 'timestamp' (no day from 1678 to 2261; first: row 2)"
    refusal(InputError, frame, said, f"row 2 holds '{text}', which names no day and time of the years 1678 to 2261")
    assert reasons(frame) == [USED, USED, OUTSIDE, USED]
    assert left(frame, said) == 3


def test_the_first_reason_of_each_row_is_named() -> None:
    """A customer that is missing comes first, and the count is of all rows."""
    frame = log(customer_id=["a", None, "b", None], timestamp=["2024-01-05", "soon", "late", "2024-02-30"])
    assert reasons(frame) == [USED, "missing_customer_id", MISSING, "missing_customer_id"]
    refusal(
        InputError, frame, "2 rows missing_customer_id in column 'customer_id' (first: row 1), 1 row missing_timestamp"
    )


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas])
@pytest.mark.parametrize(("text", "reason"), [("31/12/2024", MISSING), ("2024-02-30", OUTSIDE)])
def test_a_log_without_a_date(kind: Callable[..., Any], text: str, reason: str) -> None:
    """Bad rows are counted, all of them too: the ledger never refuses them."""
    frame = kind(log(timestamp=[text] * 4))
    for as_of in ("2024-03-31", "max"):
        assert list(map(str, reasons(frame, as_of=as_of))) == [reason] * 4
        refusal(InputError, frame, f"4 rows {reason}", f"row 0 holds '{text}'", as_of=as_of)
    assert left(frame, f"4 rows {reason}") == 0
    with pytest.raises(InputError, match=f"'max' needs a purchase.*4 rows {reason}"):
        xf.rfm_table(frame, as_of="max", invalid="drop")


def test_offsets_beside_none() -> None:
    """Nobody knows when a time without an offset was, where others have one: what most have counts, in any order."""
    times = ["2024-01-05T00:00:00+08:00", "2024-01-06", "2024-01-07T00:00+08:00", None]
    want = [USED, MISSING, USED, MISSING]
    refusal(
        InputError,
        log(timestamp=times),
        "2 rows missing_timestamp",
        "row 1 has no offset from UTC, but row 0 and most have one",
    )
    assert reasons(log(timestamp=times)) == want
    assert reasons(log(timestamp=times[::-1])) == want[::-1]
    assert left(log(timestamp=times), "write all of them one way") == 2
    few = ["2024-01-05", "2024-01-06", "2024-01-07T00:00+08:00", "9999-01-01T00:00+09:00"]
    assert reasons(log(timestamp=few)) == [USED, USED, MISSING, OUTSIDE]
    refusal(InputError, log(timestamp=few), "row 2 has an offset from UTC, but row 0 and most have none")
    even = log(timestamp=["2024-01-05T00:00+08:00", "2024-01-06", None, None])
    refusal(InputError, even, "row 1 has no offset from UTC, but row 0 has one: write")
    # a row that cannot be used says nothing about the others
    beyond = log(timestamp=["2024-01-05T00:00+08:00", "2024-01-06T00:00+08:00", None, "9999-01-01T00:00+09:00"])
    assert reasons(beyond) == [USED, USED, MISSING, OUTSIDE]
    changing = log(timestamp=["2024-01-05T00:00:00+08:00", "2024-01-06T00:00:00+09:00", None, None])
    with pytest.raises(InputError, match="changes its offset from UTC in row 1; say with tz="):
        xf.order_ledger(changing, as_of="2024-03-31")
    assert reasons(changing, tz="Asia/Shanghai") == [USED, USED, MISSING, MISSING]


def test_a_ledger_needs_no_purchase() -> None:
    assert reasons(log(amount=[-1.0, np.nan, -2.0, np.inf]), as_of="max") == [
        "used", "missing_amount", "used", "non_finite_amount",
    ]  # fmt: skip


def test_date_format_that_does_not_fit() -> None:
    frame = log(timestamp=["05.01.2024", "20.01.2024", "2024-02-29", "01.03.2024"])
    words = ("'2024-02-29'", "date_format='%d.%m.%Y'", "example %d/%m/%Y")
    refusal(InputError, frame, "1 row missing_timestamp", "row 2", *words, date_format="%d.%m.%Y")
    numbers = log(timestamp=[20240105, 20240120.5, np.nan, 20240301])
    assert reasons(numbers, date_format="%Y%m%d") == [USED, MISSING, MISSING, USED]
    refusal(InputError, numbers, "row 1 holds '20240120.5'", date_format="%Y%m%d")


@pytest.mark.parametrize("date_format", ["%Y-%m", "%H:%M", "%Y", "dd.mm.yyyy", "", "%d %B"])
def test_a_format_without_a_day(date_format: str) -> None:
    refusal(
        ParameterError,
        log(timestamp="2024-01-05"),
        f"date_format='{date_format}' names no day",
        date_format=date_format,
    )


def test_a_year_of_two_digits_is_told_its_directive() -> None:
    words = (
        "row 0 holds '31/12/24', which names no day and time of the years 1678 to 2261",
        "(%y reads a year of two digits)",
    )
    refusal(InputError, log(timestamp="31/12/24"), *words, date_format="%d/%m/%Y")
    assert reasons(log(timestamp="31/12/23"), date_format="%d/%m/%y") == [USED] * 4
    with pytest.raises(InputError, match="1678 to 2261") as caught:
        xf.rfm_table(log(timestamp="30/02/2024"), as_of="max", date_format="%d/%m/%Y")
    assert "%y" not in str(caught.value)


@pytest.mark.parametrize("date_format", ["%Y-%m-%d %M", "%F%.f", "%F %3f"])
def test_a_format_without_the_hour(date_format: str) -> None:
    refusal(ParameterError, log(timestamp="2024-01-05"), "reads parts of a time without", date_format=date_format)


@pytest.mark.parametrize("date_format", ["%!", "%", "%Y-%m-%d %E", "%Y-%m-%d %Q"])
def test_a_format_nobody_reads(date_format: str) -> None:
    refusal(ParameterError, log(timestamp="2024-01-05"), "a directive that reads no dates", date_format=date_format)


def test_seconds_since_1970() -> None:
    """`%s` names an instant: days are those of UTC, or of tz."""
    late = 1_704_481_200  # 2024-01-05T19:00:00Z
    for times in ([late] * 4, [str(late)] * 4):
        table = xf.rfm_table(log(timestamp=times), as_of="2024-01-06", date_format="%s")
        assert table["recency_days"].tolist() == [1, 1, 1]
        table = xf.rfm_table(log(timestamp=times), as_of="2024-01-06", date_format="%s", tz="Asia/Shanghai")
        assert table["recency_days"].tolist() == [0, 0, 0]
        assert str(table["last_purchase"].dtype.tz) == "Asia/Shanghai"
