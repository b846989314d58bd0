"""The same small log in every kind of frame and column gives the same table, of the caller's kind."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import reference
import xifen as xf
from logs import assert_table, plain

AS_OF = date(2024, 3, 31)
IDS = [2, 1, 3, 2, 1, 2, 1, 3]
TEXTS = [{1: "001", 2: "张三", 3: "a customer with a long name"}[customer] for customer in IDS]
DAYS = [date(2024, 2, 29) + timedelta(days=days) for days in (0, 3, -400, 31, 3, 1, -20, 12)]
TIMES = [datetime.combine(day, time()) for day in DAYS]
ISO = [day.isoformat() for day in DAYS]
AMOUNTS = [10, 20, 30, -5, 40, 50, 60, 7]
SHANGHAI = ZoneInfo("Asia/Shanghai")

Make = Callable[[list[Any]], Any]


def _series(dtype: Any) -> Make:
    return lambda values: pd.Series(values, dtype=dtype)


def _polars(dtype: Any) -> Make:
    return lambda values: pl.Series(values, dtype=dtype, strict=False)


def _arrow(dtype: pa.DataType) -> Make:
    return lambda values: pa.array(values).cast(dtype)


def _decimals(values: list[int]) -> list[Decimal]:
    return [Decimal(value).quantize(Decimal("0.01")) for value in values]


def _aware(values: list[datetime]) -> list[datetime]:
    return [value.replace(tzinfo=SHANGHAI) for value in values]


def _widths(prefix: str) -> list[str]:
    return [f"{prefix}{width}" for width in (8, 16, 32, 64)]


INTEGERS = [*_widths("int"), *_widths("uint")]
SIGNED = _widths("int")
UNITS = ("s", "ms", "us", "ns")

#: What a column of numbers, text, times or amounts may be, for each kind of frame: (values, how to make the column).
PANDAS: dict[str, dict[str, tuple[list[Any], Make]]] = {
    "customer_id": {
        **{name: (IDS, _series(name)) for name in INTEGERS},
        **{name: (IDS, _series(name.replace("uint", "UInt").replace("int", "Int"))) for name in ("Int64", "UInt32")},
        "int32[pyarrow]": (IDS, _series("int32[pyarrow]")),
        "object of int": (IDS, _series(object)),
        "object of str": (TEXTS, _series(object)),
        "str": (TEXTS, _series("str")),
        "string[python]": (TEXTS, _series("string[python]")),
        "string[pyarrow]": (TEXTS, _series("string[pyarrow]")),
        "ArrowDtype(string)": (TEXTS, _series(pd.ArrowDtype(pa.string()))),
        "ArrowDtype(dictionary)": (TEXTS, _series(pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())))),
        "category": (TEXTS, _series("category")),
        "category with spare": (TEXTS, _series(pd.CategoricalDtype(["z", *sorted(set(TEXTS), reverse=True)]))),
    },
    "timestamp": {
        **{f"datetime64[{unit}]": (TIMES, _series(f"datetime64[{unit}]")) for unit in UNITS},
        **{f"aware [{unit}]": (_aware(TIMES), _series(f"datetime64[{unit}, Asia/Shanghai]")) for unit in UNITS},
        "timestamp[us][pyarrow]": (TIMES, _series("timestamp[us][pyarrow]")),
        "date32[pyarrow]": (DAYS, _series("date32[pyarrow]")),
        "object of date": (DAYS, _series(object)),
        "object of datetime": (TIMES, _series(object)),
        "str": (ISO, _series("str")),
        "object of str": (ISO, _series(object)),
        "category": (ISO, _series("category")),
    },
    "amount": {
        **{name: (AMOUNTS, _series(name)) for name in ("float64", "float32", "Float64", "Int64", *SIGNED)},
        "double[pyarrow]": (AMOUNTS, _series("double[pyarrow]")),
        "object of Decimal": (_decimals(AMOUNTS), _series(object)),
        "decimal128[pyarrow]": (_decimals(AMOUNTS), _series(pd.ArrowDtype(pa.decimal128(12, 2)))),
        "object of int": (AMOUNTS, _series(object)),
    },
}
POLARS: dict[str, dict[str, tuple[list[Any], Make]]] = {
    "customer_id": {
        **{dtype: (IDS, _polars(getattr(pl, dtype))) for dtype in (*_widths("Int"), *_widths("UInt"))},
        "String": (TEXTS, _polars(pl.String)),
        "Categorical": (TEXTS, _polars(pl.Categorical)),
        "Enum": (TEXTS, _polars(pl.Enum(["z", *sorted(set(TEXTS), reverse=True)]))),
    },
    "timestamp": {
        "Date": (DAYS, _polars(pl.Date)),
        **{f"Datetime({unit})": (TIMES, _polars(pl.Datetime(unit))) for unit in ("ms", "us", "ns")},
        **{
            f"aware ({unit})": (_aware(TIMES), lambda values, unit=unit: _aware_polars(values, unit))
            for unit in ("ms", "us", "ns")
        },
        "String": (ISO, _polars(pl.String)),
    },
    "amount": {
        **{dtype: (AMOUNTS, _polars(getattr(pl, dtype))) for dtype in ("Float64", "Float32", *_widths("Int"))},
        "Decimal": (_decimals(AMOUNTS), _polars(pl.Decimal(12, 2))),
    },
}
ARROW: dict[str, dict[str, tuple[list[Any], Make]]] = {
    "customer_id": {
        **{name: (IDS, _arrow(pa.type_for_alias(name))) for name in INTEGERS},
        "string": (TEXTS, _arrow(pa.string())),
        "large_string": (TEXTS, _arrow(pa.large_string())),
        "string_view": (TEXTS, _arrow(pa.string_view())),
        "dictionary": (TEXTS, _arrow(pa.dictionary(pa.int32(), pa.string()))),
        "dictionary<int8, large_string>": (TEXTS, _arrow(pa.dictionary(pa.int8(), pa.large_string()))),
    },
    "timestamp": {
        "date32": (DAYS, _arrow(pa.date32())),
        "date64": (DAYS, _arrow(pa.date64())),
        **{f"timestamp[{unit}]": (TIMES, _arrow(pa.timestamp(unit))) for unit in UNITS},
        **{
            f"aware [{unit}]": (
                _aware(TIMES),
                lambda values, unit=unit: pa.array(values, pa.timestamp(unit, str(SHANGHAI))),
            )
            for unit in UNITS
        },
        "string": (ISO, _arrow(pa.string())),
    },
    "amount": {
        **{name: (AMOUNTS, _arrow(pa.type_for_alias(name))) for name in ("float64", "float32", *SIGNED)},
        "decimal128": (_decimals(AMOUNTS), _arrow(pa.decimal128(12, 2))),
        "decimal256": (_decimals(AMOUNTS), _arrow(pa.decimal256(40, 2))),
    },
}


def _aware_polars(values: list[datetime], unit: Any) -> pl.Series:
    zoned = pl.Series(values).dt.convert_time_zone(str(SHANGHAI))  # polars 1.4 made them UTC
    return zoned.dt.cast_time_unit(unit)


KINDS: dict[str, tuple[dict[str, dict[str, tuple[list[Any], Make]]], Callable[[dict[str, Any]], Any], type]] = {
    "pandas": (PANDAS, pd.DataFrame, pd.DataFrame),
    "polars": (POLARS, pl.DataFrame, pl.DataFrame),
    "pyarrow": (ARROW, pa.table, pa.Table),
}
CASES = [(kind, column, name) for kind, (table, _, _) in KINDS.items() for column in table for name in table[column]]


def build(kind: str, column: str, name: str) -> tuple[Any, list[reference.Row]]:
    """The log as a frame of this kind in which one column is what `name` says, and as rows."""
    choices, frame, _ = KINDS[kind]
    chosen = {each: next(iter(options.values())) for each, options in choices.items()}
    chosen["amount"] = choices["amount"].get("float64", choices["amount"].get("Float64"))  # type: ignore[assignment]
    chosen[column] = choices[column][name]
    values = {each: source for each, (source, _) in chosen.items()}
    if values["timestamp"] is ISO:
        values["timestamp"] = DAYS
    rows = [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
    return frame({each: make(source) for each, (source, make) in chosen.items()}), rows


def column_type(frame: Any, name: str) -> Any:
    """The type of a column, whatever the frame."""
    return frame.schema.field(name).type if isinstance(frame, pa.Table) else frame[name].dtype


def assert_unchanged(frame: Any, before: Any) -> None:
    """The caller's frame is what it was, to the bit and to the index."""
    if isinstance(frame, pd.DataFrame):
        pd.testing.assert_frame_equal(frame, before, check_exact=True, check_freq=True, check_flags=True)
        for name in frame:
            if isinstance(frame[name].dtype, np.dtype) and frame[name].dtype != object:
                assert frame[name].to_numpy().tobytes() == before[name].to_numpy().tobytes()
    else:
        assert frame.schema == before.schema
        assert frame.equals(before)


