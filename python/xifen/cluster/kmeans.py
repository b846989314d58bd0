"""K-means: every row belongs to the nearest centre, every centre is the mean of its rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self

import numpy as np
from sklearn.utils import check_random_state

from xifen import _core
from xifen._cuts import as_json, threads
from xifen._progress import waiting
from xifen._warn import warn
from xifen.cluster._base import CentreModel, as_weights, in_place, warn_of_few, whole
from xifen.errors import ParameterError

__all__ = ["Init", "KMeans", "MeansModel"]

Init = Literal["k-means++", "random"] | Callable[..., Any] | np.ndarray


class MeansModel(CentreModel):
    """What the two k-means share: where they start and how they say what is wrong."""

    _runs_of_random: ClassVar[int]

    def _starts(self, rows: np.ndarray, random: np.random.RandomState) -> tuple[str | None, np.ndarray | None, Any]:
        """Say how runs start: a word for the core, or given centres (of all runs, one set behind the other), `n_init`."""
        init, n_init = self.init, as_json("n_init", self.n_init)
        if isinstance(init, str):
            return init, None, self._runs_of_random if (init, n_init) == ("random", "auto") else n_init
        n_clusters = whole("n_clusters", self.n_clusters)
        if callable(init):
            runs = self._runs_of_random if isinstance(n_init, str) and n_init == "auto" else whole("n_init", n_init)
            sets = [self._centres(init(rows, n_clusters, random_state=random), rows) for _ in range(runs)]
            return None, np.concatenate(sets), runs
        if n_init != "auto" and whole("n_init", n_init) > 1:
            warn(
                f"init gives the centres to start from, so there is one run instead of n_init={n_init}",
                RuntimeWarning,
            )
        return None, self._centres(init, rows), 1

    def _centres(self, given: Any, rows: np.ndarray) -> np.ndarray:
        try:
            centres = np.asarray(given, dtype=rows.dtype)
        except (TypeError, ValueError) as failure:
            raise ParameterError(
                f"init is {given!r}; wanted 'k-means++', 'random', a callable or an array of centres ({failure})"
            ) from None
        wanted = (self.n_clusters, rows.shape[1])
        if centres.shape != wanted:
            raise ParameterError(f"init gives centres of shape {centres.shape}; wanted {wanted}")
        return in_place(centres)

    def _common(self, init: str | None, n_init: Any, seed: int) -> dict[str, Any]:
        """Give the core's configuration of what both share."""
        return {
            "n_clusters": as_json("n_clusters", self.n_clusters),
            "init": init,
            "n_init": n_init,
            "max_iter": as_json("max_iter", self.max_iter),
            "tol": as_json("tol", self.tol),
            "label_order": as_json("label_order", self.label_order),
            "seed": seed,
            "columns": self._names(),
        }


class KMeans(MeansModel):
    """K-means clustering by Lloyd's algorithm, a drop-in for scikit-learn's.

    From the same centres it takes the same path. It is exact: a row is left out of a round only where it is proven to
    stay in its cluster.

    Parameters
    ----------
    n_clusters : int
        How many clusters.
    init : {"k-means++", "random"}, callable or array of shape (n_clusters, n_features)
        Where runs start. "k-means++" draws rows far from each other (greedily, of 2 + ln(n_clusters) candidates the
        best), "random" draws any rows, a callable gets ``(X, n_clusters, random_state=)``.
    n_init : int or "auto"
        How many runs; the one with the smallest inertia is kept. "auto" is 10 for "random" and callables, else 1.
    max_iter : int
        How many rounds a run may take.
    tol : float
        A round is the last when the squared way of all centres is within `tol` times the mean variance of the columns.
    random_state : int, RandomState or None
        What every random number follows from.
    label_order : {"size"} or None
        "size" makes cluster 0 the largest (by weight), 1 the second largest, and so on. None is the order of the
        starting centres, as in scikit-learn.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        The means, float32 for float32 data, else float64.
    labels_ : ndarray of int32
        The cluster of each row; ``predict`` of the same rows gives the same.
    inertia_ : float
        The (weighted) sum of squared distances to the own centre.
    n_iter_ : int
        Rounds of the best run.
    n_features_in_ : int
        How many columns the data had.
    feature_names_in_ : ndarray of str
        Their names, where they had any.

    Notes
    -----
    A cluster that loses all its rows starts again at the row farthest from its centre. Rows that are equal are worked
    on once, with their number as weight, where there are few different ones. Results are the same bits for any number
    of threads; between processors with different vector units the last bits may differ.

    References
    ----------
    Lloyd (1982), "Least squares quantization in PCM", IEEE Transactions on Information Theory 28(2). Arthur and
    Vassilvitskii (2007), "k-means++: the advantages of careful seeding", SODA. Hamerly (2010), "Making k-means even
    faster", SDM: the bound on how far centres may move before a row can change.

    Examples
    --------
    >>> import numpy as np
    >>> from xifen import KMeans
    >>> X = np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 0.0], [10.0, 2.0], [10.0, 4.0]])
    >>> km = KMeans(2, random_state=0, label_order="size").fit(X)
    >>> km.labels_.tolist(), km.cluster_centers_.tolist(), km.inertia_
    ([0, 0, 0, 1, 1], [[1.0, 2.0], [10.0, 3.0]], 10.0)
    >>> km.predict([[0.0, 0.0], [12.0, 3.0]]).tolist()
    [0, 1]
    """

    _fitted = ("cluster_centers_", "inertia_", "n_iter_", "_origin")
    _runs_of_random = 10

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Init = "k-means++",
        n_init: int | Literal["auto"] = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: Any = None,
        label_order: Literal["size"] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.label_order = label_order
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the clusters.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            One row per customer, numbers only. float32 and float64 are kept; anything else becomes float64.
        y : None
            Ignored.
        sample_weight : array of numbers, optional
            What each row counts, at least 0; 1 by default.

        Returns
        -------
        self

        Raises
        ------
        InputError
            A value is missing, infinite or too large to square, there are fewer rows than clusters, or weights cannot
            be used.
        ParameterError
            A parameter cannot be used.

        Warns
        -----
        ConvergenceWarning
            There are fewer different rows than clusters.
        """
        rows = self._rows(X, reset=True)
        weights = as_weights(sample_weight, len(rows))
        random = check_random_state(self.random_state)
        init, starts, n_init = self._starts(rows, random)
        config = self._common(init, n_init, int(random.randint(np.iinfo(np.int32).max)))
        with waiting(type(self).__name__):
            out = _core.kmeans_fit(rows, weights, starts, json.dumps(config), threads(self.n_jobs))
        self.cluster_centers_ = out["centres"].reshape(-1, rows.shape[1])
        self.labels_ = out["labels"]
        self.inertia_ = out["inertia"]
        self.n_iter_ = out["rounds"]
        self._origin = out["origin"]
        warn_of_few(out["found"], self.n_clusters)
        return self
