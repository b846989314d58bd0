"""What cannot be used: an error that says what, where, and what to do; or rows that are counted, none lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from xifen.errors import InputError, ParameterError, XifenError

TABLES: list[Callable[..., Any]] = [xf.rfm_table, xf.clv_table, xf.order_ledger]


def log(**columns: Any) -> pd.DataFrame:
    """A clean log of four rows, but for the columns given."""
    clean: dict[str, Any] = {
        "customer_id": [1, 2, 1, 3],
        "timestamp": pd.to_datetime(["2024-01-05", "2024-01-20", "2024-02-29", "2024-03-01"]),
        "amount": [10.0, 20.0, 30.0, 40.0],
    }
    return pd.DataFrame(clean | columns)


def refusal(error: type[Exception], frame: Any, *words: str, **settings: Any) -> None:
    """rfm_table raises exactly this kind of error and its sentence holds these words."""
    with pytest.raises(error) as caught:
        xf.rfm_table(frame, **{"as_of": "2024-03-31", **settings})
    message = str(caught.value)
    for word in words:
        assert word in message, f"{word!r} not in {message!r}"


def reasons(frame: Any, **settings: Any) -> list[str]:
    """What the ledger says of each row."""
    return list(xf.order_ledger(frame, **{"as_of": "2024-03-31", **settings})["reason"])


# -- the frame ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_a_missing_column_names_the_nearest(table: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match=r"no column 'customer_id'.*'?customerid'?"):
        table(log().rename(columns={"customer_id": "customerid"}), as_of="max")


def test_other_missing_columns() -> None:
    refusal(InputError, log(), "order_no", order_id="order_no")
    refusal(InputError, log(), "coupon", discount="coupon")
    refusal(InputError, log(), "no column 'when'", timestamp="when")
    refusal(InputError, log(), "'Amount'", "amount", amount="Amount")


def test_two_columns_of_one_name() -> None:
    frame = pd.concat([log(), log()[["amount"]]], axis=1)
    refusal(InputError, frame, "2 columns named 'amount'")


@pytest.mark.parametrize("thing", [[1, 2], "orders.csv", np.zeros((2, 3)), None, pd.Series([1]), 7])
def test_not_a_frame(thing: Any) -> None:
    refusal(TypeError, thing, "orders", "frame")


def test_a_frame_that_is_not_in_memory() -> None:
    refusal(TypeError, pl.LazyFrame({"customer_id": [1]}), ".collect()")
    refusal(TypeError, pa.table({"customer_id": [1]}).to_reader(), ".read_all()")


def test_the_id_may_not_take_the_name_of_a_column_of_the_table() -> None:
    refusal(XifenError, log().rename(columns={"customer_id": "monetary"}), "'monetary'", customer_id="monetary")


def test_one_column_in_two_roles() -> None:
    refusal(ParameterError, log(), "customer_id= and order_id= both name", order_id="customer_id")
    table = xf.rfm_table(log(), as_of="2024-03-31", discount="amount")
    assert table["discount_share"].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pa.table])
def test_no_rows(frame: Callable[..., Any]) -> None:
    empty = frame(
        {"customer_id": np.array([], "int64"), "timestamp": np.array([], "M8[us]"), "amount": np.array([], "float64")}
    )
    for made in (xf.rfm_table(empty, as_of="2024-03-31"), xf.clv_table(empty, as_of="2024-03-31")):
        assert len(made) == 0
    table = xf.rfm_table(empty, as_of="2024-03-31", customers=[2, 1], windows=["1M"])
    assert list(table["customer_id"]) == [1, 2] or table["customer_id"].to_pylist() == [1, 2]
    assert len(xf.order_ledger(empty, as_of="2024-03-31")) == 0
    refusal(InputError, empty, "as_of", as_of="max")


def test_one_row() -> None:
    table = xf.rfm_table(log().head(1), as_of="2024-01-05", windows=["1D"])
    row = table.iloc[0].to_dict()
    assert (row["recency_days"], row["order_count"], row["tenure_days"], row["orders_per_year"]) == (0, 1, 0, 1.0)
    assert np.isnan(row["mean_gap_days"])
    assert (row["order_count_1D"], row["order_count_prev_1D"]) == (1, 0)


def test_columns_that_hold_nothing() -> None:
    frame = pa.table({"customer_id": pa.nulls(3), "timestamp": pa.nulls(3), "amount": pa.nulls(3)})
    assert xf.order_ledger(frame, as_of="2024-03-31")["reason"].to_pylist() == ["missing_customer_id"] * 3
    refusal(InputError, frame, "missing_customer_id", "3", "row 0")
    with pytest.warns(UserWarning, match="missing_customer_id"):
        assert len(xf.rfm_table(frame, as_of="2024-03-31", invalid="drop")) == 0


# -- what a column holds -----------------------------------------------------------------------------


def test_wrong_kinds() -> None:
    refusal(InputError, log(amount=["10", "20", "30", "40"]), "'amount'", "text")
    refusal(InputError, log(amount=[True, False, True, True]), "'amount'")
    refusal(InputError, log(amount=log()["timestamp"]), "'amount'")
    refusal(InputError, log(timestamp=[1.5, 2.0, 3.0, 4.0]), "'timestamp'")
    refusal(InputError, log(timestamp=[20240105, 20240120, 20240229, 20240301]), "'timestamp'")
    refusal(InputError, log(customer_id=log()["timestamp"]), "'customer_id'")
    refusal(InputError, log(customer_id=[[1], [2], [3], [4]]), "'customer_id'")
    refusal(InputError, log(coupon=["a", "b", "c", "d"]), "'coupon'", discount="coupon")


def test_ids_of_mixed_kinds() -> None:
    refusal(InputError, log(customer_id=[1, "2", 3, 4]), "'customer_id'", "row 1", "'2'")


EAST, WEST = timezone(timedelta(hours=8)), timezone(timedelta(hours=-5))


@pytest.mark.parametrize(
    ("moments", "kinds"),
    [
        ([datetime(2024, 1, 5, tzinfo=WEST), datetime(2024, 1, 5, tzinfo=EAST)], ("UTC+08:00", "UTC-05:00")),
        ([datetime(2024, 1, 5, tzinfo=WEST), datetime(2024, 1, 5)], ("without a zone", "UTC-05:00")),  # noqa: DTZ001
        ([date(2024, 1, 5), datetime(2024, 1, 5, 12)], ("datetime", "date")),  # noqa: DTZ001
        ([datetime(2024, 1, 5, 12), date(2024, 1, 5)], ("date", "datetime")),  # noqa: DTZ001
        ([date(2024, 1, 5), "2024-01-05"], ("str", "date")),
    ],
)
def test_times_of_mixed_kinds(moments: list[Any], kinds: tuple[str, str]) -> None:
    """Arrow would read them all as it reads the first: another moment, or a moment without its time."""
    column = pd.Series([None, *moments, pd.NaT], dtype=object)
    refusal(InputError, log(timestamp=column), "'timestamp'", "mixes kinds", "row 2", *kinds)
    refusal(InputError, log(timestamp=column.astype("category")), "'timestamp'", "mixes kinds", *kinds)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.period_range("2024-01", periods=4, freq="M"), "period[M]"),
        (pd.interval_range(0, 4), "interval[int64, right]"),
        (pd.to_timedelta([1, 2, 3, 4], unit="D"), "Duration"),
        ([1 + 2j, 1, 1, 1], "complex128"),
        ([b"a", b"b", b"a", b"c"], "Binary"),
        ([[1], [2], [1], [3]], "List"),
        ([{"a": 1}] * 4, "Struct"),
        ([object()] * 4, "object"),
    ],
)
@pytest.mark.parametrize("column", ["customer_id", "timestamp", "amount"])
def test_kinds_no_column_may_have(column: str, values: Any, kind: str) -> None:
    refusal(InputError, log(**{column: values}), f"'{column}'", kind, "convert")


def test_arrow_extensions_are_not_read_as_their_storage() -> None:
    frame = pa.Table.from_pandas(log(customer_id=pd.period_range("2024-01", periods=4, freq="M")))
    refusal(InputError, frame, "'customer_id'", "period")


@pytest.mark.parametrize("kind", ["Object", "Int128", "List", "Struct", "Binary", "Duration", "Time"])
@pytest.mark.parametrize("column", ["customer_id", "timestamp", "amount"])
def test_kinds_no_polars_column_may_have(column: str, kind: str) -> None:
    if not hasattr(pl, kind):
        pytest.skip(f"polars {pl.__version__} has no {kind}")
    values = {
        "Object": [object()] * 4,
        "Int128": [1] * 4,
        "List": [[1]] * 4,
        "Struct": [{"a": 1}] * 4,
        "Binary": [b"a"] * 4,
        "Duration": [timedelta(1)] * 4,
        "Time": [time(1)] * 4,
    }[kind]
    frame = pl.from_pandas(log()).with_columns(
        pl.Series(column, values, getattr(pl, kind) if kind in ("Object", "Int128") else None)
    )
    refusal(InputError, frame, f"'{column}'", kind, "convert")


def test_unusual_arrays_are_read() -> None:
    plain = xf.rfm_table(log(), as_of="2024-03-31")
    for values in (pd.arrays.SparseArray([10.0, 20.0, 30.0, 40.0]), np.array([10.0, 20.0, 30.0, 40.0], dtype=">f8")):
        pd.testing.assert_frame_equal(xf.rfm_table(log(amount=values), as_of="2024-03-31"), plain)
    swapped = {"timestamp": log()["timestamp"].to_numpy().astype(">M8[us]"), "amount": log()["amount"].to_numpy()}
    table = xf.rfm_table({"customer_id": np.array([1, 2, 1, 3], dtype=">i4"), **swapped}, as_of="2024-03-31")
    assert table["recency_days"].tolist() == plain["recency_days"].tolist()


def test_decimals_that_do_not_fit() -> None:
    """A value that cannot be held is an error, never a missing one."""
    wide = [Decimal("1e30"), Decimal("1e-30"), Decimal(2), Decimal(3)]
    refusal(
        InputError, log(amount=wide), "column 'amount' holds", "more than 38 digits in row 0; round it, or give floats"
    )
    infinite = log(amount=[Decimal(1), Decimal("Infinity"), Decimal("2.5"), Decimal(3)])
    refusal(InputError, infinite, "1 row non_finite_amount in column 'amount' (first: row 1)")
    assert reasons(infinite) == ["used", "non_finite_amount", "used", "used"]
    with pytest.warns(UserWarning, match="non_finite_amount"):
        assert xf.rfm_table(infinite, as_of="2024-03-31", invalid="drop")["monetary"].sum() == 6.5
    assert reasons(log(amount=[Decimal(1), None, Decimal("NaN"), Decimal(3)])) == [
        "used", "missing_amount", "missing_amount", "used",
    ]  # fmt: skip


def test_an_id_in_the_index() -> None:
    refusal(InputError, log().set_index("customer_id"), "'customer_id'", ".reset_index()")


def test_fractional_ids() -> None:
    refusal(InputError, log(customer_id=[1.0, 2.0, 2.5, np.nan]), "'customer_id'", "row 2", "2.5")
    refusal(InputError, log(customer_id=[1.0, 2.0**53, 3.0, 4.0]), "'customer_id'", "row 1")
    refusal(InputError, log(customer_id=[1.0, 2.0, 3.0, np.inf]), "'customer_id'", "row 3")


def test_ids_at_the_ends_of_64_bits() -> None:
    signed = log(customer_id=np.array([2**63 - 1, -(2**63), 0, 2**63 - 1], dtype="int64"))
    assert xf.rfm_table(signed, as_of="max")["customer_id"].tolist() == [-(2**63), 0, 2**63 - 1]
    unsigned = log(customer_id=np.array([2**63, 2**64 - 1, 2**63 - 1, 0], dtype="uint64"))
    assert xf.rfm_table(unsigned, as_of="max")["customer_id"].tolist() == [0, 2**63 - 1, 2**63, 2**64 - 1]
    refusal(InputError, log(customer_id=pd.Series([2**64, 1, 2, 3], dtype=object)), "'customer_id'")


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("customer_id", pd.array([1, None, None, 3], "Int64"), "missing_customer_id"),
        ("customer_id", ["a", None, None, "b"], "missing_customer_id"),
        ("timestamp", pd.to_datetime(["2024-01-05", None, None, "2024-01-06"]), "missing_timestamp"),
        ("amount", [1.0, np.nan, np.nan, 2.0], "missing_amount"),
        ("amount", [1.0, np.inf, -np.inf, 2.0], "non_finite_amount"),
        ("order", ["A", None, None, "B"], "missing_order_id"),
    ],
)
@pytest.mark.parametrize("kind", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas])
def test_bad_values_are_counted(kind: Callable[..., Any], column: str, values: Any, reason: str) -> None:
    frame = kind(log(**{column: values}))
    more = {"order_id": "order"} if column == "order" else {}
    refusal(InputError, frame, reason, "2 ", "row 1", **more)
    with pytest.warns(UserWarning, match=rf"{reason}.*2|2.*{reason}"):
        table = xf.rfm_table(frame, as_of="2024-03-31", invalid="drop", **more)
    assert sum(np.asarray(table["row_count"])) == 2
    assert list(map(str, reasons(frame, **more))) == ["used", reason, reason, "used"]


def test_the_first_reason_counts() -> None:
    frame = log(customer_id=["a", None, "b", "c"], amount=[np.nan, np.nan, np.inf, 1.0],
                timestamp=pd.to_datetime(["2024-01-05", None, None, "2024-04-01"]))  # fmt: skip
    assert reasons(frame) == ["missing_amount", "missing_customer_id", "missing_timestamp", "after_as_of"]


def test_dates_beyond_the_calendar() -> None:
    """Every row is used or counted: year 1 and year 10000 fit into 64 bits of seconds."""
    days = np.array(["0001-01-01", "10000-01-01", "NaT", "2024-01-01"], dtype="M8[s]")
    frame = log(timestamp=days)
    got = reasons(frame)
    assert got[0] in ("used", "timestamp_out_of_range")
    assert got[1] in ("after_as_of", "timestamp_out_of_range")
    assert got[2:] == ["missing_timestamp", "used"]
    for moment in (-(2**63) + 1, 2**63 - 1):
        extreme = log(timestamp=np.array([moment] * 4, dtype="int64").view("M8[s]"))
        assert set(reasons(extreme)) == {"timestamp_out_of_range"}
        refusal(InputError, extreme, "timestamp_out_of_range", "4", "row 0", "1678", "2261")


def test_totals_that_overflow() -> None:
    huge = log(customer_id=1, amount=[1.7e308] * 4)
    refusal(InputError, huge, "'amount'", "the customer of row 0, whose largest amount stands there: 1.7e308")
    others = log(customer_id=[2, 1, 1, 1], amount=[1.7e308, 5e307, 8e307, 6e307])
    refusal(InputError, others, "the customer of row 2", ": 8e307")
    with pytest.raises(InputError, match="amount"):
        xf.clv_table(huge, as_of="2024-03-31")
    most = Decimal(10**37)
    decimals = pa.table({"customer_id": [1] * 20, "timestamp": [date(2024, 1, 1)] * 20,
                         "amount": pa.array([most] * 20, pa.decimal128(38, 0))})  # fmt: skip
    refusal(InputError, decimals, "'amount'", "38 digits", "row 0", ": 1e37")
    wide = log(customer_id=1, amount=np.array([2**63 - 1] * 4, dtype="int64"))
    assert xf.rfm_table(wide, as_of="max")["monetary"].tolist() == [4 * 2.0**63]


# -- the parameters ----------------------------------------------------------------------------------


def test_as_of_before_every_order() -> None:
    table = xf.rfm_table(log(), as_of="2023-12-31")
    assert len(table) == 0
    assert set(reasons(log(), as_of="2023-12-31")) == {"after_as_of"}


@pytest.mark.parametrize("as_of", [date(2024, 2, 29), datetime.combine(date(2024, 2, 29), time()), pd.Timestamp("2024-02-29"),
                                   np.datetime64("2024-02-29"), "2024-02-29"])  # fmt: skip
def test_as_of_is_a_day_and_all_of_it(as_of: Any) -> None:
    frame = log(
        timestamp=pd.to_datetime(["2024-02-29 23:59:59", "2024-03-01", "2024-02-28", "2024-02-29"], format="ISO8601")
    )
    assert reasons(frame, as_of=as_of) == ["used", "after_as_of", "used", "used"]


@pytest.mark.parametrize(
    "as_of", ["2024-02-29 12:00", "2024-02-29T00:00:01", datetime.combine(date(2024, 2, 29), time(12)), pd.Timestamp("2024-02-29 00:00:01"),
              datetime(2024, 2, 29, 0, 0, 1, tzinfo=UTC)]
)  # fmt: skip
@pytest.mark.parametrize("table", TABLES)
def test_as_of_with_a_time(as_of: Any, table: Callable[..., Any]) -> None:
    with pytest.raises(ParameterError, match=r"as_of.*time"):
        table(log(), as_of=as_of)


@pytest.mark.parametrize("as_of", ["yesterday", "", "2024-02-30", "29.02.2024", "20240229", "10000-01-01", "Max"])
def test_as_of_that_is_no_date(as_of: str) -> None:
    refusal(ParameterError, log(), "as_of", as_of, as_of=as_of)


@pytest.mark.parametrize(
    "as_of",
    [np.datetime64("2024-02"), np.datetime64("2024"), np.datetime64("2024-02-29T01"), np.datetime64("NaT", "D"), np.datetime64(2**62, "D")],
)  # fmt: skip
def test_as_of_that_is_no_day_of_numpy(as_of: Any) -> None:
    refusal(ParameterError, log(), "as_of", str(as_of), as_of=as_of)


@pytest.mark.parametrize("as_of", [None, 20240229, 1.5, pd.NaT, ["2024-02-29"], pd.Period("2024-02")])
def test_as_of_of_another_kind(as_of: Any) -> None:
    with pytest.raises((ParameterError, TypeError), match="as_of"):
        xf.rfm_table(log(), as_of=as_of)


def test_as_of_must_be_given() -> None:
    with pytest.raises(TypeError, match="as_of"):
        xf.rfm_table(log())


@pytest.mark.parametrize(
    "window", ["90", "D", "0D", "-1D", "1.5M", "12Y", "3d", "90 D", "", "1D ", "99999999999999D", 90]
)
def test_windows_that_are_none(window: Any) -> None:
    with pytest.raises((ParameterError, TypeError)) as caught:
        xf.rfm_table(log(), as_of="2024-03-31", windows=[window])
    assert "windows" in str(caught.value) or "window" in str(caught.value)
    assert str(window) in str(caught.value)


def test_long_windows() -> None:
    table = xf.rfm_table(log(), as_of="2024-03-31", windows=["1200M", "36500D"])
    for window in ("1200M", "36500D"):
        assert table[f"order_count_{window}"].tolist() == table["order_count"].tolist()
        assert table[f"order_count_prev_{window}"].tolist() == [0, 0, 0]
    refusal(ParameterError, log(), "windows", "20000M", "1200M", windows=["20000M"])


def test_one_window_twice() -> None:
    refusal(ParameterError, log(), "90D", windows=["90D", "90D"])


@pytest.mark.parametrize("windows", ["90D", None, 5, {"90D", "12M"}])
def test_windows_that_are_no_list(windows: Any) -> None:
    """A set has no order, so its columns would have none."""
    with pytest.raises(TypeError, match=r"windows.*\['90D', '12M'\]"):
        xf.rfm_table(log(), as_of="2024-03-31", windows=windows)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [("returns", "drop", "'exclude'"), ("duplicates", "remove", "'drop'"), ("invalid", "ignore", "'raise'")],
)
@pytest.mark.parametrize("table", TABLES)
def test_choices(table: Callable[..., Any], name: str, value: str, wanted: str) -> None:
    with pytest.raises(ParameterError) as caught:
        table(log(), as_of="2024-03-31", **{name: value})
    for word in (name, value, wanted.strip("'")):
        assert word in str(caught.value)


def test_units() -> None:
    with pytest.raises(ParameterError, match=r"unit.*Y"):
        xf.clv_table(log(), as_of="2024-03-31", unit="Y")


def test_zones() -> None:
    frame = log(timestamp=log()["timestamp"].dt.tz_localize("UTC"))
    refusal(ParameterError, frame, "tz", "Mars/Base", tz="Mars/Base")


@pytest.mark.parametrize("n_jobs", [0, 1.5, "two"])
def test_n_jobs(n_jobs: Any) -> None:
    with pytest.raises((ParameterError, TypeError), match="n_jobs"):
        xf.rfm_table(log(), as_of="2024-03-31", n_jobs=n_jobs)


def test_customers_that_do_not_fit() -> None:
    refusal(InputError, log(), "customers", customers=["a", "b"])
    refusal(InputError, log(), "customer_id", customers=pd.DataFrame({"id": [1]}))
    refusal(InputError, log(), "id 2.5 in row 1,", customers=[1, 2.5])


# -- returns -----------------------------------------------------------------------------------------


def test_returns_as_an_error() -> None:
    frame = log(amount=[10.0, 20.0, -30.0, -1.0])
    refusal(InputError, frame, "row 2", "return", returns="error")
    assert xf.rfm_table(log(), as_of="2024-03-31", returns="error")["monetary"].tolist() == [40.0, 20.0, 40.0]


@pytest.mark.filterwarnings("error")
def test_what_is_left_out_by_choice_neither_raises_nor_warns() -> None:
    frame = pd.concat([log(amount=[10.0, 20.0, -30.0, 40.0])] * 2)
    table = xf.rfm_table(frame, as_of="2024-02-29", returns="exclude", duplicates="drop")
    assert table["monetary"].tolist() == [10.0, 20.0]


def test_customers_who_only_returned_have_no_history() -> None:
    with pytest.warns(UserWarning, match="1 customer"):
        history = xf.clv_table(log(amount=[10.0, -20.0, 30.0, 40.0]), as_of="2024-03-31")
    assert history["customer_id"].tolist() == [1, 3]


def test_a_summary_needs_a_ledger() -> None:
    with pytest.raises(InputError, match="ledger has no column"):
        xf.ledger_summary(log())


@pytest.mark.parametrize(
    ("tz", "near"),
    [
        ("asia/shanghai", "did you mean 'Asia/Shanghai'?"),
        ("UTC+8", "did you mean '+08:00'?"),
        ("gmt-5:30", "did you mean '-05:30'?"),
        ("Asia", "no time zone such as 'Asia/Shanghai'"),
        ("", "tz is ''"),
    ],
)
@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
def test_a_zone_nobody_knows_is_refused_first(kind: Callable[..., Any], tz: str, near: str) -> None:
    aware = [datetime(2024, 1, 5, tzinfo=UTC)]
    refusal(ParameterError, kind({"customer_id": [1], "timestamp": aware, "amount": [1.0]}), near, tz=tz)
    refusal(ParameterError, kind({"customer_id": [1], "timestamp": ["2024-01-05"], "amount": [1.0]}), near, tz=tz)


NO_ROWS: dict[str, list[Any]] = {"customer_id": [], "timestamp": [], "amount": []}
NO_DATES = {"customer_id": ["a", "b"], "timestamp": [np.nan, np.nan], "amount": [1.0, 2.0]}


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_a_float_column_without_a_value_holds_no_numbers(kind: Callable[..., Any]) -> None:
    floats = {name: np.array([]) for name in NO_ROWS}
    for frame in (kind(NO_ROWS), kind(floats)):
        for table in TABLES:
            assert len(table(frame, as_of="2024-03-31")) == 0
        refusal(InputError, frame, "needs a purchase", as_of="max")
    frame = kind(NO_DATES)
    refusal(InputError, frame, "2 rows missing_timestamp in column 'timestamp' (first: row 0)")
    assert list(map(str, reasons(frame))) == ["missing_timestamp"] * 2
    refusal(InputError, kind(NO_DATES | {"timestamp": [np.nan, 3.0]}), "column 'timestamp' holds numbers")


def test_large_ids_as_objects_are_unsigned_integers_or_named() -> None:
    one_day = {"timestamp": ["2024-01-05"] * 2, "amount": [1.0, 2.0]}
    for ids in (pd.Series([2**63, 1], dtype=object), [2**63, 1]):
        frame = pd.DataFrame({"customer_id": ids, **one_day})
        assert xf.rfm_table(frame, as_of="2024-03-31")["customer_id"].tolist() == [1, 2**63]
    frame = pd.DataFrame({"customer_id": pd.Series([1, 2**64], dtype=object), **one_day})
    refusal(InputError, frame, "holds 18446744073709551616 in row 1, which does not fit 64 bits")


@pytest.mark.parametrize(
    ("role", "name"),
    [
        *[(role, None) for role in ("customer_id", "timestamp", "amount")],  # the others may be left out
        *[
            (role, name)
            for role in ("customer_id", "timestamp", "amount", "order_id", "discount")
            for name in (5, ["amount"])
        ],
    ],
)
def test_a_role_wants_the_name_of_a_column(role: str, name: Any) -> None:
    refusal(TypeError, log(), f"{role} is {name!r}; wanted the name of a column", **{role: name})
