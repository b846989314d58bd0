"""The analyst's path to clusters: comparable columns, a number of clusters, names, a profile, and rules."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Final, Literal, Self

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from xifen import _columns as names
from xifen._base import ColumnAdder
from xifen._cluster_profile import Language, cluster_names, described, profile
from xifen._cluster_rows import Rows, category_columns, clusterable, column_kinds, different_rows, read_rows
from xifen._cluster_rules import DEEPEST, grown, tree_rules
from xifen._cluster_scaling import learned_scaling, scaled
from xifen._cuts import column_names
from xifen._frame import Frame
from xifen._results import Labels
from xifen._warn import warn
from xifen.cluster import GaussianMixture, KMeans, KPrototypes, choose_k
from xifen.cluster.choice import KChoice
from xifen.errors import InputError, ParameterError
from xifen.rules import RuleSegmenter

__all__ = ["ClusterSegmenter"]

Method = Literal["kmeans", "gaussian_mixture", "kprototypes"]
#: The clusterers by method, and what each calls the number of clusters.
_METHODS: Final = {
    "kmeans": (KMeans, "n_clusters"),
    "gaussian_mixture": (GaussianMixture, "n_components"),
    "kprototypes": (KPrototypes, "n_clusters"),
}
#: How deep the rules are that `fit` states the accuracy of.
_DEPTH: Final = 3


class ClusterSegmenter(ColumnAdder):
    """Group customers by likeness, name the groups, say what sets each apart, and replay them as rules.

    Each column is logged where it is highly skewed, capped at two of its quantiles, and scaled by its median and
    interquartile range; then the rows are clustered. Clusters stand in order of size, the largest first, and are named by
    what sets them apart from everyone: "frequent, high monetary".

    Parameters
    ----------
    columns : list of str
        What counts: numbers, and under "kprototypes" categories too.
    n_clusters : int, optional
        How many clusters; None chooses from 2 to `max_clusters` by `choose_k` (silhouette among what is stable).
    max_clusters : int, default 6
        The most `n_clusters=None` chooses: more are hard to treat differently.
    method : {"kmeans", "gaussian_mixture", "kprototypes"}
        How rows are grouped: `KMeans` (round clusters of like width), `GaussianMixture` (clusters of any width, that may
        overlap) or `KPrototypes` (numbers and categories).
    categorical : list of str, optional
        Which of `columns` are categories, under "kprototypes"; by default those that hold no numbers.
    gamma : float, optional
        What one category that differs costs, under "kprototypes" alone, beside squared differences of scaled numbers; by default
        as in `KPrototypes`, about 0.5. The more, the more categories decide.
    log : "auto", bool or list of str
        Which columns are logged, as log(1 + |x|) with the sign of x. "auto" takes those whose skewness is above 1 and
        becomes less by it; True takes all, False none.
    cap : tuple of two floats or None
        The quantiles (of the fitted rows) beyond which values count as that quantile, so that a few extreme customers do
        not become clusters of their own; None caps nothing.
    n_init : int, default 5
        How many starts the clusterer tries.
    lang : {"en", "zh"}
        The language of the clusters' names and of `describe`.
    output : str, default "cluster"
        Name of the added column.
    random_state : int, RandomState or None
        What every random number follows from. With the default, 0, the same frame gives the same clusters.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Attributes
    ----------
    cluster_names_ : list of str
        The clusters, largest first.
    scaling_ : dict of str to dict
        Per column `log`, `low` and `high` (the caps, of the logarithm where there is one), `centre` and `scale`:
        (capped x - centre) / scale is what is clustered. The scale is the interquartile range over 1.349 (1 for a
        normal distribution with standard deviation 1); where that is 0 the standard deviation; where that is 0 too, 1.
    replay_accuracy_ : float
        The share of fitted rows to which the rules of the last `to_rules` give their own cluster; before, those of
        depth 3.
    n_features_in_, feature_names_in_
        The frame's columns, as in scikit-learn.

    Notes
    -----
    A row with a missing value gets no cluster: `fit` leaves it out and warns how many there are, `transform` gives it a
    missing label. Fill such values first where they mean something (no order is 0 orders).

    A constant column tells no rows apart and is warned about. New rows are capped and scaled as the fitted ones were.

    Examples
    --------
    >>> import xifen as xf
    >>> rfm = xf.rfm_table(xf.datasets.load_cdnow(), as_of="1998-06-30")
    >>> segmenter = xf.ClusterSegmenter(n_clusters=3).fit(rfm)
    >>> segmenter.describe()[["cluster", "size", "recency_days_median", "monetary_median"]]
                       cluster   size  recency_days_median  monetary_median
    0     long ago, infrequent  13558                499.0           23.990
    1                   recent   6532                233.0           83.795
    2  frequent, high monetary   3480                 60.0          281.200
    3                 everyone  23570                471.0           43.395
    >>> rules = segmenter.to_rules(max_depth=2)
    >>> rules.rules["frequent, high monetary"], round(segmenter.replay_accuracy_, 3)
    ('recency_days <= 453 AND order_count > 4', 0.922)
    >>> out = rules.fit_transform(rfm)
    """

    _fitted = (
        "cluster_names_",
        "scaling_",
        "replay_accuracy_",
        "_clusterer",
        "_order",
        "_profile",
        "_trees",
        "_choice",
    )

    cluster_names_: list[str]
    scaling_: dict[str, dict[str, Any]]
    replay_accuracy_: float
    #: Parameters and fitted attributes of the clusterer, as plain values.
    _clusterer: dict[str, dict[str, Any]]
    #: The place by size of each of the clusterer's labels.
    _order: np.ndarray
    _profile: dict[str, Any]
    _trees: list[dict[str, Any]]
    _choice: dict[str, Any] | None

    def __init__(
        self,
        columns: Sequence[str] = (names.RECENCY_DAYS, names.ORDER_COUNT, names.MONETARY),
        *,
        n_clusters: int | None = None,
        max_clusters: int = 6,
        method: Method = "kmeans",
        categorical: Sequence[str] | None = None,
        gamma: float | None = None,
        log: Literal["auto"] | bool | Sequence[str] = "auto",
        cap: tuple[float, float] | None = (0.01, 0.99),
        n_init: int = 5,
        lang: Language = "en",
        output: str = "cluster",
        random_state: Any = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.columns = columns
        self.n_clusters = n_clusters
        self.max_clusters = max_clusters
        self.method = method
        self.categorical = categorical
        self.gamma = gamma
        self.log = log
        self.cap = cap
        self.n_init = n_init
        self.lang = lang
        self.output = output
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find, name and sum up the clusters.

        Parameters
        ----------
        X : frame
            pandas, polars, pyarrow Table or dict of arrays with `columns`.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        InputError
            A column is absent, holds no numbers or infinity, or there are fewer rows than clusters, or only equal ones to
            choose a number of clusters from.
        ParameterError
            A parameter cannot be used.
        TypeError
            X is an array: it has no column names.

        Warns
        -----
        UserWarning
            Rows are left out because a value is missing, or a column is constant.
        """
        self._fit(self._open(X), place=False)
        return self

    def transform(self, X: Any) -> Any:
        """Add the cluster of every row.

        Parameters
        ----------
        X : frame
            Any frame with `columns`.

        Returns
        -------
        frame
            The caller's frame and, behind its own columns, the name of the cluster; missing where a value is.

        Raises
        ------
        InputError
            A column is absent, holds no numbers or infinity, or the frame already has a column named `output`.
        """
        check_is_fitted(self)
        frame = self._open(X)
        reads = self._reads()
        rows = read_rows(frame, reads, [name for name in reads if name not in self.scaling_])
        codes = np.full(len(frame), -1, dtype=np.int16)
        if rows.known.any():
            codes[rows.known] = self._order[
                self._restored().predict(clusterable(scaled(rows.values, self.scaling_), self.scaling_, rows))
            ]
        return self._add(frame, codes)

    def describe(self) -> pd.DataFrame:
        """Hold every cluster against everyone.

        Returns
        -------
        pandas.DataFrame
            A row per cluster, the largest first, and one for everyone (the fitted rows without missing values): `cluster`,
            `size`, `share`; per column `<column>_mean` and `<column>_median`, in its own units, and `<column>_effect`, how far
            the cluster's mean is from everyone's, in everyone's standard deviations, logged and capped as it was
            clustered (Cohen 1988: 0.2 is small, 0.5 medium, 0.8 large); of categories `<column>_category`, the one the
            cluster has most more of than everyone, `<column>_share`, and `<column>_effect`, Cohen's h of that share;
            `apart`, the effects of at least 0.5 in words.
        """
        check_is_fitted(self)
        return described(self._profile, self._reads(), list(self.scaling_), self.cluster_names_, self.lang)

    def choice(self) -> KChoice | None:
        """Show what the number of clusters was chosen by.

        Returns
        -------
        KChoice or None
            The table of `choose_k` with its `.recommended` and `.reason`; None where `n_clusters` was given.
        """
        check_is_fitted(self)
        if self._choice is None:
            return None
        table = self._choice["table"]
        choice = KChoice({name: np.asarray(table[name], dtype=int if name == "k" else float) for name in table})
        choice.recommended, choice.reason = self._choice["recommended"], self._choice["reason"]
        return choice

    def to_rules(self, max_depth: int = _DEPTH) -> RuleSegmenter:
        """Replay the clusters as rules anyone can read and a warehouse can run.

        A decision tree over the raw columns, at most `max_depth` questions deep, stands for the clusters. How well it
        does is stated in `replay_accuracy_`.

        Parameters
        ----------
        max_depth : int, default 3
            How many questions lead to a cluster at most: 1 to 6.

        Returns
        -------
        RuleSegmenter
            One rule per cluster, not fitted yet; exactly one is true for a row without missing values. Where a value is
            missing, the label is missing too, unless the answer does not depend on it.

        Raises
        ------
        ParameterError
            `max_depth` is not 1 to 6.

        Warns
        -----
        UserWarning
            The rules are too few to tell some cluster apart.
        """
        check_is_fitted(self)
        depth = _whole("max_depth", max_depth, 1, DEEPEST)
        rules, self.replay_accuracy_ = tree_rules(self._trees, depth, self.cluster_names_)
        lost = [
            name
            for name, size in zip(self.cluster_names_, self._profile["size"], strict=False)
            if size and name not in rules
        ]
        if lost:
            warn(
                f"rules of depth {depth} have no room for {', '.join(map(repr, lost))}, whose rows get other labels; "
                "give a larger max_depth"
            )
        return RuleSegmenter(rules, output=self.output, n_jobs=self.n_jobs)

    def _reads(self) -> list[str]:
        return column_names("columns", self.columns)

    def _adds(self) -> list[str]:
        return [self.output]

    def _add(self, frame: Frame, found: np.ndarray) -> Any:
        return frame.add({self.output: Labels(found, self.cluster_names_)})

    def _fit(self, frame: Frame, *, place: bool) -> np.ndarray:
        self._check_words()
        reads = self._reads()
        kinds = column_kinds(frame, reads)
        categorical = category_columns(frame, kinds, self.method, self.categorical)
        numbers = [name for name in reads if name not in categorical]
        rows = read_rows(frame, reads, categorical)
        self._count_missing(frame, rows)
        scaling = learned_scaling(rows.values, numbers, self.log, self.cap)
        measures = scaled(rows.values, scaling)
        table = clusterable(measures, scaling, rows)

        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        make, count_name = _METHODS[self.method]
        made = make(n_init=self.n_init, random_state=seed, n_jobs=self.n_jobs)
        if categorical:
            made.set_params(categorical=categorical, gamma=self.gamma)
        count, choice = self._count(table, made, seed)
        labels = made.set_params(**{count_name: count}).fit_predict(table)
        sizes = np.bincount(labels, minlength=count)
        order = np.empty(count, dtype=np.int16)
        order[np.argsort(-sizes, kind="stable")] = np.arange(count)
        codes = order[labels]

        self.scaling_, self._order, self._choice = scaling, order, choice
        kept = ("n_features_in_", "feature_names_in_", *made._fitted)  # noqa: SLF001 -- what its JSON holds
        self._clusterer = {
            "parameters": made.get_params(),
            "fitted": {name: getattr(made, name) for name in kept if hasattr(made, name)},
        }
        self._profile = profile(rows.values, measures, rows.categories, codes, count)
        self.cluster_names_ = cluster_names(self._profile, reads, numbers, self.lang)
        flags = {name: rows.values[:, place] == 1 for place, name in enumerate(numbers) if kinds[name] == "flag"}
        plain = [place for place, name in enumerate(numbers) if name not in flags]
        asked = {**flags, **rows.categories}
        self._trees = grown(rows.values[:, plain], [numbers[place] for place in plain], asked, codes, count)
        _, self.replay_accuracy_ = tree_rules(self._trees, _DEPTH, self.cluster_names_)
        self._remember(frame)
        out = np.full(len(frame), -1, dtype=np.int16)
        out[rows.known] = codes
        return out

    def _check_words(self) -> None:
        """Refuse what is no word of ours before any work."""
        if not isinstance(self.method, str) or self.method not in _METHODS:
            raise ParameterError(f"method is {self.method!r}; wanted {' or '.join(map(repr, _METHODS))}")
        if self.gamma is not None and self.method != "kprototypes":
            raise ParameterError(f"gamma is {self.gamma!r}, but only method='kprototypes' weighs categories")
        if self.lang not in ("en", "zh"):
            raise ParameterError(f"lang is {self.lang!r}; wanted 'en' or 'zh'")
        if not isinstance(self.output, str) or not self.output:
            raise TypeError(f"output must be the name of the added column; got {self.output!r}")
        if not self._reads():
            raise ParameterError("columns is empty; wanted the names of the measures that count")

    def _count_missing(self, frame: Frame, rows: Rows) -> None:
        """Warn of rows that are left out."""
        columns, left_out = ", ".join(self._reads()), len(frame) - len(rows.values)
        if left_out == len(frame):
            raise InputError(f"no row of {frame.what} has a value in every one of {columns}")
        if left_out:
            warn(
                f"{left_out:,} of {len(frame):,} rows miss a value in {columns} and get no cluster; fill it where it means "
                "something, or leave the column out"
            )

    def _count(self, table: Any, clusterer: Any, seed: int) -> tuple[int, dict[str, Any] | None]:
        """Give the number of clusters, and what it was chosen by."""
        most = _whole("max_clusters", self.max_clusters, 2, np.iinfo(np.int16).max)
        if self.n_clusters is not None:
            return _whole("n_clusters", self.n_clusters, 1, np.iinfo(np.int16).max), None
        different = different_rows(table[: 100 * most])
        if different <= most:
            different = different_rows(table)
        if different < 2:
            raise InputError(f"all rows are alike in {', '.join(self._reads())}: there is nothing to group them by")
        most = min(most, different, len(table) - 1)
        if most < 2:
            raise InputError(f"{len(table)} rows are too few to choose a number of clusters from; give n_clusters")
        choice = choose_k(table, range(2, most + 1), estimator=clusterer, random_state=seed, n_jobs=self.n_jobs)
        lines = {
            column: [None if pd.isna(one) else one for one in values.tolist()] for column, values in choice.items()
        }
        count = choice.recommended or 2
        return count, {"table": lines, "recommended": choice.recommended, "reason": choice.reason}

    def _restored(self) -> Any:
        """Make the fitted clusterer of the plain values kept of it."""
        made = _METHODS[self.method][0](**{**self._clusterer["parameters"], "n_jobs": self.n_jobs})
        for name, value in self._clusterer["fitted"].items():
            setattr(made, name, value)
        return made

    def _plain(self, parameter: Any) -> Any:
        if isinstance(parameter, np.random.RandomState):
            raise ParameterError(
                f"a model file cannot hold {parameter!r}; give a number as random_state, or pickle the model"
            )
        return parameter


def _whole(name: str, value: Any, low: int, high: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = low - 1
    if not low <= number <= high or isinstance(value, bool):
        raise ParameterError(f"{name} is {value!r}; wanted a whole number from {low} to {high}")
    return number
