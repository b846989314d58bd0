"""How good a grouping is: by the rows themselves, or held against another grouping of the same rows."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
import pandas as pd
from sklearn.utils import check_array, check_random_state

from xifen import _core
from xifen._cuts import threads
from xifen._frame import Frame, is_array
from xifen.cluster._base import in_place, whole
from xifen.errors import InputError, ParameterError

__all__ = [
    "adjusted_rand_score",
    "calinski_harabasz_score",
    "davies_bouldin_score",
    "normalized_mutual_info_score",
    "silhouette_samples",
    "silhouette_score",
]


def davies_bouldin_score(X: Any, labels: Any, *, n_jobs: int | None = None) -> float:
    """Measure how alike each group is to the one most like it: 0 is best, less is better.

    Parameters
    ----------
    X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
        The rows, numbers only.
    labels : array
        The group of each row: whole numbers, text or anything that can be told apart.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Returns
    -------
    float
        The mean over groups of the largest (width + other's width) / distance, a width being the mean distance of a
        group's rows from their mean.

    Raises
    ------
    InputError
        There are not 2 to n_samples - 1 groups, or a value is missing or infinite.

    References
    ----------
    Davies and Bouldin (1979), "A cluster separation measure", IEEE Transactions on Pattern Analysis 1(2).

    Examples
    --------
    >>> import xifen as xf
    >>> xf.davies_bouldin_score([[0, 0], [0, 2], [8, 0], [8, 2]], ["near", "near", "far", "far"])
    0.25
    """
    rows, names = _rows(X)
    return _core.cluster_spread(rows, _labels(labels, "labels"), "davies_bouldin", names, threads(n_jobs))


def calinski_harabasz_score(X: Any, labels: Any, *, n_jobs: int | None = None) -> float:
    """Measure how much farther apart groups are than they are wide: more is better.

    Parameters
    ----------
    X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
        The rows, numbers only.
    labels : array
        The group of each row: whole numbers, text or anything that can be told apart.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Returns
    -------
    float
        (between / (groups - 1)) / (within / (rows - groups)), both sums of squared distances; 1 if groups have no
        width.

    Raises
    ------
    InputError
        There are not 2 to n_samples - 1 groups, or a value is missing or infinite.

    References
    ----------
    Calinski and Harabasz (1974), "A dendrite method for cluster analysis", Communications in Statistics 3(1).

    Examples
    --------
    >>> import xifen as xf
    >>> xf.calinski_harabasz_score([[0, 0], [0, 2], [8, 0], [8, 2]], [1, 1, 2, 2])
    32.0
    """
    rows, names = _rows(X)
    return _core.cluster_spread(rows, _labels(labels, "labels"), "calinski_harabasz", names, threads(n_jobs))


def silhouette_samples(X: Any, labels: Any, *, n_jobs: int | None = None) -> np.ndarray:
    """Measure for every row how much nearer it is to its own group than to the next one.

    Parameters
    ----------
    X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
        The rows, numbers only.
    labels : array
        The group of each row: whole numbers, text or anything that can be told apart.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Returns
    -------
    ndarray of float64
        (b - a) / max(a, b), a being the mean Euclidean distance to the other rows of the own group and b the smallest
        mean distance to the rows of another; 0 in a group of one row. Every pair of rows is measured, none is kept:
        time grows with the square of the rows, room with the rows.

    Raises
    ------
    InputError
        There are not 2 to n_samples - 1 groups, or a value is missing or infinite.

    References
    ----------
    Rousseeuw (1987), "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis", Journal
    of Computational and Applied Mathematics 20.

    Examples
    --------
    >>> import xifen as xf
    >>> xf.silhouette_samples([[0.0], [1.0], [5.0]], [0, 0, 1]).tolist()
    [0.8, 0.75, 0.0]
    """
    rows, names = _rows(X)
    each: np.ndarray = _core.cluster_silhouettes(rows, _labels(labels, "labels"), None, names, threads(n_jobs))
    return each


@overload
def silhouette_score(
    X: Any,
    labels: Any,
    *,
    sample_size: int | None = ...,
    random_state: Any = ...,
    return_error: Literal[False] = ...,
    n_jobs: int | None = ...,
) -> float: ...
@overload
def silhouette_score(
    X: Any,
    labels: Any,
    *,
    sample_size: int | None = ...,
    random_state: Any = ...,
    return_error: Literal[True],
    n_jobs: int | None = ...,
) -> tuple[float, float]: ...
def silhouette_score(
    X: Any,
    labels: Any,
    *,
    sample_size: int | None = None,
    random_state: Any = None,
    return_error: bool = False,
    n_jobs: int | None = None,
) -> float | tuple[float, float]:
    """Give the mean of `silhouette_samples`: 1 is best, about 0 where groups overlap.

    Parameters
    ----------
    X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
        The rows, numbers only.
    labels : array
        The group of each row: whole numbers, text or anything that can be told apart.
    sample_size : int, optional
        Average over so many rows drawn at random. Each is held against all rows (scikit-learn holds it against the
        drawn ones only), so the mean is that of all rows but for the draw.
    random_state : int, RandomState or None
        What the draw follows from.
    return_error : bool
        Whether the standard error of the mean is returned too: s / sqrt(m) * sqrt(1 - m / n) for m of n rows with
        standard deviation s, and so 0 when all rows are used.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Returns
    -------
    float, or (float, float) with `return_error`

    Raises
    ------
    InputError
        There are not 2 to n_samples - 1 groups, or a value is missing or infinite.
    ParameterError
        `sample_size` is not a whole number of at least 1.

    Examples
    --------
    >>> import xifen as xf
    >>> X, labels = [[0.0], [1.0], [5.0], [7.0]], [0, 0, 1, 1]
    >>> round(xf.silhouette_score(X, labels), 4)
    0.7203
    >>> mean, error = xf.silhouette_score(X, labels, sample_size=3, random_state=0, return_error=True)
    >>> abs(mean - 0.7203) < 3 * error
    True
    """
    rows, names = _rows(X)
    queries = None
    if sample_size is not None:
        drawn = check_random_state(random_state).permutation(len(rows))[: whole("sample_size", sample_size)]
        queries = np.sort(drawn).astype(np.int64)
    each = _core.cluster_silhouettes(rows, _labels(labels, "labels"), queries, names, threads(n_jobs))
    mean = float(np.mean(each))
    if not return_error:
        return mean
    spread = float(np.std(each, ddof=1)) if len(each) > 1 else float("nan")
    return mean, spread / len(each) ** 0.5 * (1 - len(each) / len(rows)) ** 0.5


def adjusted_rand_score(labels_true: Any, labels_pred: Any, *, n_jobs: int | None = None) -> float:
    """Measure how well two groupings of the same rows agree: 1 if they are the same, about 0 if by chance.

    Parameters
    ----------
    labels_true, labels_pred : array
        The group of each row: whole numbers, text or anything that can be told apart.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Returns
    -------
    float
        The share of pairs of rows on which the groupings agree, adjusted for chance; at least -0.5.

    Raises
    ------
    InputError
        A label is missing, or the groupings are not of the same rows.

    References
    ----------
    Hubert and Arabie (1985), "Comparing partitions", Journal of Classification 2.

    Examples
    --------
    >>> import xifen as xf
    >>> xf.adjusted_rand_score([0, 0, 1, 1], ["b", "b", "a", "a"])
    1.0
    """
    first, second = _labels(labels_true, "labels_true"), _labels(labels_pred, "labels_pred")
    return _core.cluster_agreement(first, second, None, threads(n_jobs))


def normalized_mutual_info_score(
    labels_true: Any,
    labels_pred: Any,
    *,
    average_method: Literal["arithmetic", "geometric", "min", "max"] = "arithmetic",
    n_jobs: int | None = None,
) -> float:
    """Measure how much one grouping tells about another of the same rows: 1 everything, 0 nothing.

    Parameters
    ----------
    labels_true, labels_pred : array
        The group of each row: whole numbers, text or anything that can be told apart.
    average_method : {"arithmetic", "geometric", "min", "max"}
        Which average of both entropies mutual information is divided by.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Returns
    -------
    float

    Raises
    ------
    InputError
        A label is missing, or the groupings are not of the same rows.
    ParameterError
        `average_method` is not known.

    References
    ----------
    Vinh, Epps and Bailey (2010), "Information theoretic measures for clusterings comparison", JMLR 11.

    Examples
    --------
    >>> import xifen as xf
    >>> xf.normalized_mutual_info_score([0, 0, 1, 1], [0, 1, 0, 1])
    0.0
    """
    first, second = _labels(labels_true, "labels_true"), _labels(labels_pred, "labels_pred")
    if average_method is None:
        raise ParameterError("average_method is None; wanted 'arithmetic', 'geometric', 'min' or 'max'")
    return _core.cluster_agreement(first, second, average_method, threads(n_jobs))


def _rows(X: Any) -> tuple[np.ndarray, list[str]]:
    """Give the rows as one array the core can read in place, and their columns' names where they have any."""
    if not is_array(X):
        frame = Frame(X)
        return in_place(frame.matrix()), [str(name) for name in frame.names]
    return in_place(check_array(X, dtype=(np.float64, np.float32), ensure_all_finite=False, ensure_min_samples=0)), []


def _labels(labels: Any, name: str) -> np.ndarray:
    """Give labels as int32 or int64: whole numbers as they are, anything else numbered by first appearance."""
    array = np.asarray(labels)
    if array.ndim != 1:
        raise InputError(f"{name} has {array.ndim} dimensions; wanted one label per row")
    if array.dtype.kind in "biu" and array.dtype != np.uint64:
        kind = array.dtype if array.dtype in (np.int32, np.int64) else np.int64
        return in_place(array.astype(kind, copy=False))
    codes: np.ndarray = pd.factorize(array)[0]
    if len(codes) and codes.min() < 0:
        row = int(np.argmin(codes))
        raise InputError(f"{name} is missing in row {row}; give every row a label, or leave it out")
    return codes.astype(np.int64, copy=False)
