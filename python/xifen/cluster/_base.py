"""What the clusterers share: arrays and frames in, and the ways out of a model with centres."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import ClassNamePrefixFeaturesOutMixin, ClusterMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import _check_feature_names, _check_n_features, check_is_fitted, validate_data

from xifen import _core, _display
from xifen._base import FrameTransformer, Model
from xifen._cuts import threads
from xifen._frame import Frame, is_array
from xifen._warn import warn
from xifen.errors import InputError, ParameterError


class RowReader:
    """What every clusterer reads: an array or a frame of numbers."""

    def _rows(self, X: Any, *, reset: bool = False, dtype: Any = None) -> np.ndarray:
        """Give the rows as one array the core can read in place; of what kind it was fitted on, or float64."""
        if is_array(X):
            kinds = (np.float64, np.float32) if dtype is None else dtype
            try:
                rows = validate_data(self, X, reset=reset, dtype=kinds, order=None, ensure_all_finite=False)
            except ValueError:
                _refuse_texts(X)
                raise
        else:
            frame = Frame(X)
            rows = frame.matrix()
            if dtype is not None:
                rows = rows.astype(dtype, copy=False)
            _check_feature_names(self, frame.native, reset=reset)
            _check_n_features(self, frame.native, reset=reset)
            if not rows.size:
                raise InputError(f"the frame has no {'column' if len(rows) else 'row'}; give at least one to group")
        return in_place(rows)

    def _names(self) -> list[str]:
        return [str(name) for name in getattr(self, "feature_names_in_", ())]


class Clusterer(RowReader, Model):
    """Base of what groups rows and knows the cluster of further ones."""

    def _plain(self, parameter: Any) -> Any:
        if callable(parameter) or isinstance(parameter, np.random.RandomState):
            raise ParameterError(
                f"a model file cannot hold {parameter!r}; give numbers or words as parameters, or pickle the model"
            )
        return parameter


class LabelModel(ClusterMixin):
    """Base of what labels the rows it is fitted on, which may have weights."""

    labels_: np.ndarray

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> np.ndarray:
        """`fit`, and the cluster of each row.

        Parameters
        ----------
        X, sample_weight
            As for `fit`.
        y : None
            Ignored.

        Returns
        -------
        ndarray of int32
            `labels_`.
        """
        self.fit(X, sample_weight=sample_weight)
        return self.labels_


class DistanceModel(ClassNamePrefixFeaturesOutMixin, LabelModel, FrameTransformer):
    """Base of what measures rows against every cluster, one column each."""

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """`fit`, and what `transform` gives for the same rows."""
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def _as_given(self, X: Any, distances: np.ndarray) -> Any:
        """Give distances, which come row by row, as an array for an array and as a frame of X's kind for a frame."""
        distances = distances.reshape(-1, self._n_features_out)
        if is_array(X):
            return distances
        return Frame(X).new(dict(zip(self.get_feature_names_out(), distances.T, strict=True)), same_rows=True)


