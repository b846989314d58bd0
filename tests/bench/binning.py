"""Binner and RFMScorer against the quintiles people write by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import xifen as xf
from harness import Bench
from sklearn.preprocessing import KBinsDiscretizer

COLUMNS = ("recency_days", "order_count", "monetary")
SCORES = ("recency_score", "frequency_score", "monetary_score")
FIFTHS = (0.2, 0.4, 0.6, 0.8)
Edges = Callable[[np.ndarray], np.ndarray]
CELLS = [f"{r}{f}{m}" for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)]


def measures(rows: int) -> pd.DataFrame:
    """Three measures with many ties in two of them; no two edges coincide, where pandas and polars would differ."""
    rng = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "recency_days": rng.integers(0, 730, rows),
            "order_count": 1 + rng.negative_binomial(2, 0.1, rows),
            "monetary": np.round(rng.lognormal(5, 1, rows), 2),
        }
    )


# Rivals of Binner: days since the last order count backwards, so its score is 6 minus the bin.


def numpy_compares(columns: Mapping[str, np.ndarray], edges: Edges) -> dict[str, np.ndarray]:
    out = {}
    for name, values in columns.items():
        score = np.ones(len(values), dtype=np.int8)
        for edge in edges(values):
            score += values > edge
        out[name] = 6 - score if name == "recency_days" else score
    return out


def numpy_searchsorted(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    out = {}
    for name, values in columns.items():
        score = 1 + np.searchsorted(by_quantile(values), values).astype(np.int8)
        out[name] = 6 - score if name == "recency_days" else score
    return out


def by_quantile(values: np.ndarray) -> np.ndarray:
    return np.quantile(values, FIFTHS)


def by_sort(values: np.ndarray) -> np.ndarray:
    """Full sorts are vector code in numpy where selections are not, and win on processors with AVX-512."""
    ordered = np.sort(values)
    place = (len(values) - 1) * np.array(FIFTHS)
    below = ordered[place.astype(np.int64)]
    return below + (ordered[place.astype(np.int64) + 1] - below) * (place % 1)


def pandas_qcut(frame: pd.DataFrame) -> pd.DataFrame:
    out = {name: pd.qcut(frame[name], 5, labels=False) + 1 for name in COLUMNS}
    return pd.DataFrame(out | {"recency_days": 6 - out["recency_days"]})


def polars_bins(frame: pl.DataFrame) -> pl.DataFrame:
    """qcut under its newer name: numbers at once, where qcut's category codes depend on the process's history."""
    score = {name: 1 + pl.col(name).bin_quantiles(5, labels=False, right_closed=True).cast(pl.Int8) for name in COLUMNS}
    return frame.select(**(score | {"recency_days": 6 - score["recency_days"]}))


def polars_compares(frame: pl.DataFrame) -> pl.DataFrame:
    score = {
        name: 1 + sum((pl.col(name) > pl.col(name).quantile(p, "linear")).cast(pl.Int8) for p in FIFTHS)
        for name in COLUMNS
    }
    return frame.select(**(score | {"recency_days": 6 - score["recency_days"]}))


def k_bins(negated: np.ndarray) -> dict[str, np.ndarray]:
    """Its bins hold their lower edge and ours the upper one, so it gets the measures with their signs turned."""
    binner = KBinsDiscretizer(5, encode="ordinal", strategy="quantile", quantile_method="linear", subsample=None)
    bins = binner.fit_transform(negated).astype(np.int8)
    return {"recency_days": 1 + bins[:, 0], "order_count": 5 - bins[:, 1], "monetary": 5 - bins[:, 2]}


# Rivals of RFMScorer: the scores, the cell as a categorical, and the mean score.


def scores_by_numpy(frame: pd.DataFrame, edges: Edges) -> pd.DataFrame:
    scores = numpy_compares({name: frame[name].to_numpy() for name in COLUMNS}, edges)
    r, f, m = scores.values()
    return frame.assign(
        **dict(zip(SCORES, (r, f, m), strict=True)),
        rfm_cell=pd.Categorical.from_codes((r - 1) * 25 + (f - 1) * 5 + (m - 1), CELLS),
        rfm_score=(r + f + m) / 3,
    )


def scores_by_polars(frame: pl.DataFrame, score: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    scored = frame.hstack(score(frame).rename(dict(zip(COLUMNS, SCORES, strict=True))))
    r, f, m = (pl.col(name) for name in SCORES)
    code = r.cast(pl.UInt8) * 25 + f.cast(pl.UInt8) * 5 + m.cast(pl.UInt8) - 31
    return scored.with_columns(rfm_cell=code.cat.to(pl.Enum(CELLS)), rfm_score=(r + f + m) / 3)


def binner(rows: int) -> Bench:
    in_pandas = measures(rows)
    in_polars, arrays = pl.from_pandas(in_pandas), {name: in_pandas[name].to_numpy() for name in COLUMNS}
    negated = -in_pandas.to_numpy(dtype=np.float64)
    fives = xf.Binner(5, descending=("recency_days",))
    return Bench(
        ours={
            "xifen, pandas in": lambda: fives.fit_transform(in_pandas),
            "xifen, polars in": lambda: fives.fit_transform(in_polars),
        },
        rivals={
            "numpy quantile, compares": partial(numpy_compares, arrays, by_quantile),
            "numpy quantile, searchsorted": partial(numpy_searchsorted, arrays),
            "numpy sort, compares": partial(numpy_compares, arrays, by_sort),
            "polars bin_quantiles (qcut)": partial(polars_bins, in_polars),
            "polars quantile, compares": partial(polars_compares, in_polars),
            "pandas qcut": partial(pandas_qcut, in_pandas),
            "KBinsDiscretizer": partial(k_bins, negated),
        },
        wanted={"numpy quantile": (3, 3), "polars bin_quantiles": (4.5, 4.5)},
    )


def scorer(rows: int) -> Bench:
    in_pandas = measures(rows)
    in_polars = pl.from_pandas(in_pandas)
    return Bench(
        ours={
            "xifen, pandas in": lambda: xf.RFMScorer().fit_transform(in_pandas),
            "xifen, polars in": lambda: xf.RFMScorer().fit_transform(in_polars),
        },
        rivals={
            "numpy quantile, compares": partial(scores_by_numpy, in_pandas, by_quantile),
            "numpy sort, compares": partial(scores_by_numpy, in_pandas, by_sort),
            "polars bin_quantiles (qcut)": partial(scores_by_polars, in_polars, polars_bins),
            "polars quantile, compares": partial(scores_by_polars, in_polars, polars_compares),
        },
        wanted={"numpy quantile": (3, 3), "polars bin_quantiles": (4.5, 4.5)},
        note="Each gives the three scores, the cell as a categorical and the mean score; rivals learn no edges to keep.",
    )


def benches(*, quick: bool) -> Iterator[tuple[str, Callable[[], Bench]]]:
    rows = 2_000 if quick else 1_000_000
    yield f"Binner, quintiles of 3 columns, {rows:,} rows, fit_transform", partial(binner, rows)
    yield f"RFMScorer, {rows:,} rows, fit_transform", partial(scorer, rows)
