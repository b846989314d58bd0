"""K-modes: every row belongs to the prototype it differs from in the fewest categories."""

from __future__ import annotations

from typing import Any, Literal

from xifen.cluster._categories import Table
from xifen.cluster._prototypes import PrototypeModel

__all__ = ["KModes"]


class KModes(PrototypeModel):
    """K-modes clustering of rows of categories: `KPrototypes` without numbers.

    A row costs, with a prototype, 1 for every column in which they differ; rows are grouped so that the (weighted) sum
    of these costs is small. Every column is categories, numbers too.

    Parameters
    ----------
    n_clusters : int
        How many clusters.
    init : {"Cao", "Huang", "random"}, frame or array of shape (n_clusters, n_features)
        Where runs start. "Cao" takes rows of common categories far from each other, and leaves nothing to chance;
        "Huang" draws categories by their frequency and takes the row of least cost for each draw (greedily, of
        2 + ln(n_clusters) such rows the best); "random" draws rows by weight. All three take different rows while there are any.
    n_init, max_iter, missing, random_state, label_order, n_jobs
        As for `KPrototypes`.

    Attributes
    ----------
    cluster_centroids_ : ndarray of object, shape (n_clusters, n_features)
        The prototypes: the mode of each column, None for missing. As `init` they start another fit.
    labels_ : ndarray of int32
        The cluster of each row; ``predict`` of the same rows gives the same.
    cost_ : float
        The (weighted) number of categories in which rows differ from their prototypes.
    gamma_ : float
        1: what one category that differs costs.
    n_iter_, categories_, n_features_in_, feature_names_in_
        As for `KPrototypes`.

    Notes
    -----
    As for `KPrototypes`.

    References
    ----------
    Huang (1998), "Extensions to the k-means algorithm for clustering large data sets with categorical values", Data
    Mining and Knowledge Discovery 2(3). Cao, Liang and Bai (2009), "A new initialization method for categorical data
    clustering", Expert Systems with Applications 36(7).

    Examples
    --------
    >>> from xifen import KModes
    >>> rows = [["web", "card", True], ["web", "card", False], ["shop", "cash", False], ["shop", "cash", False]]
    >>> km = KModes(2, init=rows[1:3]).fit(rows)
    >>> km.labels_.tolist(), km.cluster_centroids_.tolist(), km.cost_
    ([0, 0, 1, 1], [['web', 'card', False], ['shop', 'cash', False]], 1.0)
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "Cao",
        n_init: int | Literal["auto"] = "auto",
        max_iter: int = 100,
        missing: Literal["error", "category"] = "error",
        random_state: Any = None,
        label_order: Literal["size"] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.missing = missing
        self.random_state = random_state
        self.label_order = label_order
        self.n_jobs = n_jobs

    def _categorical(self, table: Table) -> list[int]:
        return list(range(table.width))
