"""Clusters and their measures against scikit-learn with its own threads."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import sklearn.cluster
import sklearn.metrics
import sklearn.mixture
import xifen as xf
from harness import Bench
from sklearn.exceptions import ConvergenceWarning

beside_spinning = partial(Bench, rest=0.05)


def blobs(rows: int, columns: int, centres: int, dtype: type = np.float64, spread: float = 1.5) -> np.ndarray:
    """Groups that overlap in few columns, and with a small `spread` in many: rounds go on for long."""
    rng = np.random.default_rng(5)
    where = rng.normal(scale=spread, size=(centres, columns))
    return (where[rng.integers(0, centres, rows)] + rng.normal(size=(rows, columns))).astype(dtype)


def lloyd(
    rows: int, columns: int, clusters: int, rounds: int, dtype: type, wanted: float, spread: float = 1.5
) -> Bench:
    X = blobs(rows, columns, clusters, dtype, spread)
    init = X[:clusters].copy()

    def fit(library: Any, **more: Any) -> dict[str, Any]:
        km = library.KMeans(clusters, init=init, n_init=1, max_iter=rounds, tol=0, **more).fit(X)
        # Sums of float32 depend on the order of their terms from the fifth digit on; a label in a million may, too.
        if dtype == np.float32:
            return {"inertia": [round(float(km.inertia_) / rows, 3)], "rounds": [km.n_iter_]}
        return {"label": km.labels_, "inertia": [km.inertia_], "rounds": [km.n_iter_]}

    return beside_spinning(
        ours={"xifen": partial(fit, xf)},
        rivals={"scikit-learn lloyd": partial(fit, sklearn.cluster, algorithm="lloyd")},
        wanted={"scikit-learn": (wanted,)},
        note=f"The same {clusters} centres to start from, {rounds} rounds at most, tol=0.",
    )


def near(inertia: float, best: float) -> list[bool]:
    """Starts differ, so results do: within a twentieth of each other they answer the same question."""
    return [bool(inertia <= best * 1.05)]


def default(rows: int, columns: int, clusters: int, make: Callable[[np.ndarray], np.ndarray], wanted: float) -> Bench:
    X = make(blobs(rows, columns, clusters))
    best = min(sklearn.cluster.KMeans(clusters, random_state=seed).fit(X).inertia_ for seed in range(3))

    def fit(library: Any) -> dict[str, Any]:
        return {"near the best": near(library.KMeans(clusters, random_state=0).fit(X).inertia_, best)}

    return beside_spinning(
        ours={"xifen": partial(fit, xf)},
        rivals={"scikit-learn": partial(fit, sklearn.cluster)},
        wanted={"scikit-learn": (wanted,)},
        note=f"`KMeans({clusters}).fit(X)`: k-means++ and rounds until the centres rest; random starts differ.",
    )


def predict(rows: int, columns: int, clusters: int, method: str, wanted: float) -> Bench:
    X = blobs(rows, columns, clusters)
    ours = xf.KMeans(clusters, init=X[:clusters]).fit(X)
    theirs = sklearn.cluster.KMeans(clusters, init=X[:clusters], n_init=1).fit(X)

    def call(km: Any) -> dict[str, Any]:
        out = getattr(km, method)(X)
        return {"label": out} if out.ndim == 1 else {f"distance {place}": column for place, column in enumerate(out.T)}

    return beside_spinning(
        ours={"xifen": partial(call, ours)},
        rivals={"scikit-learn": partial(call, theirs)},
        wanted={"scikit-learn": (wanted,)},
    )


def batches(rows: int, columns: int, clusters: int) -> Bench:
    X = blobs(rows, columns, clusters)
    best = xf.KMeans(clusters, random_state=0).fit(X).inertia_

    def fit(library: Any) -> dict[str, Any]:
        inertia = library.MiniBatchKMeans(clusters, random_state=0).fit(X).inertia_
        return {"near the best": [bool(inertia <= best * 1.2)]}

    return beside_spinning(
        ours={"xifen": partial(fit, xf)},
        rivals={"scikit-learn": partial(fit, sklearn.cluster)},
        wanted={"scikit-learn": (4,)},
    )


def groups(rows: int, columns: int) -> np.ndarray:
    """Eight groups with thin edges: clusters, borders and noise."""
    rng = np.random.default_rng(5)
    where = rng.normal(scale=1.5, size=(8, columns))
    return where[rng.integers(0, 8, rows)] + rng.normal(scale=0.4, size=(rows, columns))


def whole_scores(rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(5).integers(1, 6, (rows, columns)).astype(float)


def one_heap(rows: int, columns: int) -> np.ndarray:
    """Half of the rows closer together than any eps, the others far and wide."""
    rng = np.random.default_rng(5)
    heap = rng.normal(scale=1e-4, size=(rows // 2, columns))
    return np.concatenate([heap, rng.uniform(-50, 50, (rows - rows // 2, columns))])


def density(X: np.ndarray, eps: float, wanted: float | None, *, alone: bool = False) -> Bench:
    def fit(library: Any, **more: Any) -> dict[str, Any]:
        found = library.DBSCAN(eps, **more).fit(X)
        core = np.zeros(len(X), dtype=bool)
        core[found.core_sample_indices_] = True
        return {"label": found.labels_, "core": core}

    return beside_spinning(
        ours={"xifen": partial(fit, xf)},
        rivals={} if alone else {"scikit-learn, n_jobs=2": partial(fit, sklearn.cluster, n_jobs=2)},
        wanted={"scikit-learn": (wanted,)},
        note="scikit-learn holds a list of neighbours for every row, here gigabytes and more." if alone else "",
    )


def mixture(rows: int, columns: int, components: int, kind: str, wanted: float, dtype: type = np.float64) -> Bench:
    X = blobs(rows, columns, components, dtype)
    spread = {"full": np.tile(np.eye(columns), (components, 1, 1)), "tied": np.eye(columns)}
    spread |= {"diag": np.ones((components, columns)), "spherical": np.ones(components)}
    start = {
        "weights_init": np.full(components, 1 / components),
        "means_init": X[:components].copy(),
        "precisions_init": spread[kind],
    }

    def fit(library: Any) -> dict[str, Any]:
        gm = library.GaussianMixture(components, covariance_type=kind, tol=0, max_iter=30, **start)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            gm.fit(X)
        if dtype == np.float32:  # scikit-learn adds in float32
            return {"log-likelihood": [round(float(gm.lower_bound_), 2)], "rounds": [gm.n_iter_]}
        return {"mean": gm.means_.ravel(), "log-likelihood": [gm.lower_bound_], "rounds": [gm.n_iter_]}

    return beside_spinning(
        ours={"xifen": partial(fit, xf)},
        rivals={"scikit-learn": partial(fit, sklearn.mixture)},
        wanted={"scikit-learn": (wanted,)},
        note=f"The same weights, means and precisions to start from, 30 rounds, covariance_type='{kind}'.",
    )


def mixture_by_default(rows: int, wanted: float) -> Bench:
    X = blobs(rows, 3, 5)
    # One random start may end anywhere between these: ours may not end below.
    worst = min(sklearn.mixture.GaussianMixture(5, random_state=seed).fit(X).lower_bound_ for seed in range(5))

    def fit(library: Any) -> dict[str, Any]:
        found = library.GaussianMixture(5, random_state=0).fit(X).lower_bound_
        return {"as good as a start of theirs": [bool(found >= worst - 0.02)]}

    return beside_spinning(
        ours={"xifen": partial(fit, xf)},
        rivals={"scikit-learn": partial(fit, sklearn.mixture)},
        wanted={"scikit-learn": (wanted,)},
        note="`GaussianMixture(5).fit(X)`: k-means, then rounds until the likelihood rests; random starts differ.",
    )


def mixture_of_rows(rows: int, method: str, wanted: float) -> Bench:
    X = blobs(rows, 3, 5)
    theirs = sklearn.mixture.GaussianMixture(5, random_state=0).fit(X[:20_000])
    ours = xf.GaussianMixture(5)
    for name in ("weights_", "means_", "covariances_", "precisions_cholesky_", "n_features_in_"):
        setattr(ours, name, getattr(theirs, name))

    def call(gm: Any) -> dict[str, Any]:
        out = getattr(gm, method)(X)
        return {"row": out} if out.ndim == 1 else {f"component {place}": column for place, column in enumerate(out.T)}

    return beside_spinning(
        ours={"xifen": partial(call, ours)},
        rivals={"scikit-learn": partial(call, theirs)},
        wanted={"scikit-learn": (wanted,)},
    )


def measure(name: str, rows: int, wanted: float, **more: Any) -> Bench:
    X = blobs(rows, 3, 5)
    labels = xf.KMeans(5, random_state=0).fit(X).labels_

    def call(library: Any, **more: Any) -> dict[str, Any]:
        value = getattr(library, name)(X, labels, **more)
        return {"score": np.atleast_1d(value)}

    return beside_spinning(
        ours={"xifen": partial(call, xf)},
        rivals={"scikit-learn": partial(call, sklearn.metrics)},
        wanted={"scikit-learn": (wanted,)},
        **more,
    )


def agreement(name: str, rows: int, wanted: float) -> Bench:
    rng = np.random.default_rng(1)
    first = rng.integers(0, 8, rows)
    second = np.where(rng.random(rows) < 0.7, first, rng.integers(0, 8, rows))

    def call(library: Any) -> dict[str, Any]:
        return {"score": [getattr(library, name)(first, second)]}

    return beside_spinning(
        ours={"xifen": partial(call, xf)},
        rivals={"scikit-learn": partial(call, sklearn.metrics)},
        wanted={"scikit-learn": (wanted,)},
    )


def benches(*, quick: bool) -> Iterator[tuple[str, Callable[[], Bench]]]:
    share = 200 if quick else 1
    million = 1_000_000 // share
    for rows, columns, clusters, targets, heap in (
        (million, 3, 5, (7, 10), False),
        (million, 10, 8, (2.2, 5), False),
        (million, 10, 8, (2.2, 5), True),
        (million // 10, 20, 20, (2.2, 4), False),
        (million // 10, 20, 20, (2.2, 4), True),
    ):
        for dtype, wanted in zip((np.float64, np.float32), targets, strict=True):
            title = f"KMeans, {rows:,} x {columns}, {clusters} clusters, {np.dtype(dtype).name}{', one heap' * heap}"
            yield title, partial(lloyd, rows, columns, clusters, 50, dtype, wanted, 0.5 if heap else 1.5)
    yield f"KMeans by default, {million:,} x 3, 8 clusters", partial(default, million, 3, 8, np.asarray, 4)
    yield (
        f"KMeans by default, {million:,} rows of whole scores from -4 to 4",
        partial(default, million, 3, 8, lambda X: np.clip(np.rint(X), -4, 4), 4),
    )
    yield f"MiniBatchKMeans, {million:,} x 5, 8 clusters", partial(batches, million, 5, 8)
    yield f"KMeans.predict, {million:,} x 3, 8 clusters", partial(predict, million, 3, 8, "predict", 3)
    yield f"KMeans.transform, {million:,} x 3, 8 clusters", partial(predict, million, 3, 8, "transform", 1)
    for rows, columns, components, kind, wanted in (
        (million // 10, 3, 5, "full", 6),
        (million // 10, 3, 5, "diag", 6),
        (million // 10, 3, 5, "tied", 2),
        (million // 10, 3, 5, "spherical", 2),
        (million // 10, 20, 8, "full", 1),
    ):
        title = f"GaussianMixture, {rows:,} x {columns}, {components} components, {kind}"
        yield title, partial(mixture, rows, columns, components, kind, wanted)
    yield (
        f"GaussianMixture, {million // 10:,} x 3, 5 components, full, float32",
        partial(mixture, million // 10, 3, 5, "full", 2, np.float32),
    )
    yield (
        f"GaussianMixture by default, {million // 10:,} x 3, 5 components",
        partial(mixture_by_default, million // 10, 3),
    )
    for method in ("predict", "predict_proba", "score_samples"):
        title = f"GaussianMixture.{method}, {million:,} x 3, 5 components"
        yield title, partial(mixture_of_rows, million, method, 3)
    for rows, columns, eps, wanted in (
        (million // 10, 3, 0.05, 3),
        (million // 10, 3, 0.1, 3),
        (million // 100, 3, 0.2, None),
        (million, 2, 0.005, None),
        (million // 10, 2, 0.02, None),
        (million // 20, 5, 0.3, None),
        (million // 50, 10, 0.8, None),
        (million // 100, 30, 2.2, None),
    ):
        title = f"DBSCAN({eps}), {rows:,} x {columns}"
        yield (
            title,
            lambda rows=rows, columns=columns, eps=eps, wanted=wanted: density(groups(rows, columns), eps, wanted),
        )
    yield (
        f"DBSCAN(0.5), {million // 50:,} x 3, whole scores from 1 to 5",
        lambda: density(whole_scores(million // 50, 3), 0.5, None),
    )
    yield (
        f"DBSCAN(0.5), {million // 100:,} x 3, half in one heap",
        lambda: density(one_heap(million // 100, 3), 0.5, None),
    )
    yield (
        f"DBSCAN(0.5), {million:,} x 3, half in one heap",
        lambda: density(one_heap(million, 3), 0.5, None, alone=True),
    )
    yield f"DBSCAN(0.5), {million:,} x 3, all rows equal", lambda: density(np.ones((million, 3)), 0.5, None, alone=True)
    yield f"DBSCAN(0.05), {million:,} x 3", lambda: density(groups(million, 3), 0.05, None, alone=True)
    yield f"silhouette_samples, {20_000 // share:,} x 3", partial(measure, "silhouette_samples", 20_000 // share, 15)
    yield f"davies_bouldin_score, {million:,} x 3", partial(measure, "davies_bouldin_score", million, 8)
    yield f"calinski_harabasz_score, {million:,} x 3", partial(measure, "calinski_harabasz_score", million, 8)
    yield f"adjusted_rand_score, {million:,} labels", partial(agreement, "adjusted_rand_score", million, 30)
    yield (
        f"normalized_mutual_info_score, {million:,} labels",
        partial(agreement, "normalized_mutual_info_score", million, 30),
    )
