"""How many clusters? Several answers side by side, and which one they speak for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import check_random_state

from xifen._cuts import column_names, known_columns
from xifen._progress import Progress, Told
from xifen.cluster._base import whole
from xifen.cluster._categories import Table
from xifen.cluster._prototypes import PrototypeModel
from xifen.cluster.kmeans import KMeans
from xifen.cluster.metrics import _rows, calinski_harabasz_score, davies_bouldin_score, silhouette_score
from xifen.cluster.stability import STABLE, as_rows, check_clusterer, labels_of, prepared, resampled
from xifen.errors import InputError, ParameterError

__all__ = ["KChoice", "choose_k"]

#: What each criterion is called in a sentence, and whether more of it is better (None: it never decides).
_CRITERIA: Final[dict[str, tuple[str, bool | None]]] = {
    "silhouette": ("silhouette", True),
    "stability": ("adjusted Rand index over resamples", True),
    "inertia": ("inertia", None),
    "calinski_harabasz": ("Calinski-Harabasz score", True),
    "davies_bouldin": ("Davies-Bouldin score", False),
    "bic": ("BIC", False),
    "gap": ("gap", True),
}
#: How a silhouette is read (Kaufman and Rousseeuw 1990): the first whose bound it exceeds.
_STRUCTURE: Final = {0.7: "a strong structure", 0.5: "a reasonable structure", 0.25: "a weak structure"}


class KChoice(pd.DataFrame):
    """The table of `choose_k`: a pandas DataFrame that also says which k it recommends.

    Attributes
    ----------
    recommended : int or None
        The number of clusters; None where no criterion can decide.
    reason : str
        Why.
    """

    _metadata: ClassVar = ["recommended", "reason"]

    recommended: int | None
    reason: str

    def __repr__(self) -> str:
        return f"{super().__repr__()}\n{self.reason}"

    def _repr_html_(self) -> str:
        return f"{super()._repr_html_()}<p>{self.reason}</p>"


def choose_k(
    X: Any,
    k_range: Iterable[int],
    criteria: Sequence[str] = ("silhouette", "stability"),
    *,
    estimator: Any = None,
    n_resamples: int = 20,
    n_references: int = 10,
    silhouette_size: int = 5_000,
    resample_size: int = 20_000,
    random_state: Any = None,
    n_jobs: int | None = None,
    progress: Told = None,
) -> KChoice:
    """Cluster with each number of clusters, and put criteria for choosing one side by side.

    Parameters
    ----------
    X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
        The rows as the clusterer is to see them: scale them first.
    k_range : iterable of int
        The numbers to try, ``range(2, 8)`` for example; each at least 1 and below the number of rows.
    criteria : sequence of str
        What is calculated: "silhouette" (with its error), "stability" (by `bootstrap_stability`), "inertia" (the
        clusterer's own, or the sum of squared distances to the means), "calinski_harabasz", "davies_bouldin", "bic" (for clusterers that have one, such
        as `GaussianMixture`) and "gap" (Tibshirani, Walther and Hastie, with its error). The first that can decide
        does; inertia cannot, because it falls with every further cluster.
    estimator : clusterer, optional
        Anything with `n_clusters` or `n_components`; ``KMeans(n_init=5)`` by default.
    n_resamples : int
        Draws for "stability".
    n_references : int
        Random references for "gap".
    silhouette_size : int
        Of more rows than this, so many drawn ones are held against all rows; the error says what that costs.
    resample_size : int
        Of more rows than this, draws for "stability" have so many.
    random_state : int, RandomState or None
        What every random number follows from. Every k meets the same draws and references.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.
    progress : callable, bool or None
        Told ``(what, done, of)``; None shows a bar after two seconds where a person looks on, False never.

    Returns
    -------
    KChoice
        A pandas DataFrame with one row per k: `k` and a column per criterion. Beside "silhouette" stands
        `silhouette_error`, the standard error of the draw (0 where all rows were used); "stability" is the mean adjusted
        Rand index, beside it `stability_spread`, its standard deviation, and `least_jaccard`, the mean Jaccard index of
        the least stable cluster; beside "gap" stands `gap_error`. A criterion that does not exist (any but gap, inertia
        and BIC for k = 1; all where fewer than k clusters were found) is NaN. `.recommended` is the chosen k and
        `.reason` says why.

    Raises
    ------
    ParameterError
        `k_range` is empty or holds what is no number of clusters for these rows, a criterion is not known, or the
        estimator cannot give it.
    InputError
        A value is missing or infinite.

    Notes
    -----
    The choice: of those k whose clusters all come back (mean Jaccard index at least 0.75 over resamples, where
    "stability" is asked for) the one with the best value of the first criterion that can decide; of values within one
    standard error of the best the smallest k. "gap" takes the smallest k with gap(k) >= gap(k + 1) - error(k + 1).
    Where no k is stable, or the silhouette is that of no structure, the reason says so: then any k is a cut through the
    customers, not a kind of customer.

    Of numbers and categories (`KPrototypes`, `KModes`) distances are the square roots of the clusterer's own costs, and
    "inertia" is its cost; "gap" needs numbers alone.

    The references of "gap" are even over a box along the principal axes of the rows, so that columns that go together
    do not pass for clusters.

    References
    ----------
    Rousseeuw (1987), "Silhouettes", Journal of Computational and Applied Mathematics 20. Kaufman and Rousseeuw (1990),
    "Finding groups in data". Hennig (2007), "Cluster-wise assessment of cluster stability", Computational Statistics and
    Data Analysis 52. Tibshirani, Walther and Hastie (2001), "Estimating the number of clusters in a data set via the
    gap statistic", Journal of the Royal Statistical Society B 63.

    Examples
    --------
    >>> import numpy as np
    >>> import xifen as xf
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(size=(50, 2)) + place for place in ([0, 0], [9, 0], [0, 9])])
    >>> choice = xf.choose_k(X, range(2, 6), random_state=0)
    >>> choice[["k", "silhouette", "least_jaccard"]].round(2)
       k  silhouette  least_jaccard
    0  2        0.60           0.81
    1  3        0.79           1.00
    2  4        0.64           0.69
    3  5        0.50           0.65
    >>> choice.recommended
    3
    >>> choice.reason
    'k = 3: the best silhouette (0.793, a strong structure) of the k with stable clusters only'
    """
    criteria = column_names("criteria", criteria)
    known_columns("criteria", criteria, list(_CRITERIA))
    if not criteria:
        raise ParameterError(f"criteria is empty; wanted at least one of {', '.join(_CRITERIA)}")
    n_resamples, n_references = whole("n_resamples", n_resamples), whole("n_references", n_references)
    silhouette_size, resample_size = (
        whole("silhouette_size", silhouette_size, at_least=2),
        whole("resample_size", resample_size),
    )
    X, rows = as_rows(X)
    each_k = _numbers(k_range, rows)
    of_k = _maker(KMeans(n_init=5) if estimator is None else estimator)
    if "bic" in criteria and not hasattr(of_k(each_k[0]), "bic"):
        raise ParameterError(
            "criteria asks for bic, which needs a clusterer with a likelihood; give estimator=GaussianMixture()"
        )
    seed = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    references = _references(_rows(X)[0], n_references, seed) if "gap" in criteria else []

    lines = []
    with Progress(len(each_k), progress) as step:
        for k in each_k:
            step(f"k = {k}")
            fitted = prepared(of_k(k), np.random.RandomState(seed), n_jobs).fit(X)
            labels = labels_of(fitted, X)
            line: dict[str, float] = {"k": k}
            complete = len(np.unique(labels)) >= k
            space = _space(X, fitted)
            for criterion in criteria:
                line |= dict.fromkeys(_columns(criterion), np.nan)
                if not complete or (k == 1 and criterion not in ("inertia", "bic", "gap")):
                    continue
                if criterion == "silhouette":
                    size = None if rows <= silhouette_size else silhouette_size
                    scored = silhouette_score(
                        space, labels, sample_size=size, random_state=seed, return_error=True, n_jobs=n_jobs
                    )
                    line["silhouette"], line["silhouette_error"] = scored
                elif criterion == "stability":
                    draws = min(rows, resample_size)
                    random = np.random.RandomState(seed)
                    stability = resampled(of_k(k), X, labels, n_resamples, draws, random, n_jobs)
                    line["stability"] = stability.adjusted_rand
                    line["stability_spread"] = stability.adjusted_rand_spread
                    line["least_jaccard"] = stability.table["jaccard"].min()
                elif criterion == "gap":
                    line["gap"], line["gap_error"] = _gap(X, labels, of_k(k), references, seed, n_jobs)
                elif criterion == "inertia":
                    line["inertia"] = _inertia(fitted, X, labels)
                elif criterion == "bic":
                    line["bic"] = float(fitted.bic(X))
                else:
                    score = calinski_harabasz_score if criterion == "calinski_harabasz" else davies_bouldin_score
                    line[criterion] = score(space, labels, n_jobs=n_jobs)
            lines.append(line)
    choice = KChoice(lines)
    choice.recommended, choice.reason = _recommend(choice, criteria)
    return choice


def _columns(criterion: str) -> list[str]:
    """Name the columns of a criterion."""
    more = {
        "silhouette": ["silhouette_error"],
        "stability": ["stability_spread", "least_jaccard"],
        "gap": ["gap_error"],
    }
    return [criterion, *more.get(criterion, [])]


def _numbers(k_range: Any, rows: int) -> list[int]:
    """Give the numbers of clusters, ascending; what cannot be is refused."""
    if isinstance(k_range, (str, bytes)) or not isinstance(k_range, Iterable):
        raise ParameterError(f"k_range is {k_range!r}; wanted numbers of clusters, such as range(2, 8)")
    numbers = sorted({whole("a number in k_range", k) for k in k_range})
    if not numbers:
        raise ParameterError(f"k_range is {k_range!r}, which is empty; wanted numbers of clusters, such as range(2, 8)")
    if numbers[-1] >= rows:
        raise ParameterError(
            f"k_range goes up to {numbers[-1]}, but there {'is' if rows == 1 else 'are'} {rows} "
            f"row{'' if rows == 1 else 's'}; wanted fewer clusters than rows"
        )
    return numbers


def _maker(estimator: Any) -> Callable[[int], Any]:
    """Tell how to make a clusterer of k clusters."""
    check_clusterer(estimator)
    known = [name for name in ("n_clusters", "n_components") if name in estimator.get_params(deep=False)]
    if not known:
        raise ParameterError(
            f"estimator is a {type(estimator).__name__}, which has neither n_clusters nor n_components; "
            "wanted one that can be told how many clusters to find"
        )
    return lambda k: clone(estimator).set_params(**{known[0]: k})


def _space(X: Any, fitted: Any) -> Any:
    """Give rows as numbers whose squared distances are the clusterer's costs: of categories a column each."""
    if not isinstance(fitted, PrototypeModel):
        return X
    (numbers, codes), _ = Table(X).code(fitted.categories_, fitted.missing)
    blocks = [numbers]
    for column in codes:
        blocks.append(np.zeros((len(column), int(column.max()) + 1)))
        blocks[-1][np.arange(len(column)), column] = np.sqrt(fitted.gamma_ / 2)
    return np.hstack(blocks)


