"""DBSCAN: clusters are where rows are dense, and rows that are nowhere dense are noise."""

from __future__ import annotations

import json
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator

from xifen import _core
from xifen._base import or_as_before
from xifen._cuts import as_json, threads
from xifen._progress import waiting
from xifen.cluster._base import LabelModel, RowReader, as_weights

__all__ = ["DBSCAN"]


class DBSCAN(RowReader, LabelModel, BaseEstimator):
    """Density-based clustering with scikit-learn's labels.

    A row is core when `min_samples` rows, itself included, are within `eps` of it. Core rows within `eps` of each other
    belong to one cluster; other rows within `eps` of a core row are its border; what is left is noise.

    Parameters
    ----------
    eps : float
        The largest Euclidean distance of neighbours, that distance included.
    min_samples : int
        How many neighbours, or how much weight of them, make a row core.
    label_order : {"size"} or None
        "size" makes cluster 0 the largest (by weight), 1 the second largest, and so on. None is the order of the
        clusters' first core rows, as in scikit-learn. Noise is -1 in either.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Attributes
    ----------
    labels_ : ndarray of int32
        The cluster of each row, -1 for noise.
    core_sample_indices_ : ndarray of int64
        The positions of the core rows.
    components_ : ndarray of shape (n_core_samples, n_features)
        The core rows.
    n_features_in_ : int
        How many columns the data had.
    feature_names_in_ : ndarray of str
        Their names, where they had any.

    Notes
    -----
    A border row belongs to the first (as scikit-learn counts) of the clusters it borders on. Distances are Euclidean:
    squares of differences are added in float64, column by column, and held against `eps` squared, as scikit-learn's
    trees do. (Above 15 columns scikit-learn calculates them in another way, so that distances which equal `eps` but for
    rounding may be counted there and not here, or the other way round.) Scale columns first: `eps` is one distance for
    all of them.

    There is no `predict`, and so no model file: clusters are of the rows they were found in. Rows are held in a tree of
    boxes, so that room grows with the rows and not with their neighbours.

    References
    ----------
    Ester, Kriegel, Sander and Xu (1996), "A density-based algorithm for discovering clusters in large spatial databases
    with noise", KDD.

    Examples
    --------
    >>> import numpy as np
    >>> from xifen import DBSCAN
    >>> X = np.array([[1.0, 2.0], [2.0, 2.0], [2.0, 3.0], [8.0, 7.0], [8.0, 8.0], [25.0, 80.0]])
    >>> found = DBSCAN(eps=3, min_samples=2).fit(X)
    >>> found.labels_.tolist(), found.core_sample_indices_.tolist()
    ([0, 0, 0, 1, 1, -1], [0, 1, 2, 3, 4])
    """

    core_sample_indices_: np.ndarray
    components_: np.ndarray

    def __init__(
        self,
        eps: float = 0.5,
        *,
        min_samples: int = 5,
        label_order: Literal["size"] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.eps = eps
        self.min_samples = min_samples
        self.label_order = label_order
        self.n_jobs = n_jobs

    @or_as_before
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the clusters.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            One row per customer, numbers only.
        y : None
            Ignored.
        sample_weight : array of numbers, optional
            What each row counts as a neighbour; 1 by default. A row below zero keeps its neighbours from being core.
            Weights are added exactly and rounded once.

        Returns
        -------
        self

        Raises
        ------
        InputError
            A value is missing or infinite, or weights cannot be used.
        ParameterError
            A parameter cannot be used.
        """
        rows = self._rows(X, reset=True)
        weights = as_weights(sample_weight, len(rows))
        config = {
            "eps": as_json("eps", self.eps),
            "min_samples": as_json("min_samples", self.min_samples),
            "label_order": as_json("label_order", self.label_order),
            "columns": self._names(),
        }
        with waiting(type(self).__name__):
            out = _core.dbscan_fit(rows, weights, json.dumps(config), threads(self.n_jobs))
        self.labels_ = out["labels"]
        self.core_sample_indices_ = out["cores"]
        self.components_ = rows[self.core_sample_indices_]
        return self