class CentreModel(DistanceModel, Clusterer):
    """Base of clusterers whose clusters are centres: the nearest one is a row's cluster."""

    cluster_centers_: np.ndarray
    _origin: np.ndarray

    def _shown(self) -> list[_display.Part]:
        sizes = np.bincount(self.labels_, minlength=len(self.cluster_centers_)) if hasattr(self, "labels_") else None
        names = self._names() or [f"column {place}" for place in range(self.cluster_centers_.shape[1])]
        centres = pd.DataFrame(self.cluster_centers_, columns=names).rename_axis("cluster").reset_index()
        if sizes is not None:
            centres.insert(1, "rows", sizes)
        return [("centres", centres)]

    @property
    def _n_features_out(self) -> int:
        return len(self.cluster_centers_)

    def predict(self, X: Any) -> np.ndarray:
        """Find the cluster of each row: the nearest of `cluster_centers_`.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            Rows with the columns `fit` saw.

        Returns
        -------
        ndarray of int32
            For the rows of `fit` the same as `labels_`.

        Raises
        ------
        InputError
            A value is missing, infinite, or so large that its square is no number.
        """
        rows, centres, origin = self._placed(X)
        labels: np.ndarray = _core.kmeans_predict(rows, centres, origin, self._names(), threads(self.n_jobs))
        return labels

    def transform(self, X: Any) -> Any:
        """Measure the distance of each row to every centre.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            Rows with the columns `fit` saw.

        Returns
        -------
        DataFrame, pyarrow.Table or ndarray
            Euclidean distances, one column per cluster; an array for an array.

        Raises
        ------
        InputError
            As for `predict`.
        """
        rows, centres, origin = self._placed(X)
        distances = _core.kmeans_distances(rows, centres, origin, self._names(), threads(self.n_jobs))
        return self._as_given(X, distances)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Give the negated inertia of rows: the higher, the nearer they are to their centres.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            Rows with the columns `fit` saw.
        y : None
            Ignored.
        sample_weight : array of numbers, optional
            What each row counts; 1 by default.

        Returns
        -------
        float
            Minus the weighted sum of squared distances to the nearest centre.

        Raises
        ------
        InputError
            As for `predict`.
        """
        rows, centres, origin = self._placed(X)
        weights = as_weights(sample_weight, len(rows))
        return -_core.kmeans_inertia(rows, weights, centres, origin, self._names(), threads(self.n_jobs))

    def _placed(self, X: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give rows, centres and origin as the core reads them."""
        check_is_fitted(self)
        kind = np.float32 if self.cluster_centers_.dtype == np.float32 else np.float64
        centres = in_place(np.asarray(self.cluster_centers_, dtype=kind))
        return self._rows(X, dtype=kind), centres, in_place(np.asarray(self._origin, dtype=kind).reshape(1, -1))


def _refuse_texts(X: Any) -> None:
    """Name the first value of an array of objects or texts that is no number."""
    array = np.asarray(X) if hasattr(X, "dtype") else np.asarray(X, dtype=object)
    if array.ndim != 2 or array.dtype.kind not in "OUS":
        return
    for (row, column), value in np.ndenumerate(array):
        try:
            float(value)
        except ValueError:
            raise InputError(
                f"X holds {value!r} in row {row} of column {column}; wanted numbers: convert it, or leave the column out"
            ) from None


def in_place(array: np.ndarray) -> np.ndarray:
    """Copy an array only if the core cannot read it where it stands."""
    if array.flags.aligned and (array.flags.c_contiguous or array.flags.f_contiguous):
        return array
    return array.copy(order="C")


def as_weights(sample_weight: Any, rows: int) -> np.ndarray | None:
    """Give weights as float64, one per row; None where all rows count alike."""
    if sample_weight is None:
        return None
    try:
        weights = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError) as failure:
        raise InputError(f"sample_weight cannot be read: {failure}; give one number per row") from None
    if weights.ndim == 0:
        return np.full(rows, weights)
    if weights.ndim != 1:
        raise InputError(f"sample_weight must be 1D array or scalar: it has {weights.ndim} dimensions")
    return in_place(weights)


def warn_of_few(found: int, wanted: int) -> None:
    """Say that there are fewer different rows than clusters."""
    if found < wanted:
        warn(
            f"Number of distinct clusters ({found}) found smaller than n_clusters ({wanted}). "
            "Possibly due to duplicate points in X.",
            ConvergenceWarning,
        )


def whole(name: str, value: Any, *, at_least: int = 1) -> int:
    """Give a whole number, for what Python itself counts with."""
    try:
        number = operator.index(value)
    except TypeError:
        number = at_least - 1
    if number < at_least or isinstance(value, bool):
        raise ParameterError(f"{name} is {value!r}; wanted a whole number of at least {at_least}")
    return number