@pytest.mark.parametrize(("kind", "column", "name"), CASES)
def test_every_kind_of_column(kind: str, column: str, name: str) -> None:
    frame, rows = build(kind, column, name)
    before = copy.deepcopy(frame)
    table = xf.rfm_table(frame, as_of=AS_OF, windows=["1M"])
    assert isinstance(table, KINDS[kind][2])
    assert_table(table, reference.rfm_table(rows, as_of=AS_OF, windows=["1M"]))
    history = xf.clv_table(frame, as_of="2024-03-31")
    assert isinstance(history, KINDS[kind][2])
    assert_table(history, reference.clv_table(rows, as_of=AS_OF))
    ledger = xf.order_ledger(frame, as_of="max")
    assert isinstance(ledger, KINDS[kind][2])
    reasons, repeated, _ = reference.ledger(rows, as_of="max")
    assert_table(ledger, {"row": list(range(len(rows))), "reason": reasons, "duplicate": repeated})
    assert_unchanged(frame, before)

    if column == "customer_id":
        text = pd.Series(TEXTS).dtype  # a type of its own since pandas 3
        assert column_type(table, "customer_id") == (text if name == "object of str" else column_type(frame, column))
    if column == "timestamp" and "str" not in name.lower() and name not in ("category", "object of date", "date64"):
        expected = "datetime64[us]" if name == "object of datetime" else column_type(frame, "timestamp")
        assert column_type(table, "first_purchase") == expected
        assert column_type(table, "last_purchase") == expected


