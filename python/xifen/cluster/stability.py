"""Would other customers of the same kind have given the same clusters? The bootstrap says."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import check_array, check_random_state

from xifen._frame import Frame, is_array
from xifen._progress import Progress, Told
from xifen.cluster._base import whole
from xifen.cluster.metrics import adjusted_rand_score
from xifen.errors import ParameterError

__all__ = ["STABLE", "Stability", "bootstrap_stability", "check_clusterer", "labels_of", "prepared", "resampled"]

#: From which mean Jaccard similarity a cluster counts as found again (Hennig 2007).
STABLE: Final = 0.75
#: How a mean Jaccard similarity is read: the first whose bound it reaches.
_READINGS: Final = {0.85: "stable", STABLE: "fairly stable", 0.6: "pattern", 0.0: "doubtful"}
#: Up to this similarity a cluster is dissolved (Hennig 2008).
_DISSOLVED: Final = 0.5


@dataclass(frozen=True)
class Stability:
    """How stable clusters are when the rows are drawn again.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per cluster: `cluster`, its label; `size`, its rows; `jaccard`, its mean similarity to the most similar
        cluster of a resample; `jaccard_spread`, the standard deviation of that; `dissolved` and `recovered`, in how
        many resamples it was at most 0.5 and at least 0.75; `vanished`, in how many none of its rows was drawn;
        `reading`: "stable" (`jaccard` at least 0.85), "fairly stable" (0.75), "pattern" (0.6: there is something, but
        which rows belong to it is uncertain) or "doubtful".
    adjusted_rand : float
        The mean adjusted Rand index between the clusters of all rows and those of a resample.
    adjusted_rand_spread : float
        Its standard deviation over resamples.
    adjusted_rand_each : ndarray
        Its value in each resample.
    labels : ndarray
        The cluster of each row in the fit on all rows, which `table` speaks of.
    """

    table: pd.DataFrame
    adjusted_rand: float
    adjusted_rand_spread: float
    adjusted_rand_each: np.ndarray
    labels: np.ndarray

    def __repr__(self) -> str:
        return f"{self.table.to_string(index=False, float_format='{:.3f}'.format)}\n{self._sentence()}"

    def _repr_html_(self) -> str:
        return f"{self.table.to_html(index=False, float_format='{:.3f}'.format)}<p>{self._sentence()}</p>"

    def _sentence(self) -> str:
        return (
            f"adjusted Rand index with the clusters of all rows: {self.adjusted_rand:.3f} on average over "
            f"{len(self.adjusted_rand_each)} resamples, standard deviation {self.adjusted_rand_spread:.3f}"
        )


def bootstrap_stability(
    estimator: Any,
    X: Any,
    n_resamples: int = 20,
    *,
    resample_size: int | None = None,
    random_state: Any = None,
    n_jobs: int | None = None,
    progress: Told = None,
) -> Stability:
    """Draw the rows again and again with replacement, cluster each draw, and see which clusters come back.

    Parameters
    ----------
    estimator : clusterer
        Anything with `fit` and `predict` or `labels_`: ours or scikit-learn's. It is cloned, never fitted itself. Where
        its own `random_state` is None it gets seeds that follow from `random_state`.
    X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
        The rows as the clusterer is to see them: scale them first.
    n_resamples : int
        How many draws.
    resample_size : int, optional
        How many rows a draw has; as many as there are by default. Smaller draws of very many rows are quicker and
        show clusters as less stable than they are, never as more.
    random_state : int, RandomState or None
        What every random number follows from.
    n_jobs : int, optional
        Threads of the clusterer where it leaves them open; None means all processors. It never changes a result.
    progress : callable, bool or None
        Told ``(what, done, of)``; None shows a bar after two seconds where a person looks on, False never.

    Returns
    -------
    Stability
        `print` it, or take its `table` and `adjusted_rand`.

    Raises
    ------
    TypeError
        `estimator` is no clusterer.
    ParameterError
        `n_resamples` or `resample_size` is not a whole number of at least 1.

    Notes
    -----
    Clusters are compared on the rows that were drawn, each counted once. A cluster's similarity in a resample is the
    largest Jaccard index |A and B| / |A or B| with a cluster found there; a cluster none of whose rows was drawn has
    vanished and counts as 0, since what hangs on single rows is not stable. Rows a clusterer leaves out (label -1)
    belong to no cluster; for the adjusted Rand index they are a group of their own. Stable is not the same as true: k-means
    with too few clusters is often stable, and so are the cuts it makes through one long cloud.

    References
    ----------
    Hennig (2007), "Cluster-wise assessment of cluster stability", Computational Statistics and Data Analysis 52.
    Hennig (2008), "Dissolution point and isolation robustness", Journal of Multivariate Analysis 99.

    Examples
    --------
    >>> import numpy as np
    >>> import xifen as xf
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(size=(60, 2)), rng.normal(size=(40, 2)) + 20])
    >>> stability = xf.bootstrap_stability(xf.KMeans(2, label_order="size"), X, random_state=0)
    >>> stability.table[["cluster", "size", "jaccard", "reading"]]
       cluster  size  jaccard reading
    0        0    60      1.0  stable
    1        1    40      1.0  stable
    >>> stability.adjusted_rand
    1.0
    """
    check_clusterer(estimator)
    n_resamples = whole("n_resamples", n_resamples)
    X, _ = as_rows(X)
    random = check_random_state(random_state)
    labels = labels_of(prepared(estimator, random, n_jobs).fit(X), X)
    return resampled(estimator, X, labels, n_resamples, resample_size, random, n_jobs, progress)


def resampled(
    estimator: Any,
    X: Any,
    labels: np.ndarray,
    n_resamples: int,
    resample_size: int | None,
    random: np.random.RandomState,
    n_jobs: int | None,
    progress: Told = None,
) -> Stability:
    """Hold the clusters of all rows against those of resamples."""
    clusters, codes = np.unique(labels, return_inverse=True)
    rows = len(labels)
    size = rows if resample_size is None else whole("resample_size", resample_size)
    if size < len(clusters):
        raise ParameterError(
            f"resample_size is {size}, fewer rows than the {len(clusters)} clusters to be found in them; give more"
        )
    similarity = np.empty((n_resamples, len(clusters)))
    drawn = np.empty((n_resamples, len(clusters)), dtype=bool)
    agreement = np.empty(n_resamples)
    with Progress(n_resamples, progress) as step:
        for turn in range(n_resamples):
            step(f"{turn + 1} / {n_resamples}")
            distinct, places = np.unique(np.sort(random.randint(rows, size=size)), return_inverse=True)
            found = _found(prepared(estimator, random, n_jobs), X, distinct, places)
            others, other_codes = np.unique(found, return_inverse=True)
            kept = codes[distinct]
            both = np.bincount(kept * len(others) + other_codes, minlength=len(clusters) * len(others))
            both = both.reshape(len(clusters), len(others))
            own, theirs = both.sum(axis=1, keepdims=True), both.sum(axis=0)
            similarity[turn] = np.where(others == -1, 0.0, both / (own + theirs - both)).max(axis=1)
            drawn[turn] = own[:, 0] > 0
            agreement[turn] = adjusted_rand_score(kept, other_codes, n_jobs=n_jobs)
    mean = similarity.mean(axis=0)
    table = pd.DataFrame(
        {
            "cluster": clusters,
            "size": np.bincount(codes),
            "jaccard": mean,
            "jaccard_spread": similarity.std(axis=0),
            "dissolved": (similarity <= _DISSOLVED).sum(axis=0),
            "recovered": (similarity >= STABLE).sum(axis=0),
            "vanished": (~drawn).sum(axis=0),
            "reading": [next(word for bound, word in _READINGS.items() if value >= bound) for value in mean],
        }
    )
    table = table[clusters != -1].reset_index(drop=True)
    return Stability(table, float(agreement.mean()), float(agreement.std()), agreement, labels)


def as_rows(X: Any) -> tuple[Any, int]:
    """Give an array for what could be one, a frame as it is; and the number of rows."""
    if not is_array(X):
        return X, len(Frame(X))
    array = check_array(X, dtype=None, ensure_all_finite=False)
    return array, len(array)


def check_clusterer(estimator: Any) -> None:
    """Refuse what cannot be fitted again and again."""
    if isinstance(estimator, type) or not all(hasattr(estimator, name) for name in ("fit", "get_params")):
        raise TypeError(f"estimator is {estimator!r}; wanted a clusterer, such as KMeans(3)")


def prepared(estimator: Any, random: np.random.RandomState, n_jobs: int | None) -> Any:
    """Clone a clusterer; seeds and threads it leaves open are set."""
    fresh = clone(estimator)
    for name, value in fresh.get_params().items():
        if value is None and name.split("__")[-1] == "random_state":
            fresh.set_params(**{name: int(random.randint(np.iinfo(np.int32).max))})
        elif value is None and name == "n_jobs":
            fresh.set_params(n_jobs=n_jobs)
    return fresh


def labels_of(fitted: Any, X: Any) -> np.ndarray:
    """Give the cluster of each row `fitted` saw."""
    if hasattr(fitted, "labels_"):
        return np.asarray(fitted.labels_)
    if not hasattr(fitted, "predict"):
        raise TypeError(f"estimator is {fitted!r}, which labels no rows; wanted a clusterer, such as KMeans(3)")
    return np.asarray(fitted.predict(X))


def _found(estimator: Any, X: Any, distinct: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Cluster a draw, in which the row `distinct[place]` stands for each place; gives a label per distinct row."""
    drawn = distinct[places]
    sample = X[drawn] if is_array(X) else Frame(X).take(drawn)
    with warnings.catch_warnings():
        # What goes wrong in a draw (fewer different rows than clusters) dissolves clusters, which is what is counted.
        warnings.simplefilter("ignore")
        labels = labels_of(estimator.fit(sample), sample)
    each = np.empty(len(distinct), dtype=labels.dtype)
    each[places] = labels
    return each
