"""K-prototypes: every row belongs to the prototype it is most like, in numbers and in categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from xifen.cluster._categories import Table
from xifen.cluster._prototypes import PrototypeModel
from xifen.errors import InputError

__all__ = ["KPrototypes"]


class KPrototypes(PrototypeModel):
    """K-prototypes clustering of rows of numbers and categories.

    A row costs, with a prototype, the squared Euclidean distance of their numbers plus `gamma` for every category in
    which they differ; rows are grouped so that the (weighted) sum of these costs is small. Scale the numbers first, as
    for k-means: the column with the widest values decides.

    Parameters
    ----------
    n_clusters : int
        How many clusters.
    categorical : list of column names (in an array: of positions), optional
        Which columns are categories. By default all that hold no numbers; true and false are categories.
    gamma : float, optional
        What one category that differs costs. By default half the mean of the (weighted) standard deviations of the
        columns of numbers, as in the kmodes package; 1 where every one of them is constant.
    init : {"Huang", "Cao", "random"}, frame or array of shape (n_clusters, n_features)
        Where runs start. "Huang" draws numbers from a normal distribution and categories by their frequency, and takes
        the row of least cost for each draw (greedily, of 2 + ln(n_clusters) such rows the best); "Cao" takes rows of common categories far from each other, and leaves
        nothing to chance; "random" draws rows by weight. All three take different rows while there are any.
    n_init : int or "auto"
        How many runs; the one with the smallest cost is kept. "auto" is 10; "Cao" and given prototypes make one run.
    max_iter : int
        How many rounds a run may take.
    missing : {"error", "category"}
        Whether a missing category is an error or a category of its own. A missing number is always an error.
    random_state : int, RandomState or None
        What every random number follows from.
    label_order : {"size"} or None
        "size" makes cluster 0 the largest (by weight), 1 the second largest, and so on. None is the order of the
        starting prototypes.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Attributes
    ----------
    cluster_centroids_ : ndarray of object, shape (n_clusters, n_features)
        The prototypes, with the columns of the data: means of numbers, modes of categories, None for missing. As
        `init` they start another fit.
    labels_ : ndarray of int32
        The cluster of each row; ``predict`` of the same rows gives the same.
    cost_ : float
        The (weighted) sum of what rows cost with their prototypes.
    gamma_ : float
        What one category that differs costs.
    n_iter_ : int
        Rounds of the best run.
    categories_ : list
        Per column the categories seen, in the order of their first appearance; None for a column of numbers.
    n_features_in_ : int
        How many columns the data had.
    feature_names_in_ : ndarray of str
        Their names, where they had any.

    Notes
    -----
    After all rows went to their cheapest prototype, single rows are moved, means and modes following at once, until
    no move of one row lowers the cost or `max_iter` is reached (of a column with more than 1024 categories a mode
    that would change by the row's leaving is not counted, and a row that has all but 1e-12 of its cluster's weight
    stays). Huang's way, which the kmodes package goes, ends where no row is nearer to another prototype; such an end
    can still have moves that pay. Rows as cheap with several prototypes go to the first. A mode changes only to a
    category that weighs more; of equal ones to that which appears first in the data. A cluster that loses all its
    rows starts again at the row that costs most where it is. Categories are equal as Python's values are: 1, 1.0 and
    True are one, "1" is another, and "" is a category like any. Results are the same bits for any number of threads;
    between processors with different vector units the last bits may differ.

    References
    ----------
    Huang (1998), "Extensions to the k-means algorithm for clustering large data sets with categorical values", Data
    Mining and Knowledge Discovery 2(3). Cao, Liang and Bai (2009), "A new initialization method for categorical data
    clustering", Expert Systems with Applications 36(7). Hartigan (1975), "Clustering algorithms", chapter 4.

    Examples
    --------
    >>> import pandas as pd
    >>> from xifen import KPrototypes
    >>> customers = pd.DataFrame(
    ...     {"orders": [1.0, 2.0, 1.5, 9.0, 8.0], "city": ["Lyon", "Lyon", "Nice", "Paris", "Paris"]}
    ... )
    >>> kp = KPrototypes(2, gamma=2.0, random_state=0, label_order="size").fit(customers)
    >>> kp.labels_.tolist(), kp.cluster_centroids_.tolist(), kp.cost_
    ([0, 0, 0, 1, 1], [[1.5, 'Lyon'], [8.5, 'Paris']], 3.0)
    >>> kp.predict(pd.DataFrame({"orders": [3.0, 7.0], "city": ["Nice", "Paris"]})).tolist()
    [0, 1]
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        categorical: Sequence[str] | Sequence[int] | None = None,
        gamma: float | None = None,
        init: Any = "Huang",
        n_init: int | Literal["auto"] = "auto",
        max_iter: int = 100,
        missing: Literal["error", "category"] = "error",
        random_state: Any = None,
        label_order: Literal["size"] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.categorical = categorical
        self.gamma = gamma
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.missing = missing
        self.random_state = random_state
        self.label_order = label_order
        self.n_jobs = n_jobs

    def _categorical(self, table: Table) -> list[int]:
        categorical = table.positions(self.categorical)
        if not categorical:
            raise InputError("no column holds categories; name some in categorical=, or use KMeans for numbers alone")
        if len(categorical) == table.width:
            raise InputError("no column holds numbers; use KModes for categories alone")
        return categorical
