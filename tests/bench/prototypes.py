"""K-prototypes and k-modes against the kmodes package."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import xifen as xf
from harness import Bench

try:
    import kmodes.kmodes
    import kmodes.kprototypes
except ImportError:  # only the bench group has it; the tests run benches without
    kmodes = None


def mixed(rows: int) -> np.ndarray:
    """Three numbers and two categories around five prototypes."""
    rng = np.random.default_rng(5)
    group = rng.integers(0, 5, rows)
    X = np.empty((rows, 5), dtype=object)
    X[:, :3] = rng.normal(scale=2, size=(5, 3))[group] + rng.normal(size=(rows, 3))
    for column, categories in ((3, 4), (4, 6)):
        own = rng.integers(0, categories, 5)
        X[:, column] = np.where(rng.random(rows) < 0.4, rng.integers(0, categories, rows), own[group]).astype(str)
    return X


def prototypes(rows: int, wanted: float) -> Bench:
    X = mixed(rows)
    best = xf.KPrototypes(5, random_state=0).fit(X).cost_

    def fit(make: Callable[..., Any], **more: Any) -> dict[str, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cost = make(5, init="Huang", n_init=1, random_state=0).fit(X, **more).cost_
        return {"near the best": [bool(cost <= best * 1.5)]}

    rivals = {} if kmodes is None else {"kmodes": partial(fit, kmodes.kprototypes.KPrototypes, categorical=[3, 4])}
    return Bench(
        ours={"xifen": partial(fit, xf.KPrototypes)},
        rivals=rivals,
        wanted={"kmodes": (wanted,)},
        note="One start; an array of objects, whose categories both encode.",
    )


def modes(rows: int, columns: int) -> Bench:
    rng = np.random.default_rng(5)
    group = rng.integers(0, 8, rows)
    own = rng.integers(0, 6, (8, columns))
    X = np.where(rng.random((rows, columns)) < 0.4, rng.integers(0, 6, (rows, columns)), own[group])
    best = xf.KModes(8, init="Huang", random_state=0).fit(X).cost_

    def fit(make: Callable[..., Any]) -> dict[str, Any]:
        return {"near the best": [bool(make(8, init="Cao", n_init=1).fit(X).cost_ <= best * 1.5)]}

    return Bench(
        ours={"xifen": partial(fit, xf.KModes)},
        rivals={} if kmodes is None else {"kmodes": partial(fit, kmodes.kmodes.KModes)},
        wanted={"kmodes": (100,)},
    )


def benches(*, quick: bool) -> Iterator[tuple[str, Callable[[], Bench]]]:
    share = 50 if quick else 1
    for rows, wanted in ((10_000, 200), (100_000, 500)):
        yield (
            f"KPrototypes, {rows // share:,} x (3 numbers + 2 categories), 5 clusters",
            partial(prototypes, rows // share, wanted),
        )
    yield f"KModes, {10_000 // share:,} x 10, 8 clusters", partial(modes, 10_000 // share, 10)
