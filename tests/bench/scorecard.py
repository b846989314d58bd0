"""A scorecard against cutting and mapping each column by hand, in pandas, numpy and polars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import xifen as xf
from harness import Bench

# Nine measures: cuts (a value equal to one lies above it) and the points of the bands; then three categories.
BANDS = {
    "annual_income": ([100_000, 300_000, 500_000], [0, 8, 15, 20]),
    "age": ([18, 25, 46, 61], [0, 4, 10, 6, 2]),
    "order_count": ([2, 5, 10], [0, 5, 8, 12]),
    "recency_days": ([30, 90, 180], [10, 6, 3, 0]),
    "monetary": ([1000, 5000, 20_000], [0, 4, 7, 10]),
    "gross_margin": ([0.1, 0.2, 0.3], [0, 2, 4, 6]),
    "payment_days": ([30, 60, 90], [8, 5, 2, 0]),
    "enquiries": ([1, 3, 10], [0, 2, 4, 5]),
    "employees": ([50, 500], [1, 3, 5]),
}
CATEGORIES = {
    "industry": {"manufacturing": 6, "services": 4, "retail": 3, "other": 1},
    "region": {"east": 4, "south": 3, "north": 2, "west": 1},
    "channel": {"web": 1, "shop": 2, "phone": 3, "partner": 4},
}
POINTS = [f"{name}_points" for name in (*BANDS, *CATEGORIES)]
LOWEST = sum(min(points) for _, points in BANDS.values()) + sum(min(each.values()) for each in CATEGORIES.values())
HIGHEST = sum(max(points) for _, points in BANDS.values()) + sum(max(each.values()) for each in CATEGORIES.values())
CARD = {name: {"edges": [f"< {cut}" for cut in cuts], "points": points} for name, (cuts, points) in BANDS.items()}
CARD |= {name: {"categories": points} for name, points in CATEGORIES.items()}


def customers(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(23)
    frame = {
        "annual_income": np.round(rng.lognormal(12, 0.8, rows), 2),
        "age": rng.integers(16, 80, rows),
        "order_count": rng.geometric(0.2, rows),
        "recency_days": rng.integers(0, 400, rows),
        "monetary": np.round(rng.lognormal(8, 1.3, rows), 2),
        "gross_margin": np.round(rng.normal(0.2, 0.1, rows), 4),
        "payment_days": rng.integers(0, 120, rows),
        "enquiries": rng.poisson(2, rows),
        "employees": np.round(rng.lognormal(4, 1.5, rows)),
    }
    for name, points in CATEGORIES.items():
        frame[name] = pd.Categorical.from_codes(rng.integers(0, len(points), rows), list(points))
    return pd.DataFrame(frame)


def totals(frame: pd.DataFrame) -> pd.DataFrame:
    frame["total_points"] = frame[POINTS].sum(axis=1).astype(np.float64)
    frame["score"] = (frame["total_points"] - LOWEST) / (HIGHEST - LOWEST) * 100
    return frame


def with_pandas_cut(frame: pd.DataFrame) -> pd.DataFrame:
    out = frame.copy(deep=False)
    for name, (cuts, points) in BANDS.items():
        bands = pd.cut(frame[name], [-np.inf, *cuts, np.inf], right=False, labels=range(len(points)))
        out[f"{name}_points"] = bands.map(dict(enumerate(points))).astype(np.int64)
    for name, points in CATEGORIES.items():
        out[f"{name}_points"] = frame[name].map(points).astype(np.int64)
    return totals(out)


def with_numpy_searchsorted(frame: pd.DataFrame) -> pd.DataFrame:
    out = frame.copy(deep=False)
    for name, (cuts, points) in BANDS.items():
        places = np.searchsorted(cuts, frame[name].to_numpy(), side="right")
        out[f"{name}_points"] = np.asarray(points, dtype=np.int16)[places]
    for name, points in CATEGORIES.items():
        out[f"{name}_points"] = np.asarray(list(points.values()), dtype=np.int16)[frame[name].cat.codes]
    return totals(out)


def with_polars(frame: pl.DataFrame) -> pl.DataFrame:
    scored = []
    for name, (cuts, points) in BANDS.items():
        chain = pl
        for cut, each in zip(cuts, points, strict=False):
            chain = chain.when(pl.col(name) < cut).then(pl.lit(each, pl.Int16))
        scored.append(chain.otherwise(pl.lit(points[-1], pl.Int16)).alias(f"{name}_points"))
    for name, points in CATEGORIES.items():
        mapped = pl.col(name).replace_strict(points, return_dtype=pl.Int16)
        scored.append(mapped.alias(f"{name}_points"))
    out = frame.with_columns(scored).with_columns(total_points=pl.sum_horizontal(POINTS).cast(pl.Float64))
    return out.with_columns(score=(pl.col("total_points") - LOWEST) / (HIGHEST - LOWEST) * 100)


def scorecard(rows: int) -> Bench:
    in_pandas = customers(rows)
    in_polars = pl.from_pandas(in_pandas).with_columns(
        pl.col(name).cast(pl.Enum(list(points))) for name, points in CATEGORIES.items()
    )
    return Bench(
        ours={
            "xifen, pandas in": lambda: xf.Scorecard(CARD).fit_transform(in_pandas),
            "xifen, polars in": lambda: xf.Scorecard(CARD).fit_transform(in_polars),
        },
        rivals={
            "pandas cut and map": partial(with_pandas_cut, in_pandas),
            "numpy searchsorted": partial(with_numpy_searchsorted, in_pandas),
            "polars when/then": partial(with_polars, in_polars),
        },
        wanted={"pandas cut": (10, 10)},
        note="Points per indicator, total and score; rivals add in whole numbers and look for no missing or unknown value.",
    )


def benches(*, quick: bool) -> Iterator[tuple[str, Callable[[], Bench]]]:
    rows = 2_000 if quick else 1_000_000
    yield f"Scorecard, 12 indicators, {rows:,} rows, fit_transform", partial(scorecard, rows)
