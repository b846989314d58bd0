"""What k-prototypes and k-modes share: reading rows, starts, and the ways out of a fitted model."""

from __future__ import annotations

import json
from typing import Any, Literal, Self

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_feature_names, _check_n_features, check_is_fitted, validate_data

from xifen import _core
from xifen._cuts import as_json, threads
from xifen._frame import Frame, is_array
from xifen._progress import waiting
from xifen.cluster._base import DistanceModel, as_weights, in_place, warn_of_few
from xifen.cluster._categories import Coded, Table
from xifen.errors import InputError, ParameterError

__all__ = ["PrototypeModel"]


class PrototypeModel(DistanceModel):
    """Base of clusterers whose clusters stand for numbers and categories: the cheapest prototype is a row's cluster."""

    _fitted = ("cluster_centroids_", "categories_", "gamma_", "cost_", "n_iter_")

    n_clusters: int
    init: Any
    missing: Literal["error", "category"]
    cluster_centroids_: np.ndarray
    categories_: list[list[Any] | None]

    @property
    def _n_features_out(self) -> int:
        return len(self.cluster_centroids_)

    def _categorical(self, table: Table) -> list[int]:
        """Find the columns of categories."""
        raise NotImplementedError

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the clusters.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            One row per customer.
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
            A number is missing, infinite or too large to square, a category is missing (unless it may be) or of no kind
            that can be one, there are fewer rows than clusters, or weights cannot be used.
        ParameterError
            A parameter cannot be used.

        Warns
        -----
        ConvergenceWarning
            There are fewer different rows than clusters.
        """
        if self.missing not in ("error", "category"):
            raise ParameterError(f"missing is {self.missing!r}; wanted 'error' or 'category'")
        table = self._open(X, reset=True)
        rows, known = table.learn(self._categorical(table), self.missing)
        init, starts = self._starts(table, known)
        numbers = [position for position, values in enumerate(known) if values is None]
        config = {
            "n_clusters": as_json("n_clusters", self.n_clusters),
            "gamma": as_json("gamma", getattr(self, "gamma", None)),
            "init": init,
            "n_init": as_json("n_init", self.n_init),
            "max_iter": as_json("max_iter", self.max_iter),
            "label_order": as_json("label_order", self.label_order),
            "seed": int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max)),
            "columns": self._names(table, numbers),
        }
        weights = as_weights(sample_weight, table.rows)
        with waiting(type(self).__name__):
            out = _core.prototypes_fit(_in_place(rows), weights, starts, json.dumps(config), threads(self.n_jobs))
        self.categories_ = known
        self.cluster_centroids_ = _centroids(out["means"], out["modes"], known)
        self.labels_ = out["labels"]
        self.cost_ = out["cost"]
        self.gamma_ = out["gamma"]
        self.n_iter_ = out["rounds"]
        warn_of_few(out["found"], self.n_clusters)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Find the cluster of each row: the one it costs least with; of equal ones the first.

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
            As for `fit`.

        Warns
        -----
        UserWarning
            A category was not there when the model was fitted; it differs from every prototype's.
        """
        labels: np.ndarray = _core.prototypes_predict(*self._placed(X), threads(self.n_jobs))
        return labels

    def transform(self, X: Any) -> Any:
        """Give what each row costs with every prototype.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            Rows with the columns `fit` saw.

        Returns
        -------
        DataFrame, pyarrow.Table or ndarray
            The squared distance of the numbers plus `gamma_` for every category that differs, one column per cluster;
            an array for an array.

        Raises
        ------
        InputError
            As for `predict`.

        Warns
        -----
        UserWarning
            As for `predict`.
        """
        return self._as_given(X, _core.prototypes_costs(*self._placed(X), threads(self.n_jobs)))

    def _open(self, X: Any, *, reset: bool = False) -> Table:
        if is_array(X):
            # A list of mixed values would become text as an array.
            values = X if hasattr(X, "dtype") or hasattr(X, "tocsr") else np.asarray(X, dtype=object)
            return Table(validate_data(self, values, reset=reset, dtype=None, ensure_all_finite=False))
        table = Table(X)
        native = Frame(X).native
        _check_feature_names(self, native, reset=reset)
        _check_n_features(self, native, reset=reset)
        if not table.rows or not table.width:
            raise InputError(f"the frame has no {'column' if table.rows else 'row'}; give at least one to group")
        return table

    def _starts(self, table: Table, known: list[list[Any] | None]) -> tuple[str | None, Coded | None]:
        """Say how runs start: a word for the core, and prototypes where they are given."""
        if isinstance(self.init, str):
            return self.init, None
        if self.init is None:
            raise ParameterError("init is None; wanted 'Huang', 'Cao', 'random' or rows to start from")
        try:
            given = Table(np.asarray(self.init, dtype=object) if is_array(self.init) else self.init, "init")
        except (TypeError, ValueError) as failure:
            raise ParameterError(
                f"init cannot be read ({failure}); wanted 'Huang', 'Cao', 'random' or rows to start from"
            ) from None
        if given.width != table.width or (given.names and table.names and given.names != table.names):
            shown = given.names or f"{given.width} columns"
            raise ParameterError(f"init has {shown}; wanted {table.names or f'{table.width} columns'}")
        starts, unseen = given.code(known, self.missing)
        if unseen:
            position, value = unseen[0]
            raise ParameterError(f"init holds {value!r} in {table.called(position)}, which no row has")
        return None, _in_place(starts)

    def _placed(self, X: Any) -> tuple[Coded, Coded, float, list[str]]:
        """Give rows, prototypes, gamma and the names of the columns of numbers as the core reads them."""
        check_is_fitted(self)
        table = self._open(X)
        rows, unseen = table.code(self.categories_, self.missing)
        table.warn_of_unseen(unseen)
        numbers = [position for position, values in enumerate(self.categories_) if values is None]
        prototypes, _ = Table(self.cluster_centroids_).code(self.categories_, "category")
        return _in_place(rows), _in_place(prototypes), self.gamma_, self._names(table, numbers)

    def _names(self, table: Table, positions: list[int]) -> list[str]:
        return [str(table.names[position]) if table.names else str(position) for position in positions]

    def _plain(self, parameter: Any) -> Any:
        if isinstance(parameter, (str, int, float, bool, list, tuple, np.ndarray, np.generic)) or parameter is None:
            return parameter
        raise ParameterError(
            f"a model file cannot hold {type(parameter).__name__}; give numbers, words or an array as parameters, or "
            "pickle the model"
        )

    def _check_restored(self) -> None:
        shape = np.shape(self.cluster_centroids_)
        if len(shape) != 2 or shape[1] != self.n_features_in_ or len(self.categories_) != self.n_features_in_:
            raise InputError("this model is damaged: its prototypes and categories are not of the same columns")


def _in_place(rows: Coded) -> Coded:
    numbers, codes = rows
    return in_place(numbers), np.ascontiguousarray(codes)


def _centroids(means: np.ndarray, modes: np.ndarray, known: list[list[Any] | None]) -> np.ndarray:
    """Put means and modes into one table with the caller's columns."""
    categorical = [position for position, values in enumerate(known) if values is not None]
    clusters = len(modes) // len(categorical)
    modes = modes.reshape(clusters, -1)
    means = means.reshape(clusters, -1)
    out = np.empty((clusters, len(known)), dtype=object)
    out[:, [position for position, values in enumerate(known) if values is None]] = means
    for column, position in enumerate(categorical):
        values = np.empty(len(known[position] or ()), dtype=object)
        values[:] = known[position]
        out[:, position] = values[modes[:, column]]
    return out
