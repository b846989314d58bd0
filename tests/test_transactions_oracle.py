"""Small nasty logs: every column of every table equals the slow and obvious computation, in every kind of frame."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import reference
import xifen as xf
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from logs import FRAMES, ID_KINDS, WINDOWS, Log, assert_table, logs, parameters, plain
from xifen.errors import InputError

kinds = st.sampled_from(sorted(FRAMES))
quick = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def run(function: Callable[..., Any], frame: Any, **settings: Any) -> Any:
    """Call it on a log with bad rows, whose counts it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(frame, invalid="drop", **settings)


def assert_agrees(
    function: Callable[..., Any], oracle: Callable[..., Any], log: Log, kind: str, **settings: Any
) -> None:
    """Both give the same table, or both find no purchase to take as_of="max" from."""
    frame = FRAMES[kind](log)
    try:
        expected = oracle(log.rows, **settings)
    except ValueError:
        assert settings["as_of"] == "max"
        with pytest.raises(xf.errors.XifenError, match="as_of"):
            run(function, frame, **settings)
    else:
        assert_table(run(function, frame, **settings), expected)


@quick
@given(st.data(), logs(), kinds)
def test_rfm_table(data: st.DataObject, log: Log, kind: str) -> None:
    more = {
        "order_id": data.draw(st.sampled_from([None, "order_id"])),
        "discount": data.draw(st.sampled_from([None, "discount"])),
        "windows": data.draw(st.lists(st.sampled_from(WINDOWS), max_size=3, unique=True)),
    }
    assert_agrees(xf.rfm_table, reference.rfm_table, log, kind, **data.draw(parameters(log)), **more)


@quick
@given(st.data(), logs(), kinds)
def test_clv_table(data: st.DataObject, log: Log, kind: str) -> None:
    unit = data.draw(st.sampled_from(["D", "W", "M"]))
    assert_agrees(xf.clv_table, reference.clv_table, log, kind, **data.draw(parameters(log)), unit=unit)


@quick
@given(st.data(), logs(), kinds)
def test_order_ledger(data: st.DataObject, log: Log, kind: str) -> None:
    settings = data.draw(parameters(log)) | {"order_id": data.draw(st.sampled_from([None, "order_id"]))}
    try:
        reasons, repeated, _ = reference.ledger(log.rows, **settings)
    except ValueError:
        assume(False)
    rows = list(range(len(log.rows)))
    for invalid in ("raise", "drop"):
        ledger = xf.order_ledger(FRAMES[kind](log), invalid=invalid, **settings)
        assert_table(ledger, {"row": rows, "reason": reasons, "duplicate": repeated})
    counted = {
        reason: (rows, first)
        for reason, rows, first in zip(*plain(xf.ledger_summary(ledger)).values(), strict=True)
        if rows
    }
    assert counted == {reason: (reasons.count(reason), reasons.index(reason)) for reason in set(reasons)}


@quick
@given(st.data(), kinds, st.sampled_from(["list", "frame"]))
def test_customers_who_never_ordered(data: st.DataObject, kind: str, form: str) -> None:
    log = data.draw(logs())
    id_type = log.schema.field("customer_id").type
    pool = next(ids for kind_type, ids in ID_KINDS.values() if kind_type == id_type)
    customers = data.draw(st.lists(st.sampled_from(pool), max_size=4))
    settings = data.draw(parameters(log)) | {"as_of": reference.date(2024, 3, 31)}
    expected = reference.rfm_table(log.rows, customers=customers, windows=["30D"], **settings)
    given_customers: Any = customers
    if form == "frame":
        roll = Log([{"customer_id": customer} for customer in customers], log.schema.empty_table().select([0]).schema)
        given_customers = FRAMES[kind](roll)
    got = run(xf.rfm_table, FRAMES[kind](log), customers=given_customers, windows=["30D"], **settings)
    assert_table(got, expected)


def bits(frame: pd.DataFrame) -> dict[str, Any]:
    """The table down to the sign of zero."""
    return {
        name: column.to_numpy().view(np.int64).tolist() if column.dtype == np.float64 else column.astype(str).tolist()
        for name, column in frame.items()
    }