COUNTS = {
    "pandas": ("int64", "Int64", "float64"),
    "polars": (pl.Int64, pl.Int64, pl.Float64),
    "pyarrow": (pa.int64(), pa.int64(), pa.float64()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_types_do_not_depend_on_what_happens_to_be_missing(kind: str) -> None:
    frame, _ = build(kind, "amount", {"pandas": "float64", "polars": "Float64", "pyarrow": "float64"}[kind])
    _, nullable, floating = COUNTS[kind]
    for customers in (None, [9]):
        table = xf.rfm_table(frame, as_of=AS_OF, customers=customers, windows=["2M"])
        for name in ("recency_days", "tenure_days"):
            assert column_type(table, name) == nullable, name
        for name in ("order_count", "purchase_days", "row_count", "order_count_2M", "order_count_prev_2M"):
            assert column_type(table, name) in COUNTS[kind][:2], name
        for name in ("monetary", "gross_amount", "mean_order_value", "orders_per_year", "mean_gap_days", "monetary_2M"):
            assert column_type(table, name) == floating, name


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("pandas", "decimal128[pyarrow]"),
        ("pandas", "object of Decimal"),
        ("polars", "Decimal"),
        ("pyarrow", "decimal128"),
    ],
)
def test_decimals_stay_decimals(kind: str, name: str) -> None:
    frame, _ = build(kind, "amount", name)
    table = xf.rfm_table(frame, as_of=AS_OF, windows=["1M"])
    expected: Any = {
        "pandas": pd.ArrowDtype(pa.decimal128(38, 2)),
        "polars": pl.Decimal(38, 2),
        "pyarrow": pa.decimal128(38, 2),
    }[kind]
    for column in ("monetary", "gross_amount", "returned_amount", "monetary_1M", "monetary_prev_1M"):
        assert column_type(table, column) == expected, column
    assert column_type(table, "mean_order_value") == COUNTS[kind][2]


def test_decimals_do_not_round() -> None:
    amounts = [Decimal("99999999999999999999999999.99"), Decimal("0.01"), Decimal("-0.02")]
    frame = pa.table({"customer_id": [1] * 3, "timestamp": DAYS[:3], "amount": pa.array(amounts, pa.decimal128(28, 2))})
    table = xf.rfm_table(frame, as_of="max")
    assert table["monetary"].to_pylist() == [Decimal("99999999999999999999999999.98")]


