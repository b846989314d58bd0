"""K-means on small random batches, for data too many to go over again and again, or that arrive piece by piece."""

from __future__ import annotations

import json
from typing import Any, Literal, Self

import numpy as np
from sklearn.utils import check_random_state

from xifen import _core
from xifen._cuts import as_json, threads
from xifen._progress import waiting
from xifen._warn import warn
from xifen.cluster._base import as_weights, in_place, whole
from xifen.cluster.kmeans import Init, MeansModel

__all__ = ["MiniBatchKMeans"]


class MiniBatchKMeans(MeansModel):
    """K-means on random batches: a little worse than `KMeans`, and faster on very many rows.

    Steps and stopping rules are scikit-learn's; the random draws are our own.

    Parameters
    ----------
    n_clusters, init, tol, random_state, label_order, n_jobs
        As for `KMeans`; "auto" runs are 3 for "random" and callables. `tol` 0 never stops early, and `label_order`
        cannot be kept to by `partial_fit`.
    max_iter : int
        How many times as many rows as there are may go through batches.
    batch_size : int
        Rows per step.
    compute_labels : bool
        Whether `fit` labels every row in the end.
    max_no_improvement : int or None
        After so many steps without a better smoothed inertia the last one is done; None for never.
    init_size : int, optional
        Random rows a start is chosen from; three batches by default.
    n_init : int or "auto"
        How many starts are tried; one of them is run.
    reassignment_ratio : float
        0 to 1. Centres that have seen less than this share of what the largest has start again at a random row of the batch.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        The centres, float32 for float32 data, else float64.
    labels_ : ndarray of int32
        The cluster of each row, if `compute_labels`.
    inertia_ : float
        The (weighted) sum of squared distances to the own centre; without labels, an estimate from the batches.
    n_iter_ : int
        How many times as many rows as there are went through batches, rounded up.
    n_steps_ : int
        How many batches.
    n_features_in_ : int
        How many columns the data had.
    feature_names_in_ : ndarray of str
        Their names, where they had any.

    References
    ----------
    Sculley (2010), "Web-scale k-means clustering", WWW.

    Examples
    --------
    >>> import numpy as np
    >>> from xifen import MiniBatchKMeans
    >>> X = np.repeat([[0.0, 0.0], [9.0, 9.0]], 50, axis=0)
    >>> MiniBatchKMeans(2, random_state=0, batch_size=10).fit(X).predict([[1.0, 0.0], [8.0, 8.0]]).tolist() in (
    ...     [0, 1],
    ...     [1, 0],
    ... )
    True
    """

    _fitted = ("cluster_centers_", "inertia_", "n_iter_", "n_steps_", "_origin", "_seen", "_since", "_seed")
    _runs_of_random = 3

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Init = "k-means++",
        max_iter: int = 100,
        batch_size: int = 1024,
        compute_labels: bool = True,
        random_state: Any = None,
        tol: float = 0.0,
        max_no_improvement: int | None = 10,
        init_size: int | None = None,
        n_init: int | Literal["auto"] = "auto",
        reassignment_ratio: float = 0.01,
        label_order: Literal["size"] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.compute_labels = compute_labels
        self.random_state = random_state
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.init_size = init_size
        self.n_init = n_init
        self.reassignment_ratio = reassignment_ratio
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
        RuntimeWarning
            `init_size` is less than `n_clusters`; three times `n_clusters` is used.
        """
        rows = self._rows(X, reset=True)
        weights = as_weights(sample_weight, len(rows))
        config, starts = self._config(rows, check_random_state(self.random_state))
        with waiting(type(self).__name__):
            out = _core.kmeans_batches(rows, weights, starts, config, threads(self.n_jobs))
        self._keep(out, rows.shape[1])
        self._since = 0
        self.n_steps_ = out["steps"]
        self.n_iter_ = out["rounds"]
        self.inertia_ = out["inertia"]
        if self.compute_labels:
            self.labels_ = out["labels"]
        elif hasattr(self, "labels_"):
            del self.labels_
        return self

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Take one more step, with these rows as its batch.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            The batch. The first one chooses the start, unless `fit` was called before.
        y : None
            Ignored.
        sample_weight : array of numbers, optional
            What each row counts, at least 0; 1 by default.

        Returns
        -------
        self

        Raises
        ------
        InputError, ParameterError
            As for `fit`; `label_order` cannot be kept to.
        """
        first = not hasattr(self, "cluster_centers_")
        rows = self._rows(X, reset=first, dtype=None if first else self.cluster_centers_.dtype)
        weights = as_weights(sample_weight, len(rows))
        config, starts = self._config(rows, check_random_state(self.random_state), first=first)
        before = None
        if not first:
            before = in_place(self.cluster_centers_), in_place(self._origin.reshape(1, -1)), self._seen, self._since
        steps = getattr(self, "n_steps_", 0)
        out = _core.kmeans_batch(rows, weights, starts, before, steps, config, threads(self.n_jobs))
        self._keep(out, rows.shape[1])
        self._since = out["since"]
        self.n_steps_ = steps + 1
        if self.compute_labels:
            self.labels_ = out["labels"]
            self.inertia_ = out["inertia"]
        return self

    def _config(
        self, rows: np.ndarray, random: np.random.RandomState, *, first: bool = True
    ) -> tuple[str, np.ndarray | None]:
        """Say everything the core is to know; starts only where the first step is still to be done."""
        init, starts, n_init = self._starts(rows, random) if first else ("random", None, 1)
        if first:
            self._seed = int(random.randint(np.iinfo(np.int32).max))
            least = whole("n_clusters", self.n_clusters)
            if isinstance(self.init_size, (int, np.integer)) and 0 < self.init_size < least:
                warn(
                    f"init_size={self.init_size} should be larger than n_clusters={self.n_clusters}; "
                    "three times n_clusters is used",
                    RuntimeWarning,
                )
        config = {
            "kmeans": self._common(init, n_init, self._seed),
            "batch_size": as_json("batch_size", self.batch_size),
            "init_size": as_json("init_size", self.init_size),
            "max_no_improvement": as_json("max_no_improvement", self.max_no_improvement),
            "reassignment_ratio": as_json("reassignment_ratio", self.reassignment_ratio),
            "compute_labels": bool(self.compute_labels),
        }
        return json.dumps(config), starts

    def _keep(self, out: dict[str, Any], columns: int) -> None:
        self.cluster_centers_ = out["centres"].reshape(-1, columns)
        self._origin = out["origin"]
        self._seen = out["seen"]
