"""Random rules over random data with missing values: the labels against duckdb running `to_sql()`."""

from __future__ import annotations

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
        ("channel", pa.string()),
        ('客户 "x"', pa.bool_()),
    ]
)
FLAG = '"客户 ""x"""'
NUMBERS = ["small", "large", "natural", "real", "single", "money"]
LITERALS = ["0", "1", "2", "-1", "0.5", "0.1", "2.5", "2.0", "300", "9007199254740993", "-0.25"]
TEXTS = ["'web'", "'shop'", "''", "'客户'", "'it''s'"]

cells = {
    "small": st.integers(-3, 3),
    "large": st.one_of(st.integers(-3, 3), st.sampled_from([2**53 + 1, 2**53])),
    "natural": st.integers(0, 3),
    "real": st.one_of(st.integers(-3, 3).map(lambda value: value / 2), st.just(0.1)),
    "single": st.sampled_from([0.0, 0.1, 0.5, -1.0, 2.0]),
    "money": st.sampled_from([Decimal("0.10"), Decimal("0.50"), Decimal("-1.00"), Decimal("2.25")]),
    "channel": st.sampled_from(["web", "shop", "", "客户", "it's", "z"]),
    '客户 "x"': st.booleans(),
}
rows = st.lists(
    st.fixed_dictionaries({name: st.none() | cell for name, cell in cells.items()}), min_size=1, max_size=30
)

number = st.recursive(
    st.sampled_from(NUMBERS) | st.sampled_from(LITERALS),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/%"), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda text: f"(- {text})"),
    ),
    max_leaves=4,
)
text = st.just("channel") | st.sampled_from(TEXTS)
sign = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


def leaves(side):
    return st.one_of(
        st.tuples(side, sign, side).map(" ".join),
        st.tuples(side, st.sampled_from(["IN", "NOT IN"]), st.lists(side, min_size=1, max_size=4)).map(
            lambda parts: f"{parts[0]} {parts[1]} ({', '.join(parts[2])})"
        ),
        st.tuples(side, side, side).map(lambda parts: f"{parts[0]} BETWEEN {parts[1]} AND {parts[2]}"),
        st.tuples(side, st.sampled_from(["IS NULL", "IS NOT NULL"])).map(" ".join),
    )


condition = st.recursive(
    leaves(number) | leaves(text) | st.just(FLAG),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda text: f"(NOT ({text}))"),
        st.tuples(inner, st.sampled_from(["IS TRUE", "IS NOT FALSE", "IS NULL"])).map(lambda p: f"(({p[0]}) {p[1]})"),
    ),
    max_leaves=5,
)


def in_duckdb(sql: str, table: pa.Table) -> list[str | None]:
    connection = duckdb.connect()
    connection.register("customers", table)
    return [label for (label,) in connection.execute(f"SELECT {sql} FROM customers").fetchall()]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=rows, conditions=st.lists(condition, min_size=1, max_size=4), unknown=st.sampled_from(["stop", "skip"]))
def test_same_labels_as_duckdb(rows, conditions, unknown):
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    rules = {f"it's {place}": text for place, text in enumerate(conditions)}
    segmenter = xf.RuleSegmenter(rules, default="none of 'em", unknown=unknown).fit(table)
    try:
        ours = segmenter.transform(table).column("segment").to_pylist()
    except UserWarning:
        reject()  # an integer overflow, where duckdb raises an error
    assert in_duckdb(segmenter.to_sql(), table) == ours


@pytest.mark.parametrize("name", ["rfm.named", "rfm.named_six", "rfm.eight_cell"])
def test_presets_in_duckdb(name: str):
    scores = [None, 1, 2, 3, 4, 5]
    cells = pd.MultiIndex.from_product([scores] * 3, names=["recency_score", "frequency_score", "monetary_score"])
    table = pa.Table.from_pandas(cells.to_frame(index=False).astype("Int8"))
    segmenter = xf.load_preset(name, lang="zh").fit(table)
    assert in_duckdb(segmenter.to_sql(), table) == segmenter.transform(table).column("segment").to_pylist()
