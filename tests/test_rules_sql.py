"""Random rules over random data with missing values: the labels against duckdb running `to_sql()`."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
import xifen as xf
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

SCHEMA = pa.schema(
    [
        ("small", pa.int8()),
        ("large", pa.int64()),
        ("natural", pa.uint16()),
        ("real", pa.float64()),
        ("single", pa.float32()),
        ("money", pa.decimal128(10, 2)),
        ("rate", pa.decimal128(12, 4)),
        ("channel", pa.string()),
        ("note", pa.string()),
        ("day", pa.date32()),
        ("moment", pa.timestamp("us")),
        ("instant", pa.timestamp("s")),
        ("abroad", pa.timestamp("us", "Europe/Berlin")),
        ('客户 "x"', pa.bool_()),
    ]
)
FLAG = '"客户 ""x"""'
UTC = dt.UTC
DAYS = [dt.date(2024, 2, 29), dt.date(2024, 1, 31), dt.date(2023, 3, 1), dt.date(1, 1, 1), dt.date(9999, 12, 31)]
MOMENTS = [
    dt.datetime.fromisoformat(text)
    for text in ("2024-02-29", "2024-02-29 23:59:59.999999", "1969-12-31 12:00", "2024-03-31 02:30")
]
# Berlin's clocks go from 3 back to 2 o'clock on 2024-10-27 at 1:00 UTC.
ABROAD = [dt.datetime(2024, 10, 27, hour, 30, tzinfo=UTC) for hour in (0, 1, 2)] + [
    dt.datetime(2024, 2, 28, 23, tzinfo=UTC)
]
TEXTS = ["web", "shop", "", "客户", "it's", "z", "𝄞客", "50%", "a_b"]

cells = {
    "small": st.integers(-3, 3),
    "large": st.one_of(st.integers(-3, 3), st.sampled_from([2**53 + 1, 2**53])),
    "natural": st.integers(0, 3),
    "real": st.one_of(st.integers(-3, 3).map(lambda value: value / 2), st.sampled_from([0.1, -0.0])),
    "single": st.sampled_from([0.0, 0.1, 0.5, -1.0, 2.0]),
    "money": st.sampled_from([Decimal("0.10"), Decimal("0.50"), Decimal("-1.00"), Decimal("2.25"), Decimal("0.05")]),
    "rate": st.sampled_from([Decimal("0.1000"), Decimal("0.0001"), Decimal("-2.2500"), Decimal("2.5000")]),
    "channel": st.sampled_from(TEXTS),
    "note": st.sampled_from(TEXTS),
    "day": st.sampled_from(DAYS),
    "moment": st.sampled_from(MOMENTS),
    "instant": st.sampled_from([moment.replace(microsecond=0) for moment in MOMENTS]),
    "abroad": st.sampled_from(ABROAD),
    '客户 "x"': st.booleans(),
}
rows = st.lists(
    st.fixed_dictionaries({name: st.none() | cell for name, cell in cells.items()}), min_size=1, max_size=12
)
sign = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
choice = st.sampled_from(
    [FLAG, f"NOT {FLAG}", "small > 0", "channel IS NULL", "money >= 0.5", "day > DATE '2024-01-01'"]
)