def test_a_dict_of_arrays_comes_back_as_pandas() -> None:
    given = {"customer_id": np.array(IDS), "timestamp": np.array(ISO, dtype="M8[D]"), "amount": AMOUNTS}
    before = copy.deepcopy(given)
    table = xf.rfm_table(given, as_of=AS_OF)
    assert isinstance(table, pd.DataFrame)
    rows = [dict(zip(given, row, strict=True)) for row in zip(IDS, DAYS, AMOUNTS, strict=True)]
    assert_table(table, reference.rfm_table(rows, as_of=AS_OF))
    assert all(np.array_equal(given[name], before[name]) for name in before)


def test_whole_floats_with_gaps_are_integers() -> None:
    frame = pd.DataFrame({"customer_id": [2.0, np.nan, 1.0], "timestamp": TIMES[:3], "amount": [1.0, 2.0, 3.0]})
    with pytest.warns(UserWarning, match=r"1.*missing_customer_id|missing_customer_id.*1"):
        table = xf.rfm_table(frame, as_of="max", invalid="drop")
    assert table["customer_id"].tolist() == [1, 2]
    assert table["customer_id"].dtype == "int64"
    out = xf.rfm_table(pl.DataFrame({"customer_id": [2.0, 1.0], "timestamp": TIMES[:2], "amount": 1.0}), as_of="max")
    assert out.schema["customer_id"] == pl.Int64


@pytest.mark.parametrize(
    ("text", "date_format"),
    [
        ("%d.%m.%Y", "%d.%m.%Y"),
        ("%Y%m%d", "%Y%m%d"),
        ("%m/%d/%y %H:%M", "%m/%d/%y %H:%M"),
        ("%Y年%m月%d日", "%Y年%m月%d日"),
    ],
)
@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
def test_date_format(kind: Callable[..., Any], text: str, date_format: str) -> None:
    frame = kind({"customer_id": IDS, "timestamp": [day.strftime(text) for day in TIMES], "amount": AMOUNTS})
    table = xf.rfm_table(frame, as_of=AS_OF, date_format=date_format)
    rows = [
        dict(zip(("customer_id", "timestamp", "amount"), row, strict=True))
        for row in zip(IDS, TIMES, AMOUNTS, strict=True)
    ]
    assert_table(table, reference.rfm_table(rows, as_of=AS_OF))


def test_iso_strings_with_time_and_offset() -> None:
    """An offset is a point in time: without `tz` its day is the one written, with it the day there."""
    frame = pd.DataFrame(
        {
            "customer_id": [1, 2, 3],
            "timestamp": ["2024-03-30T23:30:00+00:00", "2024-03-30T23:30:00.25Z", "2024-03-31T00:30:00+00:00"],
            "amount": [1.0, 2.0, 3.0],
        }
    )
    assert plain(xf.rfm_table(frame, as_of="2024-03-31"))["recency_days"] == [1, 1, 0]
    assert plain(xf.rfm_table(frame, as_of="2024-03-31", tz="Europe/Berlin"))["recency_days"] == [0, 0, 0]


@pytest.mark.parametrize(
    "index",
    [
        pd.Index(["x", "x", "y", "x", "z", "y", "q", "q"], name="order"),
        pd.RangeIndex(8, 0, -1),
        pd.MultiIndex.from_product([[1, 2], ["a", "b"], [0, 0]], names=["shop", "till", "line"]),
    ],
    ids=["repeated", "descending", "several levels"],
)
def test_the_index_is_kept_by_the_ledger_and_ignored_by_the_tables(index: pd.Index) -> None:
    frame = pd.DataFrame({"customer_id": IDS, "timestamp": TIMES, "amount": [float(amount) for amount in AMOUNTS]})
    expected = xf.rfm_table(frame, as_of=AS_OF)
    indexed = frame.set_axis(index)
    before = indexed.copy(deep=True)
    pd.testing.assert_frame_equal(xf.rfm_table(indexed, as_of=AS_OF), expected)
    ledger = xf.order_ledger(indexed, as_of=AS_OF)
    pd.testing.assert_index_equal(ledger.index, before.index)
    assert ledger["row"].tolist() == list(range(8))
    assert_unchanged(indexed, before)


