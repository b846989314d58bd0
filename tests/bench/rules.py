"""Rules against look-up tables, np.select, polars when/then and SQL CASE."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import xifen as xf
from harness import Bench

# The preset rfm.named, by hand: R, F and M are the scores.
NAMED = {
    "champions": "R >= 4 AND F >= 4 AND M >= 4",
    "cant_lose": "R <= 2 AND F >= 4 AND M >= 4",
    "loyal": "R >= 3 AND (F >= 4 OR (F = 3 AND M >= 3))",
    "new": "R = 5 AND F = 1",
    "promising": "R = 4 AND F = 1",
    "potential_loyalist": "R >= 4",
    "need_attention": "R = 3 AND (F = 3 OR M >= 3)",
    "about_to_sleep": "R = 3",
    "at_risk": "F >= 3 OR M >= 4",
    "lost": "R = 1 AND M <= 2",
}
SEGMENTS = [*NAMED, "hibernating"]
SCORES = {"R": "recency_score", "F": "frequency_score", "M": "monetary_score"}

# Ten rules over six columns: int64, int64, int8, float64, float64, categorical text.
RULES = {
    "key": "monetary > 50000 AND gross_margin > 0.3",
    "rising": "recency_score = 5 AND order_count >= 20",
    "win_back": "recency_days > 365 AND (monetary > 20000 OR order_count >= 30)",
    "thin": "monetary > 20000 AND gross_margin < 0.1",
    "partner": "channel IN ('partner', 'reseller') AND order_count >= 5",
    "profitable": "monetary * gross_margin > 6000",
    "steady": "recency_days BETWEEN 31 AND 90 AND order_count BETWEEN 5 AND 19",
    "new_online": "channel = 'web' AND order_count <= 2 AND recency_days <= 30",
    "sleeping": "NOT (recency_days < 180) AND monetary <= 20000",
    "small": "monetary < 500 OR order_count = 1",
}
LABELS = [*RULES, "other"]
PREPARED = "Tables, expressions and our fitted rules are made beforehand."
CHANNELS = ["web", "shop", "phone", "partner", "reseller"]


def named_by_numpy(r: np.ndarray, f: np.ndarray, m: np.ndarray) -> list[np.ndarray]:
    return [
        (r >= 4) & (f >= 4) & (m >= 4),
        (r <= 2) & (f >= 4) & (m >= 4),
        (r >= 3) & ((f >= 4) | ((f == 3) & (m >= 3))),
        (r == 5) & (f == 1),
        (r == 4) & (f == 1),
        r >= 4,
        (r == 3) & ((f == 3) | (m >= 3)),
        r == 3,
        (f >= 3) | (m >= 4),
        (r == 1) & (m <= 2),
    ]


def rules_by_numpy(columns: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    days, orders, score, money, margin, channel = columns.values()  # channel is its code
    return [
        (money > 50000) & (margin > 0.3),
        (score == 5) & (orders >= 20),
        (days > 365) & ((money > 20000) | (orders >= 30)),
        (money > 20000) & (margin < 0.1),
        (channel >= 3) & (orders >= 5),
        money * margin > 6000,
        (days >= 31) & (days <= 90) & (orders >= 5) & (orders <= 19),
        (channel == 0) & (orders <= 2) & (days <= 30),
        (days >= 180) & (money <= 20000),
        (money < 500) | (orders == 1),
    ]


def select(conditions: Sequence[np.ndarray], labels: Sequence[str]) -> dict[str, pd.Categorical]:
    codes = np.select(conditions, [np.int8(code) for code in range(len(conditions))], np.int8(len(conditions)))
    return {"segment": pd.Categorical.from_codes(codes, labels)}


def with_numpy_named(scores: Sequence[np.ndarray]) -> dict[str, pd.Categorical]:
    return select(named_by_numpy(*scores), SEGMENTS)


def with_numpy_rules(columns: Mapping[str, np.ndarray]) -> dict[str, pd.Categorical]:
    return select(rules_by_numpy(columns), LABELS)


def with_look_up(scores: Sequence[np.ndarray], codes: np.ndarray) -> dict[str, pd.Categorical]:
    r, f, m = scores
    return {"segment": pd.Categorical.from_codes(codes[r * np.uint8(25) + f * np.uint8(5) + m], SEGMENTS)}


def with_look_up_enum(scores: Sequence[np.ndarray], codes: np.ndarray) -> pl.DataFrame:
    r, f, m = scores
    return as_enum(codes[r * np.uint8(25) + f * np.uint8(5) + m])


def with_numpy_named_enum(scores: Sequence[np.ndarray]) -> pl.DataFrame:
    return as_enum(with_numpy_named(scores)["segment"].codes.astype(np.uint8))


def as_enum(codes: np.ndarray) -> pl.DataFrame:
    """Quicker than .cat.to(), which plans a query."""
    return pl.DataFrame({"segment": pl.Series(SEGMENTS, dtype=pl.Enum(SEGMENTS))[pl.Series(codes)]})


def look_up_table() -> np.ndarray:
    """Segment code by 25 R + 5 F + M."""
    r, f, m = (axis.ravel().astype(np.uint8) for axis in np.indices((5, 5, 5)) + 1)
    codes = np.zeros(156, dtype=np.int8)
    codes[r * 25 + f * 5 + m] = with_numpy_named((r, f, m))["segment"].codes
    return codes


def with_polars(frame: pl.DataFrame, rules: Mapping[str, pl.Expr], labels: Sequence[str]) -> pl.DataFrame:
    chain = pl
    for code, rule in enumerate(rules.values()):
        chain = chain.when(rule).then(pl.lit(code, pl.UInt8))
    return frame.select(segment=chain.otherwise(pl.lit(len(rules), pl.UInt8)).cat.to(pl.Enum(labels)))


def with_duckdb(
    frame: pa.Table,  # noqa: ARG001 (duckdb finds it by its name)
    rules: Mapping[str, str],
    labels: Sequence[str],
) -> dict[str, pd.Categorical]:
    whens = " ".join(f"WHEN {rule} THEN {code}::TINYINT" for code, rule in enumerate(rules.values()))
    codes = duckdb.sql(f"SELECT CASE {whens} ELSE {len(rules)}::TINYINT END AS code FROM frame").fetchnumpy()["code"]
    return {"segment": pd.Categorical.from_codes(np.ma.getdata(codes), labels)}


def scored(rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(13)
    return {name: rng.integers(1, 6, rows).astype(np.uint8) for name in SCORES.values()}


def named(rows: int) -> Bench:
    scores = scored(rows)
    in_polars = pl.DataFrame({name: values.astype(np.int8) for name, values in scores.items()})
    in_pandas = pd.DataFrame({name: pd.array(values.astype(np.int8), dtype="Int8") for name, values in scores.items()})
    spelled = {label: re.sub(r"\b[RFM]\b", lambda word: SCORES[word[0]], rule) for label, rule in NAMED.items()}
    three, table = list(scores.values()), look_up_table()
    segmenter = xf.load_preset("rfm.named").fit(in_pandas)
    return Bench(
        ours={
            "xifen, pandas in": lambda: segmenter.transform(in_pandas),
            "xifen, polars in": lambda: segmenter.transform(in_polars),
        },
        rivals={
            "numpy look-up table into Categorical": partial(with_look_up, three, table),
            "numpy look-up table into polars Enum": partial(with_look_up_enum, three, table.astype(np.uint8)),
            "np.select into Categorical": partial(with_numpy_named, three),
            "np.select into polars Enum": partial(with_numpy_named_enum, three),
            "polars when/then": partial(with_polars, in_polars, _expressions(spelled), SEGMENTS),
            "duckdb CASE": partial(with_duckdb, batches(in_polars.to_arrow()), spelled, SEGMENTS),
        },
        wanted={
            "numpy look-up table into Categorical": (1, None),
            "numpy look-up table into polars Enum": (None, 1),
            "np.select into Categorical": (10, None),
            "np.select into polars Enum": (None, 10),
        },
        note=f"{PREPARED} Ours checks every score against its domain and returns the frame with the segment.",
    )


def customers(rows: int, *, nulls: bool) -> pa.Table:
    rng = np.random.default_rng(17)
    columns = {
        "recency_days": rng.integers(0, 730, rows),
        "order_count": 1 + rng.geometric(0.12, rows),
        "recency_score": rng.integers(1, 6, rows).astype(np.int8),
        "monetary": np.round(rng.lognormal(7.5, 1.5, rows), 2),
        "gross_margin": np.round(rng.normal(0.28, 0.12, rows), 4),
        "channel": rng.integers(0, len(CHANNELS), rows).astype(np.int8),
    }
    missing = {name: rng.random(rows) < 0.05 if nulls else None for name in columns}
    arrays = {name: pa.array(values, mask=missing[name]) for name, values in columns.items()}
    arrays["channel"] = pa.DictionaryArray.from_arrays(arrays["channel"], CHANNELS)
    return pa.table(arrays)


def first_match(rows: int, *, nulls: bool) -> Bench:
    frame = customers(rows, nulls=nulls)
    in_polars = pl.from_arrow(frame).with_columns(pl.col("channel").cast(pl.Enum(CHANNELS)))
    in_pandas = frame.to_pandas(split_blocks=True, types_mapper=_masked if nulls else None)
    missing = {"dtype": np.float64, "na_value": np.nan} if nulls else {}
    arrays = {name: column.to_numpy(**missing) for name, column in in_pandas.items() if name != "channel"}
    arrays["channel"] = in_pandas["channel"].cat.codes.to_numpy()
    segmenter = xf.RuleSegmenter(RULES, default="other", unknown="skip").fit(in_pandas)
    return Bench(
        ours={
            "xifen, pandas in": lambda: segmenter.transform(in_pandas),
            "xifen, polars in": lambda: segmenter.transform(in_polars),
        },
        rivals={
            "polars when/then": partial(with_polars, in_polars, _expressions(RULES), LABELS),
            "duckdb CASE": partial(with_duckdb, batches(frame), RULES, LABELS),
            "np.select": partial(with_numpy_rules, arrays),
        },
        wanted={"polars": (2.5, 2.5), "duckdb": (6, 6)},
        note=PREPARED,
    )


def rules_of(count: int) -> dict[str, str]:
    """One, ten or fifty compound rules; the fifty are the ten with other thresholds."""
    shifted = {}
    for turn in range(-(-count // len(RULES))):
        for label, rule in RULES.items():
            text = re.sub(r"\b(\d{2,})\b", lambda number, turn=turn: str(int(number[1]) + 7 * turn), rule)
            shifted[f"{label}_{turn}"] = text
    return dict(list(shifted.items())[:count])


def tags_by_polars(frame: pl.DataFrame, rules: Mapping[str, pl.Expr]) -> pl.DataFrame:
    return frame.with_columns(**rules)


def tags_by_numpy(columns: Mapping[str, np.ndarray], names: Sequence[str]) -> dict[str, np.ndarray]:
    return dict(zip(names, rules_by_numpy(columns), strict=False))


def tags(rows: int, count: int, *, nulls: bool) -> Bench:
    frame = customers(rows, nulls=nulls)
    in_polars = pl.from_arrow(frame).with_columns(pl.col("channel").cast(pl.Enum(CHANNELS)))
    in_pandas = frame.to_pandas(split_blocks=True, types_mapper=_masked if nulls else None)
    rules = rules_of(count)
    tagger = xf.RuleTagger(rules).fit(in_pandas)
    rivals = {"polars expressions": partial(tags_by_polars, in_polars, _expressions(rules))}
    if count <= len(RULES) and not nulls:  # numpy has no unknown
        arrays = {name: column.to_numpy() for name, column in in_pandas.items() if name != "channel"}
        arrays["channel"] = in_pandas["channel"].cat.codes.to_numpy()
        rivals["numpy"] = partial(tags_by_numpy, arrays, list(rules))
    least = 2 if count == len(RULES) else 1
    return Bench(
        ours={
            "xifen, polars in": lambda: tagger.transform(in_polars),
            "xifen, pandas in": lambda: tagger.transform(in_pandas),
        },
        rivals=rivals,
        wanted={"polars": (least, None)},
        note=f"{PREPARED} A nullable boolean per rule behind the caller's own columns; pandas holds two bytes for each, "
        "polars two bits.",
    )


def _masked(kind: pa.DataType) -> object:
    return {pa.int64(): pd.Int64Dtype(), pa.int8(): pd.Int8Dtype()}.get(kind)


def _expressions(rules: Mapping[str, str]) -> dict[str, pl.Expr]:
    return {label: pl.sql_expr(rule) for label, rule in rules.items()}


def batches(frame: pa.Table) -> pa.Table:
    """In pieces of a duckdb row group, so that it works on several at once."""
    return pa.Table.from_batches(frame.combine_chunks().to_batches(max_chunksize=122_880))


def benches(*, quick: bool) -> Iterator[tuple[str, Callable[[], Bench]]]:
    rows = 2_000 if quick else 1_000_000
    yield f"Named segments (11 rules, 3 scores), {rows:,} rows", partial(named, rows)
    for many in [rows] if quick else [rows, 10 * rows]:
        for nulls in (False, True):
            title = f"RuleSegmenter, 10 rules over 6 columns, {many:,} rows, {'5 % nulls' if nulls else 'no nulls'}"
            yield title, partial(first_match, many, nulls=nulls)
    for many, count in [(rows, 10)] if quick else [(rows, 1), (rows, 10), (10 * rows, 10), (rows, 50)]:
        for nulls in (False, True):
            shown = "1 rule" if count == 1 else f"{count} rules"
            title = f"RuleTagger, {shown} over 6 columns, {many:,} rows, {'5 % nulls' if nulls else 'no nulls'}"
            yield title, partial(tags, many, count, nulls=nulls)