@settings(quick, max_examples=40)
@given(st.data(), logs())
def test_neither_row_order_nor_threads_change_a_bit(data: st.DataObject, log: Log) -> None:
    settings = data.draw(parameters(log)) | {"as_of": reference.date(2024, 3, 31)}
    shuffled = Log(data.draw(st.permutations(log.rows)), log.schema)
    for function, more in ((xf.rfm_table, {"discount": "discount", "windows": ["12M"]}), (xf.clv_table, {})):
        first = bits(run(function, FRAMES["pandas"](log), **settings, **more, n_jobs=1))
        for n_jobs in (1, 2, 8):
            assert bits(run(function, FRAMES["pandas"](shuffled), **settings, **more, n_jobs=n_jobs)) == first


@quick
@given(logs(), kinds)
def test_bad_rows_stop_the_work_by_default(log: Log, kind: str) -> None:
    as_of = reference.date(2024, 3, 31)
    reasons, _, _ = reference.ledger(log.rows, as_of=as_of)
    bad = [reason for reason in reasons if reason not in ("used", "after_as_of")]
    if bad:
        with pytest.raises(xf.errors.InputError) as caught:
            xf.rfm_table(FRAMES[kind](log), as_of=as_of)
        reason = next(reason for reason in bad if reason in str(caught.value))
        assert str(reasons.count(reason)) in str(caught.value)
        assert f"row {reasons.index(reason)}" in str(caught.value)
    else:
        assert_table(xf.rfm_table(FRAMES[kind](log), as_of=as_of), reference.rfm_table(log.rows, as_of=as_of))


def other_columns():
    """Columns of kinds no table is made from: the first two values are equal, the third is another, the last missing."""
    long = np.arange(2_000.0)
    return {
        "time": [dt.time(1), dt.time(1), dt.time(2), None],
        "bytes": [b"a", b"a", b"b", None],
        "list": [[1, 2], [1, 2], [1, 3], None],
        "list of NaN": [[np.nan], [float("nan")], [1.0], None],
        "array": [long, long.copy(), long + 1e-12, None],
        "dict": [{"a": [1]}, {"a": [1]}, {"a": [2]}, None],
        "set": [{1}, {1}, {2}, None],
        "number and text": [1, 1, "1", None],
        "above 64 bits": [2**70, 2**70, 2**71, None],
        "complex": [1j, 1j, 2j, None],
        "duration": pd.to_timedelta([1, 1, 2, None], unit="D"),
        "period": pd.PeriodIndex(["2024-01", "2024-01", "2024-02", None], freq="M"),
        "interval": pd.IntervalIndex.from_tuples([(0, 1), (0, 1), (1, 2), None]),
        7: [1, 1, 2, None],
    }


@pytest.mark.parametrize("name", other_columns())
def test_duplicates_are_found_whatever_kinds_the_other_columns_have(name):
    orders = pd.DataFrame({"customer_id": 1, "timestamp": pd.Timestamp("2024-01-01"), "amount": [5.0] * 4})
    orders[name] = other_columns()[name]
    assert xf.order_ledger(orders, as_of="max")["duplicate"].tolist() == [False, True, False, False]
    assert xf.rfm_table(orders, as_of="max", duplicates="drop")["row_count"].tolist() == [3]
    twice = pd.concat([orders, orders.iloc[[3]]])
    assert xf.order_ledger(twice, as_of="max")["duplicate"].tolist() == [False, True, False, False, True]
    try:
        table = pa.table({str(name): pa.array(twice[name], from_pandas=True)})
    except (pa.ArrowException, OverflowError):
        return
    for column, values in twice.iloc[:, :3].items():
        table = table.append_column(column, pa.array(values))
    assert xf.order_ledger(table, as_of="max")["duplicate"].to_pylist() == [False, True, False, False, True]
    if not isinstance(table.schema.field(0).type, pa.BaseExtensionType):
        polars = pl.from_arrow(table)
        assert xf.order_ledger(polars, as_of="max")["duplicate"].to_list() == [False, True, False, False, True]


