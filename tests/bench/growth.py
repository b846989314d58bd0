"""How the time of KMeans grows with rows, clusters and columns: the same share of work should take the same time."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import sklearn.cluster
import xifen as xf
from harness import DifferenceError, table

ROUNDS = 10  # of Lloyd's algorithm
CALLS = 5


class Growth:
    """A table of times: each line is a number of rows, columns and clusters."""

    def __init__(self, sizes: list[tuple[int, int, int]]) -> None:
        self.sizes = sizes

    def run(self, title: str, *, quick: bool = False) -> str:
        head = ["rows", "columns", "clusters", "xifen, ms", "ps per share of work", "scikit-learn, ms", "faster by"]
        lines = []
        for rows, columns, clusters in self.sizes:
            X = np.random.default_rng(7).normal(size=(rows, columns))
            X += np.repeat(np.arange(clusters), -(-rows // clusters))[:rows, None]
            both = {library: partial(fit, library.KMeans, X, clusters) for library in (xf, sklearn.cluster)}
            (rounds, inertia), other = (call() for call in both.values())
            if other[0] != rounds or not np.isclose(other[1], inertia, rtol=1e-9):
                raise DifferenceError(f"{rows} x {columns}, {clusters}: {(rounds, inertia)} here, {other} there")
            ours, theirs = (milliseconds(call, 1 if quick else CALLS) for call in both.values())
            share = ours * 1e9 / (rows * columns * clusters * rounds)
            sizes = [f"{rows:,}", str(columns), str(clusters)]
            lines.append([*sizes, f"{ours:.3g}", f"{share:.0f}", f"{theirs:.3g}", f"{theirs / ours:.1f}x"])
        wanted = f"Up to {ROUNDS} rounds from the same centres, medians of {CALLS} calls; a share is a row, column, centre and round."
        return f"### {title}\n\n{wanted}\n\n{table(head, lines)}"


def fit(make: Callable[..., Any], X: np.ndarray, clusters: int) -> tuple[int, float]:
    start = X[:: len(X) // clusters][:clusters]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ten rounds are too few, on purpose
        km = make(clusters, init=start, n_init=1, max_iter=ROUNDS, tol=0).fit(X)
    return km.n_iter_, float(km.inertia_)


def milliseconds(call: Callable[[], object], calls: int) -> float:
    took = []
    for _ in range(calls):
        begin = time.perf_counter()
        call()
        took.append(time.perf_counter() - begin)
    return median(took) * 1e3


def benches(*, quick: bool) -> Iterator[tuple[str, Callable[[], Growth]]]:
    share = 200 if quick else 1
    powers = (4, 5, 6) if quick else (4, 5, 6, 7)
    by_rows = [(10**power // share, 3, 8) for power in powers]
    by_clusters = [(1_000_000 // share, 3, clusters) for clusters in (2, 4, 8, 16, 32, 64)]
    by_columns = [(300_000 // share, columns, 8) for columns in (1, 2, 3, 4, 5, 8, 9, 16, 17, 32, 33, 64)]
    for over, sizes in (("rows", by_rows), ("clusters", by_clusters), ("columns", by_columns)):
        yield f"Growth of KMeans with {over}", partial(Growth, sizes)