@pytest.mark.parametrize("kind", KINDS)
def test_ledger_types(kind: str) -> None:
    frame, _ = build(kind, "customer_id", {"pandas": "int64", "polars": "Int64", "pyarrow": "int64"}[kind])
    ledger = xf.order_ledger(frame, as_of=AS_OF)
    reason = column_type(ledger, "reason")
    categories = ledger["reason"].chunk(0).dictionary.to_pylist() if kind == "pyarrow" else list(reason.categories)
    assert categories == list(reference.REASONS)
    assert column_type(ledger, "row") == {"pandas": "int64", "polars": pl.Int64, "pyarrow": pa.int64()}[kind]
    assert column_type(ledger, "duplicate") in ({"pandas": "bool", "polars": pl.Boolean, "pyarrow": pa.bool_()}[kind],
                                                "boolean")  # fmt: skip


def test_strided_and_read_only_arrays() -> None:
    amounts = np.arange(16.0)[::2]
    ids = np.array(IDS)
    ids.flags.writeable = False
    backwards = np.array(TIMES, dtype="M8[us]")[::-1]
    frame = {"customer_id": ids, "timestamp": backwards, "amount": amounts}
    rows = [dict(zip(frame, row, strict=True)) for row in zip(IDS, TIMES[::-1], amounts.tolist(), strict=True)]
    assert_table(xf.rfm_table(frame, as_of=AS_OF), reference.rfm_table(rows, as_of=AS_OF))


def test_columns_may_have_any_name_and_the_id_keeps_its_own() -> None:
    frame = pl.DataFrame({"客户": TEXTS, "when": DAYS, "amount": AMOUNTS, "timestamp": ["not a date"] * 8})
    table = xf.rfm_table(frame, as_of=AS_OF, customer_id="客户", timestamp="when")
    assert table.columns[0] == "客户"
    assert table["客户"].to_list() == sorted(set(TEXTS), key=str.encode)


@pytest.mark.parametrize(
    "column", [pd.Series(pd.Categorical(["b", "d"])), pl.Series(["b", "d"], dtype=pl.Enum(["d", "b"])),
               pl.Series(["b", "d"], dtype=pl.Categorical)]
)  # fmt: skip
def test_customers_of_no_category_of_the_log_are_not_lost(column: Any) -> None:
    frame = pd.DataFrame if isinstance(column, pd.Series) else pl.DataFrame
    log = frame({"customer_id": column, "timestamp": TIMES[:2], "amount": [1.0, 2.0]})
    table = xf.rfm_table(log, as_of="max", customers=["c", "a"])
    assert list(table["customer_id"]) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
@pytest.mark.parametrize("column", ["customer_id", "timestamp", "amount"])
def test_a_column_of_nothing(kind: Callable[..., Any], column: str) -> None:
    values = {"customer_id": [1, 2], "timestamp": TIMES[:2], "amount": [1.0, 2.0]} | {column: [None, None]}
    ledger = xf.order_ledger(kind(values), as_of=AS_OF)
    assert plain(ledger)["reason"] == [f"missing_{column}"] * 2
    with pytest.warns(UserWarning, match=f"missing_{column}"):
        assert len(xf.rfm_table(kind(values), as_of=AS_OF, invalid="drop")) == 0


@pytest.mark.parametrize(
    "ids", [range(3), pd.Index([0, 1, 2]), pd.Categorical([0, 1, 2]), pd.array([0, 1, 2]), pd.RangeIndex(3)]
)
def test_customers_may_be_any_list_of_ids(ids: Any) -> None:
    log = pd.DataFrame({"customer_id": [1], "timestamp": ["2024-01-15"], "amount": [1.0]})
    table = xf.rfm_table(log, as_of=AS_OF, customers=ids)
    assert (table["customer_id"].tolist(), table["order_count"].tolist()) == ([0, 1, 2], [0, 1, 0])
    with pytest.raises(TypeError, match=r"customers is 'a'; wanted a list of ids, such as \['a'\]"):
        xf.rfm_table(log, as_of=AS_OF, customers="a")
    with pytest.raises(TypeError, match="customers is an int, not a frame"):
        xf.rfm_table(log, as_of=AS_OF, customers=3)


@pytest.mark.parametrize("count", [1, 11, 127, 128, 255, 300])
def test_labels_in_polars_however_many_there_are(count: int) -> None:
    labels = [f"label {number}" for number in range(count)]
    rules = {label: f"x = {number}" for number, label in enumerate(labels)}
    frame = pl.DataFrame({"x": [*range(count), None, count + 1]})
    got = xf.RuleSegmenter(rules).fit_transform(frame)["segment"]
    assert got.dtype == pl.Enum(labels)
    assert got.to_list() == [*labels, None, None]
    assert got.null_count() == 2