def written(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(" ".join)


def word(text: str) -> st.SearchStrategy[str]:
    return st.just(text)


def one_of_several(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Everything that takes one of several values of a kind."""
    several = st.lists(inner, min_size=1, max_size=3).map(", ".join)
    otherwise = st.just("") | st.just("ELSE NULL") | inner.map("ELSE {}".format)
    return st.one_of(
        st.tuples(st.sampled_from(["COALESCE", "LEAST", "GREATEST"]), several).map("{0[0]}({0[1]})".format),
        st.tuples(inner, inner).map("NULLIF({0[0]}, {0[1]})".format),
        written(word("CASE WHEN"), choice, word("THEN"), inner, word("WHEN"), choice, word("THEN"), inner, otherwise, word("END")),
        written(word("CASE"), inner, word("WHEN"), inner, word("THEN"), inner, otherwise, word("END")),
    )  # fmt: skip


def numbers(columns: list[str], literals: list[str], operators: str) -> st.SearchStrategy[str]:
    return st.recursive(
        st.sampled_from(columns) | st.sampled_from(literals),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(operators), inner).map(lambda parts: f"({' '.join(parts)})"),
            inner.map(lambda text: f"(- {text})"),
            inner.map("ABS({})".format),
            st.tuples(inner, st.sampled_from(["", ", 0", ", 1", ", 2", ", -1"])).map("ROUND({0[0]}{0[1]})".format),
            one_of_several(inner),
        ),
        max_leaves=4,
    )


number = numbers(
    ["small", "large", "natural", "real", "single", "money", "rate", "(moment - day)", "(day - abroad)"],
    ["0", "1", "2", "-1", "0.5", "0.1", "2.5", "2.0", "300", "9007199254740993", "-0.25"],
    "+-*/%",
)
exact = numbers(["small", "natural", "money", "rate"], ["0", "2", "-0.25", "0.1", "0.30", "0.0005"], "+-*%")
text = st.recursive(
    st.sampled_from(["channel", "note"]) | st.sampled_from(["'web'", "''", "'客户'", "'it''s'", "'𝄞'"]),
    lambda inner: st.tuples(inner, inner).map("({0[0]} || {0[1]})".format) | one_of_several(inner),
    max_leaves=4,
)
interval = st.sampled_from(
    ["INTERVAL '1' MONTH", "INTERVAL '-13 months'", "INTERVAL '1' YEAR", "INTERVAL '30 days'", "INTERVAL '4' years"]
)
time = st.recursive(
    st.sampled_from(["day", "moment", "instant", "abroad"])
    | st.sampled_from(
        ["DATE '2024-02-29'", "DATE '2023-12-31'", "TIMESTAMP '2024-10-27 02:30:00'", "TIMESTAMP '2024-02-29'"]
    ),
    lambda inner: (
        st.tuples(inner, st.sampled_from("+-"), interval).map("({0[0]} {0[1]} {0[2]})".format) | one_of_several(inner)
    ),
    max_leaves=4,
)
pattern = st.text("%_客ews𝄞'", max_size=4).map(lambda text: text.replace("'", "''")).map("'{}'".format)
escaped = st.lists(st.sampled_from(["%", "_", "!%", "!_", "!!", "5", "0", "a"]), max_size=4).map("".join)


def leaves(side: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        written(side, sign, side),
        st.tuples(side, st.sampled_from(["IN", "NOT IN"]), st.lists(side, min_size=1, max_size=4)).map(
            lambda parts: f"{parts[0]} {parts[1]} ({', '.join(parts[2])})"
        ),
        written(side, st.sampled_from(["BETWEEN", "NOT BETWEEN"]), side, word("AND"), side),
        written(side, st.sampled_from(["IS NULL", "IS NOT NULL"])),
    )


like = st.one_of(
    written(text, st.sampled_from(["LIKE", "NOT LIKE"]), pattern),
    written(text, word("LIKE"), escaped.map("'{}' ESCAPE '!'".format)),
)


def conditions(leaf: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        leaf | st.just(FLAG),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda parts: f"({' '.join(parts)})"),
            inner.map(lambda text: f"(NOT ({text}))"),
            st.tuples(inner, st.sampled_from(["IS TRUE", "IS NOT FALSE", "IS NULL"])).map(
                lambda p: f"(({p[0]}) {p[1]})"
            ),
            st.tuples(inner, inner).map("COALESCE({0[0]}, {0[1]})".format),
            st.tuples(inner, inner, inner).map("(CASE WHEN {0[0]} THEN {0[1]} ELSE {0[2]} END)".format),
        ),
        max_leaves=5,
    )


CONNECTION = duckdb.connect()
CONNECTION.execute("SET TimeZone = 'America/New_York'")  # to_sql must not depend on it
CONNECTION.execute("SET threads = 1")  # a few rows each
# Of a column plus 1 month beside the same plus 30 days duckdb 2.0 computes one: it takes the intervals for equal.
CONNECTION.execute("SET disabled_optimizers = 'common_subexpressions'")


def in_duckdb(sql: str, table: pa.Table) -> list[str | None]:
    CONNECTION.register("customers", table)
    return [label for (label,) in CONNECTION.execute(f"SELECT {sql} FROM customers").fetchall()]


def agree(rows: list[dict], rules: dict[str, str], unknown: str = "stop") -> None:
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    segmenter = xf.RuleSegmenter(rules, default="none of 'em", unknown=unknown).fit(table)
    try:
        ours = segmenter.transform(table).column("segment").to_pylist()
    except UserWarning:
        reject()  # an overflow, where duckdb raises an error
    sql = segmenter.to_sql()
    assert in_duckdb(sql, table) == ours, sql


CASES = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@CASES
@given(
    rows=rows,
    conditions=st.lists(conditions(leaves(number) | leaves(text) | leaves(time) | like), min_size=1, max_size=4),
    unknown=st.sampled_from(["stop", "skip"]),
)
def test_same_labels_as_duckdb(rows, conditions, unknown):
    agree(rows, {f"it's {place}": text for place, text in enumerate(conditions)}, unknown)


@pytest.mark.parametrize(
    "leaf",
    [leaves(number), leaves(exact), leaves(text) | like, leaves(time)],
    ids=["number", "decimal", "text", "time"],
)
def test_each_kind_of_value_as_in_duckdb(leaf):
    @CASES
    @given(rows=rows, conditions=st.lists(leaf, min_size=4, max_size=8))
    def check(rows, conditions):
        agree(rows, {f"rule {place}": text for place, text in enumerate(conditions)}, "skip")

    check()


def test_a_missing_decimal_of_which_no_digit_is_left_stays_missing():
    nothing = dict.fromkeys(SCHEMA.names)
    agree([nothing, nothing | {"small": 1}], {"zero": "0 = ROUND(CASE small WHEN small THEN -0.25 END, -1)"}, "skip")


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=rows, base=conditions(leaves(number) | leaves(time)), other=conditions(leaves(text)))
def test_rules_that_refer_to_others_as_in_duckdb(rows, base, other):
    rules = {
        "both": 'NOT "the first" AND second',
        "the first": f"(second IS NOT TRUE AND {other}) OR {FLAG}",
        "second": f"CASE WHEN {other} THEN {base} ELSE {FLAG} END",
    }
    agree(rows, rules)


@pytest.mark.parametrize("name", ["rfm.named", "rfm.named_six", "rfm.eight_cell"])
def test_presets_in_duckdb(name: str):
    scores = [None, 1, 2, 3, 4, 5]
    cells = pd.MultiIndex.from_product([scores] * 3, names=["recency_score", "frequency_score", "monetary_score"])
    table = pa.Table.from_pandas(cells.to_frame(index=False).astype("Int8"))
    segmenter = xf.load_preset(name, lang="zh").fit(table)
    assert in_duckdb(segmenter.to_sql(), table) == segmenter.transform(table).column("segment").to_pylist()


@pytest.mark.parametrize("offset", ["+08:00", "-05:30", "+00:00"])
def test_offsets_are_no_names_of_zones_in_a_warehouse(offset: str):
    times = [f"2024-01-0{day}T{clock}{offset}" for day in (1, 2) for clock in ("00:00:00", "23:59:59")]
    frame = pd.DataFrame({"t": pd.to_datetime(times)})
    rules = {"first": "t < DATE '2024-01-02'", "late": "t >= TIMESTAMP '2024-01-02 23:59:59'"}
    segmenter = xf.RuleSegmenter(rules, default="second").fit(frame)
    wanted = ["first", "first", "second", "late"]
    assert segmenter.transform(frame)["segment"].tolist() == wanted
    found = duckdb.sql(f"SELECT {segmenter.to_sql()} AS label FROM frame").fetchall()
    assert [label for (label,) in found] == wanted