def _inertia(fitted: Any, X: Any, labels: np.ndarray) -> float:
    """Give what the clusterer itself made small, or the sum of squares within."""
    for name in ("inertia_", "cost_"):
        if hasattr(fitted, name):
            return float(getattr(fitted, name))
    return _within(_rows(X)[0], labels)


def _within(rows: np.ndarray, labels: np.ndarray) -> float:
    """Sum the squared distances of rows to the means of their clusters."""
    codes = np.unique(labels, return_inverse=True)[1]
    sizes = np.bincount(codes)
    total = 0.0
    for column in rows.T.astype(np.float64):
        means = np.bincount(codes, weights=column) / sizes
        total += float(np.sum((column - means[codes]) ** 2))
    return total


def _references(rows: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
    """Draw evenly from the smallest box along the principal axes of the rows."""
    if not np.isfinite(rows).all():
        raise InputError("X has missing or infinite values; gap needs numbers only: correct or drop those rows")
    mean = rows.mean(axis=0, dtype=np.float64)
    centred = rows - mean
    # The axes by way of the columns' products, since rows are many; which way an axis points is not determined.
    unit = centred / max(float(np.abs(centred).max()), np.finfo(float).tiny)
    axes = np.linalg.eigh(unit.T @ unit)[1]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])])
    turned = centred @ axes
    low, high = turned.min(axis=0), turned.max(axis=0)
    random = np.random.RandomState(seed)
    return [random.uniform(low, high, size=rows.shape) @ axes.T + mean for _ in range(count)]


