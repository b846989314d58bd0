"""Presets in a warehouse: the same labels, missing values included."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import xifen as xf


def in_duckdb(sql: str, table: pa.Table) -> list[str | None]:
    connection = duckdb.connect()
    connection.register("customers", table)
    return [label for (label,) in connection.execute(f"SELECT {sql} FROM customers").fetchall()]


@pytest.mark.parametrize(
    "name", ["types.published", "types.practice", "state.maturity", "band.region", "importance.value"]
)
def test_presets_with_missing_values_in_duckdb(name: str):
    rng = np.random.default_rng(len(name))

    def some(values: list) -> pa.Array:
        return pa.array([values[place] for place in rng.integers(0, len(values), 2_000)])

    scores = {f"{part}_score": some([None, 1, 2, 3, 4, 5]) for part in ("recency", "frequency", "monetary")}
    counts = {f"order_count{part}": some([None, 0, 1, 7]) for part in ("", "_30D", "_90D", "_prev_90D")}
    table = pa.table(
        {
            **scores,
            **counts,
            "tenure_days": some([None, 10.0, 90.0, 400.0]),
            "service_feedback": some([None, "negative", "差评", "good"]),
            "matrix_cell": some([None, "star", "现金牛客户", "potential"]),
            "province": some([None, "上海", "44", "Paris"]),
            "monetary_12M": some([None, 99_999.0, 500_000.0, 450_000.0]),
            "indirect_value": some([None, 0.0, 50_000.0, 1.0]),
        }
    )
    segmenter = xf.load_preset(name, lang="zh").fit(table)
    ours = segmenter.transform(table).column(segmenter.output).to_pylist()
    assert in_duckdb(segmenter.to_sql(), table) == ours
    assert len(set(ours)) > 2
