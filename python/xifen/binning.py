"""From a measure to a few ordered bins: `Binner` for any columns, `RFMScorer` for the three of RFM."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from xifen import _columns as names
from xifen import _core, _display
from xifen._base import ColumnAdder, FrameTransformer
from xifen._cuts import (
    BinEdges,
    array_names,
    as_json,
    column_names,
    cuts_by_column,
    is_fitted_edges,
    known_columns,
    of_column,
    renamed,
    threads,
)
from xifen._frame import Frame, is_array
from xifen._results import Column, Labels, Masked, as_array
from xifen.errors import InputError, ParameterError

__all__ = ["BinEdges", "Binner", "RFMScorer"]

Strategy = Literal["quantile", "uniform", "kmeans", "mean", "median"]


class _Bins(FrameTransformer):
    """What `Binner` and `RFMScorer` share: fitted edges, and the one call into Rust."""

    _fitted = ("bin_edges_", "closed_")
    _most_bins: ClassVar[int]

    bin_edges_: BinEdges
    closed_: dict[str, list[str]]

    def edges_table(self) -> pd.DataFrame:
        """Show where scores change, one row per inner edge.

        Returns
        -------
        pandas.DataFrame
            `column`; `bin`, the bin below the edge, counted from 1 in order of value; `edge`; `closed`, "right" when
            the edge itself lies in that bin (x <= edge) and "left" when it lies in the next one (x < edge);
            `score_below` and `score_above`, what values on either side get: a score, or a label where there are labels.
        """
        check_is_fitted(self)
        rows = []
        for column, edges in self.bin_edges_.items():
            scale = self._scale(column, len(edges) + 1)
            sides = zip(edges.tolist(), self.closed_[column], scale, scale[1:], strict=False)
            rows += [(column, place, *side) for place, side in enumerate(sides, start=1)]
        return pd.DataFrame(rows, columns=["column", "bin", "edge", "closed", "score_below", "score_above"])

    def _shown(self) -> list[_display.Part]:
        return [("edges", self.edges_table())]

    def _scale(self, column: str, n_bins: int) -> list[Any]:
        """What each bin gives, in order of value."""
        given = (of_column(name, self.get_params().get(name), column) for name in ("labels", "scores"))
        scale = next((list(values) for values in given if values is not None), list(range(1, n_bins + 1)))
        return scale[::-1] if column in self._descending(list(self.bin_edges_)) else scale

    def _cross(
        self, frame: Frame, columns: list[str], parameters: Mapping[str, Any], *, fit: bool, place: bool
    ) -> dict[str, Any]:
        """Cross to Rust once: learn edges and remember them, place rows by them, or both.

        `parameters` are those of every column or a dict by column; Rust checks what they say.
        """
        for name, value in parameters.items():
            if isinstance(value, Mapping):
                known_columns(name, value, columns)
        kept = parameters if fit else {name: parameters[name] for name in ("labels", "scores") if name in parameters}
        config = {
            "columns": [
                {"name": column, "descending": column in self._descending(columns)}
                | {name: of_column(name, value, column) for name, value in kept.items()}
                for column in columns
            ],
            "most_bins": self._most_bins,
            "weights": self._weights(),
        }
        fitted = None if fit else [self._sides(column) for column in columns]
        out = _core.bin_columns(frame.stream(columns), json.dumps(config), fitted, place, threads(self.n_jobs))
        if fit:
            sides = {column: left for column, (_, left) in zip(columns, out["edges"], strict=True)}
            self.closed_ = {column: ["left" if side else "right" for side in left] for column, left in sides.items()}
            edges = {column: edges for column, (edges, _) in zip(columns, out["edges"], strict=True)}
            self.bin_edges_ = BinEdges(edges, self.closed_)
        return out

    def _descending(self, columns: list[str]) -> list[str]:
        raise NotImplementedError

    def _weights(self) -> Any:
        """Say how scores are put together; None when they are not."""
        return None

    def _sides(self, column: str) -> tuple[list[float], list[bool]]:
        return self.bin_edges_[column].tolist(), [side == "left" for side in self.closed_[column]]

    def _plain(self, parameter: Any) -> Any:
        return cuts_by_column(parameter) if is_fitted_edges(parameter) else parameter

    def _check_restored(self) -> None:
        edges, closed = self.bin_edges_, self.closed_
        lengths, sides = ({column: len(part) for column, part in parts.items()} for parts in (edges, closed))
        if lengths != sides or not {side for sides in closed.values() for side in sides} <= {"left", "right"}:
            raise InputError("this model is damaged: closed_ must say 'left' or 'right' for each edge of bin_edges_")
        for column, values in edges.items():
            if np.ndim(values) != 1 or not (np.diff(values) >= 0).all():
                raise InputError(f"this model is damaged: the edges of '{column}' must not decrease")
        self.bin_edges_ = BinEdges(edges, closed)
        self.transform({column: np.empty(0) for column in edges})  # asks all parameters that a fitted one uses


class Binner(_Bins):
    """Cut measures into a few ordered bins, and place values by the same cuts ever after.

    A value's score is 1 plus the number of edges below it, so equal values always score alike. Edges that coincide
    (80 % of customers bought once) stay: the scale keeps its length, and scores nobody reaches stay empty.

    Parameters
    ----------
    n_bins : int or dict of str to int, optional
        How many bins, 2 to 100. None means 5; 2 for "mean" and "median"; one more than there are `edges`.
    columns : list of str, optional
        The columns to cut. By default those of `edges` where it is a dict, else all numeric ones, objects that are
        numbers (Decimal) included.
    strategy : {"quantile", "uniform", "kmeans", "mean", "median"} or dict of str to these
        "quantile": bins of about equal size, the bins of pandas.qcut (pandas 3). "uniform": equal width. "kmeans": the
        true optimum of k-means in one dimension, edges halfway between cluster means. "mean" and "median": two bins,
        a value equal to the edge on the good side: in the upper one, in the lower one of a descending column.
    edges : list of float or str, or dict of str to such lists, optional
        Inner edges to use instead of learning them: numbers (a value equal to one lies below it) or text with its
        operator, "< 50" or, for the same cut, ">= 50". Also another estimator's `bin_edges_`, or the pair
        ``(bin_edges_, closed_)``, which make its bins again.
    labels : list of str or dict of str to such lists, optional
        Names of the bins, worst to best, to give instead of scores: ordered categories.
    scores : list of int or dict of str to such lists, optional
        Scores of the bins, worst to best, -128 to 127, instead of 1 to `n_bins`.
    descending : list of str
        The columns in which low values are good.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Attributes
    ----------
    bin_edges_ : dict of str to ndarray of shape (n_bins - 1,)
        Inner edges, ascending.
    closed_ : dict of str to list of {"right", "left"}
        Per edge, "right" (x <= edge is lower) or "left" (x < edge is lower).
    n_features_in_ : int
        How many columns the data had.
    feature_names_in_ : ndarray of str
        Their names, where they had any.

    Notes
    -----
    Quantile edges are Hyndman and Fan's type 7. "kmeans" follows Wang and Song (2011), "Ckmeans.1d.dp: optimal k-means
    clustering in one dimension by dynamic programming", The R Journal 3(2).

    Examples
    --------
    >>> import pandas as pd
    >>> from xifen import Binner
    >>> spent = pd.DataFrame({"monetary": [12.0, 40.0, 55.0, 300.0, None]})
    >>> Binner(edges=["< 50", "< 100"], labels=["low", "middle", "high"]).fit_transform(spent)["monetary"].tolist()
    ['low', 'low', 'middle', 'high', nan]
    >>> Binner(2).fit(spent).bin_edges_["monetary"].tolist()
    [47.5]
    """

    _most_bins = 100

    def __init__(
        self,
        n_bins: int | Mapping[str, int] | None = None,
        *,
        columns: Sequence[str] | None = None,
        strategy: Strategy | Mapping[str, Strategy] = "quantile",
        edges: Any = None,
        labels: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        scores: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
        descending: Sequence[str] = (),
        n_jobs: int | None = None,
    ) -> None:
        self.n_bins = n_bins
        self.columns = columns
        self.strategy = strategy
        self.edges = edges
        self.labels = labels
        self.scores = scores
        self.descending = descending
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the edges.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            The measures; missing values are left out.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        InputError
            A column is absent, not numeric, without values, or holds infinity.
        ParameterError
            A parameter cannot be used.
        """
        self._fit(self._open(X, fitting=True), place=False)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Find the edges and place the same rows by them, reading the data once; see `fit` and `transform`."""
        frame = self._open(X, fitting=True)
        return self._columns(frame, X, self._fit(frame, place=True))

    def transform(self, X: Any) -> Any:
        """Place rows by the edges found before.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            The binned columns must be in it; others may.

        Returns
        -------
        DataFrame, pyarrow.Table or ndarray
            The binned columns alone, under their own names: scores (pandas Int8, polars and Arrow int8) or labels.
            An array gives a float64 array, NaN where a value is missing. Values beyond the fitted range score 1 or
            `n_bins`.

        Raises
        ------
        InputError
            A column is absent, not numeric, or holds infinity.
        """
        check_is_fitted(self)
        frame = self._open(X, fitting=False)
        out = self._cross(frame, list(self.bin_edges_), self._parameters(), fit=False, place=True)
        return self._columns(frame, X, out)

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> np.ndarray:
        """Name the columns that come out.

        Parameters
        ----------
        input_features : list of str, optional
            Names for the columns of an array.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        given = _check_feature_names_in(self, input_features)
        own = list(getattr(self, "feature_names_in_", array_names(self.n_features_in_)))
        return np.asarray([given[own.index(column)] for column in self.bin_edges_], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _open(self, X: Any, *, fitting: bool) -> Frame:
        if not is_array(X):
            frame = Frame(X)
            if fitting:
                self._remember(frame)
            return frame
        values = validate_data(self, X, reset=fitting, ensure_all_finite=False)
        values = values.astype(np.int8) if values.dtype == bool else values
        names = getattr(self, "feature_names_in_", array_names(values.shape[1]))
        return Frame(dict(zip(names, values.T, strict=True)))

    def _fit(self, frame: Frame, *, place: bool) -> dict[str, Any]:
        edges = cuts_by_column(self.edges)
        if self.columns is not None:
            columns = column_names("columns", self.columns)
            if not columns:
                raise ParameterError("columns is empty; name what to bin, or leave it out for every numeric column")
        else:
            columns = (
                column_names("edges", list(edges)) if isinstance(edges, Mapping) and edges else frame.numeric_names()
            )
        if not columns:
            raise InputError(
                f"the frame has no numeric column to bin; its columns are: {', '.join(map(repr, frame.names)) or 'none'}"
            )
        return self._cross(frame, columns, self._parameters(), fit=True, place=place)

    def _parameters(self) -> dict[str, Any]:
        names = ("n_bins", "strategy", "edges", "labels", "scores")
        return {name: cuts_by_column(getattr(self, name)) for name in names}

    def _descending(self, columns: list[str]) -> list[str]:
        descending = column_names("descending", self.descending)
        known_columns("descending", descending, columns)
        return descending

    def _columns(self, frame: Frame, X: Any, out: dict[str, Any]) -> Any:
        columns: dict[str, Column] = {}
        for column, (values, missing) in zip(self.bin_edges_, out["scores"], strict=True):
            labels = of_column("labels", self.labels, column)
            if labels is None:
                columns[column] = Masked(values, missing)
            else:
                codes = values if missing is None else np.where(missing, -1, values)
                columns[column] = Labels(codes, labels, ordered=True)
        return as_array(columns) if is_array(X) else frame.new(columns, same_rows=True)


class RFMScorer(ColumnAdder, _Bins):
    """Score recency, frequency and monetary value, and put the three scores together.

    Ten equal customers all score R=5, F=1, M=1: no evidence of more is scored as less.

    Customers who never ordered (``customers=`` of `rfm_table`) have no recency: they count in the quantiles of
    order_count and monetary and are scored there, but have no recency score, no cell, no `rfm_score`, and so no segment.

    Parameters
    ----------
    n_bins : int or dict of str to int, optional
        How many scores, 2 to 20, in all or by column name; as for `Binner`.
    recency, frequency, monetary : str
        The columns to score. Few days since the last purchase are good; of the other two, more is better.
    strategy, edges, scores
        As for `Binner`, dicts by column name.
    weights : three numbers, or mapping of the three columns to numbers
        How much recency, frequency and monetary value count in `rfm_score`; `entropy_weights` and `ahp_weights` make
        such mappings.
    output : dict of str to str, optional
        Other names for added columns, default name to new name.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Attributes
    ----------
    bin_edges_, closed_, n_features_in_, feature_names_in_
        As for `Binner`.

    Notes
    -----
    The published three-point scale is ``RFMScorer(frequency="order_count_12M", edges={"order_count_12M": ["< 5",
    "< 10"]}, scores={"order_count_12M": [1, 3, 5]})``.

    Examples
    --------
    >>> import pandas as pd
    >>> from xifen import RFMScorer
    >>> rfm = pd.DataFrame({"recency_days": [3, 90, 400], "order_count": [9, 2, 1], "monetary": [900.0, 80.0, 15.0]})
    >>> RFMScorer(3).fit_transform(rfm)[["recency_score", "frequency_score", "monetary_score", "rfm_cell", "rfm_score"]]
       recency_score  frequency_score  monetary_score rfm_cell  rfm_score
    0              3                3               3      333        3.0
    1              2                2               2      222        2.0
    2              1                1               1      111        1.0
    """

    _most_bins = 20

    def __init__(
        self,
        n_bins: int | Mapping[str, int] | None = None,
        *,
        recency: str = names.RECENCY_DAYS,
        frequency: str = names.ORDER_COUNT,
        monetary: str = names.MONETARY,
        strategy: Strategy | Mapping[str, Strategy] = "quantile",
        edges: Any = None,
        scores: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
        weights: Sequence[float] | Mapping[str, float] = (1, 1, 1),
        output: Mapping[str, str] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_bins = n_bins
        self.recency = recency
        self.frequency = frequency
        self.monetary = monetary
        self.strategy = strategy
        self.edges = edges
        self.scores = scores
        self.weights = weights
        self.output = output
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the edges.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table or dict of arrays
            One row per customer, as `rfm_table` makes it; missing values are left out.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        InputError
            A column is absent, not numeric, without values, or holds infinity.
        ParameterError
            A parameter cannot be used.
        TypeError
            X is an array: it has no column names.
        """
        self._fit(self._open(X), place=False)
        return self

    def transform(self, X: Any) -> Any:
        """Score rows by the edges found before.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table or dict of arrays
            Must have the three columns; others may.

        Returns
        -------
        DataFrame or pyarrow.Table
            The caller's frame with `recency_score`, `frequency_score`, `monetary_score`, `rfm_cell` ("545"; "10-4-5"
            above 9 bins) and `rfm_score` (the weighted mean) added. A missing score makes cell and mean missing.

        Raises
        ------
        InputError
            A column is absent, not numeric, holds infinity, or an added one is already there.
        """
        check_is_fitted(self)
        frame = self._open(X)
        return self._add(frame, self._cross(frame, self._measures(), self._parameters(), fit=False, place=True))

    def _fit(self, frame: Frame, *, place: bool) -> dict[str, Any]:
        self._added()
        out = self._cross(frame, self._measures(), self._parameters(), fit=True, place=place)
        self._remember(frame)
        return out

    def _reads(self) -> list[str]:
        return self._measures()

    def _adds(self) -> list[str]:
        return list(self._added().values())

    def _measures(self) -> list[str]:
        return column_names("recency, frequency and monetary", [self.recency, self.frequency, self.monetary])

    def _check_restored(self) -> None:
        if set(self._measures()) != set(self.bin_edges_):
            raise InputError(
                f"this model is damaged: it has edges of {', '.join(self.bin_edges_)}, not of what it scores"
            )
        super()._check_restored()

    def _parameters(self) -> dict[str, Any]:
        return {name: cuts_by_column(getattr(self, name)) for name in ("n_bins", "strategy", "edges", "scores")}

    def _descending(self, columns: list[str]) -> list[str]:
        return columns[:1]

    def _weights(self) -> Any:
        if self.weights is None:
            raise ParameterError("weights is None; wanted three numbers for recency, frequency and monetary")
        if isinstance(self.weights, Mapping):
            columns = self._measures()
            known_columns("weights", self.weights, columns)
            absent = [column for column in columns if column not in self.weights]
            if absent:
                raise ParameterError(f"weights has none for '{absent[0]}'; give each column one, 0 to leave it out")
            return as_json("weights", [self.weights[column] for column in columns])
        return as_json("weights", self.weights)

    def _added(self) -> dict[str, str]:
        """Map the default name of every added column to its name here."""
        return renamed(names.SCORES, self.output)

    def _add(self, frame: Frame, found: dict[str, Any]) -> Any:
        scores = [Masked(values, missing) for values, missing in found["scores"]]
        columns: list[Column] = [*scores, Labels(found["cell"], found["cells"]), found["score"]]
        return frame.add(dict(zip(self._adds(), columns, strict=True)))
