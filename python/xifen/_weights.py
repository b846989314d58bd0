"""Weights for the indicators of a scorecard: by how much they tell customers apart, or by pairwise comparison."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from xifen import _core
from xifen._cuts import as_json, column_names, known_columns, threads
from xifen._frame import Frame
from xifen.errors import InputError, ParameterError

__all__ = ["AHPWeights", "ahp_weights", "entropy_weights"]


def entropy_weights(
    frame: Any,
    *,
    columns: Sequence[str] | None = None,
    scale: Literal["share", "range"] = "share",
    descending: Sequence[str] = (),
    n_jobs: int | None = None,
) -> dict[str, float]:
    """Weigh indicators by how much they tell customers apart.

    With shares p of n rows, an indicator's entropy is ``-sum(p ln p) / ln n``, and its weight is 1 minus that, over
    the sum of all. An indicator that is the same for everyone weighs nothing. A weight says how unequal the values
    are, not how important they are to anyone.

    Parameters
    ----------
    frame : frame
        pandas, polars, pyarrow Table or dict of arrays, a row per customer. A row with a missing value in one of the
        columns is left out.
    columns : list of str, optional
        The indicators; all numeric columns by default.
    scale : {"share", "range"}
        What the shares are shares of: "share", the values themselves, which must not be negative; "range", the values
        on a scale from 0 (the worst there is) to 1 (the best).
    descending : list of str
        The columns in which low values are good. It matters to scale="range" only.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Returns
    -------
    dict of str to float
        Column -> weight; they sum to 1.

    Raises
    ------
    InputError
        A column is absent, not numeric, infinite, or negative where shares are taken; fewer than two rows are
        complete; or no column differs between rows.
    ParameterError
        A parameter cannot be used.

    Notes
    -----
    Hwang and Yoon (1981), "Multiple Attribute Decision Making: Methods and Applications", Springer, after Shannon
    (1948), "A mathematical theory of communication", Bell System Technical Journal 27.

    Examples
    --------
    >>> import pandas as pd
    >>> from xifen import entropy_weights
    >>> customers = pd.DataFrame({"amount": [1.0, 1.0, 8.0], "orders": [3, 3, 4], "branch": [7, 7, 7]})
    >>> {name: round(weight, 3) for name, weight in entropy_weights(customers).items()}
    {'amount': 0.979, 'orders': 0.021, 'branch': 0.0}
    """
    table = Frame(frame)
    named = table.numeric_names() if columns is None else column_names("columns", columns)
    if not named:
        raise InputError("the frame has no numeric column to weigh")
    if scale not in ("share", "range"):
        raise ParameterError(f"scale is {scale!r}; wanted 'share' or 'range'")
    low = column_names("descending", descending)
    known_columns("descending", low, named)
    config = {"columns": named, "descending": [name in low for name in named], "scale": scale}
    return dict(
        zip(named, _core.entropy_weights(table.stream(named), json.dumps(config), threads(n_jobs)), strict=True)
    )


class AHPWeights(dict[str, float]):
    """Weights by pairwise comparison: a dict that also knows how far the comparisons contradict each other.

    Attributes
    ----------
    lambda_max : float
        The principal eigenvalue of the comparisons.
    consistency_index : float
        ``(lambda_max - n) / (n - 1)``.
    consistency_ratio : float
        The index by the mean index of random comparisons; 0 is no contradiction.
    """

    def __init__(
        self, weights: Mapping[str, float], lambda_max: float, consistency_index: float, consistency_ratio: float
    ) -> None:
        super().__init__(weights)
        self.lambda_max = lambda_max
        self.consistency_index = consistency_index
        self.consistency_ratio = consistency_ratio

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self), self.lambda_max, self.consistency_index, self.consistency_ratio)


def ahp_weights(
    comparisons: Any, *, names: Sequence[str] | None = None, allow_inconsistent: bool = False
) -> AHPWeights:
    """Weigh indicators by comparing them in pairs, the analytic hierarchy process.

    Parameters
    ----------
    comparisons : square table, or mapping of pair to number
        How many times as important the row's indicator is as the column's, from 1 (equally) to 9 (extremely), or the
        reverse, 1/9 to 1, as a number or text ("1/3"). A pandas DataFrame names its indicators; rows of numbers take
        `names`; None takes the reverse of the mirror image. Or each pair once: ``{("price", "quality"): "1/3", ...}``.
    names : list of str, optional
        The indicators, where `comparisons` does not name them.
    allow_inconsistent : bool
        Accept comparisons whose consistency ratio is above 0.1.

    Returns
    -------
    AHPWeights
        A dict of indicator -> weight; they sum to 1. Its `consistency_ratio` says how far comparisons contradict
        each other.

    Raises
    ------
    ParameterError
        A comparison is absent, not positive, or not the reverse of its mirror image; there are more than 15
        indicators; or the consistency ratio is above 0.1: the error names the comparison furthest from the others.

    Notes
    -----
    The principal eigenvector of the comparisons: Saaty (1977), "A scaling method for priorities in hierarchical
    structures", Journal of Mathematical Psychology 15(3). The consistency ratio divides by Saaty's random indices: Saaty
    (1980), "The Analytic Hierarchy Process", McGraw-Hill, page 21.

    Examples
    --------
    >>> from xifen import ahp_weights
    >>> weights = ahp_weights({("amount", "growth"): 3, ("amount", "loyalty"): 5, ("growth", "loyalty"): 3})
    >>> {name: round(weight, 3) for name, weight in weights.items()}
    {'amount': 0.637, 'growth': 0.258, 'loyalty': 0.105}
    >>> round(weights.consistency_ratio, 3)
    0.033
    """
    if isinstance(comparisons, Mapping):
        labels, rows = _from_pairs(comparisons, names)
    else:
        own = getattr(comparisons, "columns", None)
        labels = column_names("names", names if names is not None or own is None else list(own))
        rows = np.asarray(comparisons, dtype=object).tolist()
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise ParameterError(f"comparisons is {comparisons!r}; wanted a square of numbers, or a mapping of pairs")
        index = getattr(comparisons, "index", None)
        if own is not None and index is not None and list(index) not in (list(own), [*range(len(rows))]):
            raise ParameterError("the rows of comparisons are not named as its columns are; wanted the same order")
    matrix = [[None if item is None or item != item else as_json("comparisons", item) for item in row] for row in rows]  # noqa: PLR0124
    config = {"names": labels, "matrix": matrix, "allow_inconsistent": bool(allow_inconsistent)}
    found = json.loads(_core.ahp_weights(json.dumps(config)))
    return AHPWeights(dict(zip(labels, found.pop("weights"), strict=True)), **found)


def _from_pairs(pairs: Mapping[Any, Any], names: Sequence[str] | None) -> tuple[list[str], list[list[Any]]]:
    """Lay each comparison on its place in a square."""
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise ParameterError(f"comparisons holds {pair!r}; wanted pairs of names, ('price', 'quality')")
    together = list(dict.fromkeys(name for pair in pairs for name in pair))
    labels = column_names("names", together if names is None else names)
    known_columns("comparisons", together, labels)
    return labels, [[pairs.get((row, column)) for column in labels] for row in labels]