def _gap(
    X: Any, labels: np.ndarray, estimator: Any, references: list[np.ndarray], seed: int, n_jobs: int | None
) -> tuple[float, float]:
    """Give the gap between references and rows in the logarithm of the sum of squares within, and its error."""
    logs = []
    for reference in references:
        fitted = prepared(estimator, np.random.RandomState(seed), n_jobs).fit(reference)
        logs.append(np.log(_within(reference, labels_of(fitted, reference))))
    within = _within(_rows(X)[0], labels)
    if within == 0:
        return np.nan, np.nan
    return float(np.mean(logs) - np.log(within)), float(np.std(logs) * np.sqrt(1 + 1 / len(logs)))


def _recommend(table: pd.DataFrame, criteria: list[str]) -> tuple[int | None, str]:
    """Choose a k, and say why."""
    deciding = [name for name in criteria if name not in ("stability", "inertia")] or [
        name for name in criteria if name == "stability"
    ]
    if not deciding:
        return None, "inertia falls with every further cluster and recommends no k; ask for another criterion too"
    name = deciding[0]
    rows = table.dropna(subset=_columns(name))
    if rows.empty:
        return None, f"no k is recommended: the rows are too few or too much alike for a {_CRITERIA[name][0]}"
    remark = ""
    if "stability" in criteria:
        stable = rows[rows["least_jaccard"] >= STABLE]
        if stable.empty:
            remark = (
                f"; at no k do all clusters come back in resamples (mean Jaccard index at least {STABLE}): "
                "take the groups as cuts through the rows, not as kinds"
            )
        elif len(stable) < len(table):
            remark = " of the k with stable clusters only"
            rows = stable
    best, why = _best(rows, name, table)
    value = float(rows.loc[rows["k"] == best, name].iloc[0])
    shown = f"{value:,.3f}"
    if name == "silhouette":
        shown += f", {next((word for bound, word in _STRUCTURE.items() if value > bound), 'no substantial structure')}"
    return best, f"k = {best}: {why} ({shown}){remark}"


def _best(rows: pd.DataFrame, name: str, table: pd.DataFrame) -> tuple[int, str]:
    """Give the best k by one criterion, and what makes it best."""
    said, more = _CRITERIA[name]
    if name == "gap":
        following = table["k"].map(dict(zip(table["k"].iloc[:-1], table["k"].iloc[1:], strict=True)))
        least = following.map(dict(zip(table["k"], table["gap"] - table["gap_error"], strict=True)))
        enough = rows[rows["gap"] >= least[rows.index]]
        if len(enough):
            return int(enough["k"].min()), "the smallest whose gap is within one error of the next one's or above it"
        return int(rows.loc[rows["gap"].idxmax(), "k"]), "the largest gap, which still grows"
    place = rows[name].idxmax() if more else rows[name].idxmin()
    if name == "silhouette":
        close = rows[rows[name] >= rows.loc[place, name] - rows.loc[place, "silhouette_error"]]
        if int(close["k"].min()) != int(rows.loc[place, "k"]):
            return int(close["k"].min()), "the smallest within one standard error of the best silhouette"
    return int(rows.loc[place, "k"]), f"the best {said}"