#: Kinds of Arrow whose values Python's own do not hold: the first two are equal, the third differs in its last digit.
FINER = {
    "time of day": (pa.time64("ns"), [1, 1, 2, None]),
    "duration": (pa.duration("ns"), [1, 1, 2, None]),
    "duration beyond Python's": (pa.duration("s"), [2**60, 2**60, 2**60 + 1, None]),
    "list of timestamps": (pa.list_(pa.timestamp("ns")), [[1], [1], [2], None]),
    "list of years beyond Python's": (pa.large_list(pa.date32()), [[2**30], [2**30], [2**30 + 1], None]),
    "pair of durations": (pa.list_(pa.duration("ns"), 2), [[1, 1], [1, 1], [1, 2], None]),
    "struct": (pa.struct({"a": pa.timestamp("s", "UTC")}), [{"a": 2**50}, {"a": 2**50}, {"a": 2**50 + 1}, None]),
    "map": (pa.map_(pa.string(), pa.time64("ns")), [[("a", 1)], [("a", 1)], [("a", 2)], None]),
    "dictionary": (pa.dictionary(pa.int8(), pa.duration("ns")), [1, 1, 2, None]),
}


@pytest.mark.parametrize("name", FINER)
def test_duplicates_are_equal_to_the_last_digit_of_every_kind(name):
    kind, values = FINER[name]
    column = pa.array(values, pa.int64()).cast(pa.duration("ns")).dictionary_encode() if name == "dictionary" else None
    orders = pa.table(
        {
            "customer_id": [1] * 4,
            "timestamp": ["2024-01-01"] * 4,
            "amount": [5.0] * 4,
            "other": column or pa.array(values, kind),
        }
    )
    frames = [orders, orders.to_pandas(types_mapper=pd.ArrowDtype)]
    if name not in ("map", "dictionary"):  # polars has none, or of text alone
        frames.append(pl.from_arrow(orders))
    for frame in frames:
        found = xf.order_ledger(frame, as_of="max")["duplicate"]
        assert np.asarray(found).tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    "values",
    [
        [[1.0, None], [True, np.nan], (np.int64(1), pd.NA), np.array([1, np.nan])],
        [{"a": -0.0}, {"a": 0}, {"a": np.float32(0)}, {"a": False}],
        [{np.str_("a")}, {"a"}, {"a"}, {"a"}],
        [{1: None}, {1: pd.NaT}, {1: float("nan")}, {1.0: np.datetime64("NaT")}],
    ],
)
def test_values_in_lists_are_equal_as_they_are_in_columns(values):
    orders = pd.DataFrame({"customer_id": 1, "timestamp": pd.Timestamp("2024-01-01"), "amount": [5.0] * 4})
    orders["other"] = pd.Series(values, dtype=object)
    assert xf.order_ledger(orders, as_of="max")["duplicate"].tolist() == [False, True, True, True]


@pytest.mark.parametrize("name", [0, "note"])
def test_of_two_columns_with_one_name_none_is_compared(name):
    orders = pd.DataFrame([[1, "2024-01-01", 5.0, 1, 1]], columns=["customer_id", "timestamp", "amount", name, name])
    with pytest.raises(InputError, match=f"orders has 2 columns named '{name}'; rename or drop all but one"):
        xf.order_ledger(orders, as_of="max")
    orders.columns = ["customer_id", "timestamp", "amount", 7, "7"]
    assert xf.order_ledger(orders, as_of="max")["duplicate"].tolist() == [False]


def test_values_that_cannot_be_compared_are_named():
    class Row:
        __hash__ = None

    orders = pd.DataFrame({"customer_id": [1], "timestamp": ["2024-01-01"], "amount": [5.0], "row": [Row()]})
    with pytest.raises(InputError, match="column 'row' of orders holds Row, of which some cannot be compared"):
        xf.order_ledger(orders, as_of="max")
    assert len(xf.rfm_table(orders, as_of="max")) == 1
