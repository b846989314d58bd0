"""Gaussian mixtures: rows come from a few normal distributions, and each row belongs to each of them to some degree."""

from __future__ import annotations

import json
import math
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import DensityMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from xifen import _core
from xifen._cuts import as_json, threads
from xifen._progress import waiting
from xifen._warn import warn
from xifen.cluster._base import Clusterer, in_place, whole
from xifen.errors import ParameterError

__all__ = ["GaussianMixture"]


class GaussianMixture(DensityMixin, Clusterer):
    """A mixture of normal distributions fitted by expectation and maximisation, a drop-in for scikit-learn's.

    From the same start it takes the same path; random starts are drawn by a generator of our own.

    Parameters
    ----------
    n_components : int
        How many normal distributions.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Each component has its own covariance; all share one; each has its own variances and no covariances; each has
        one variance.
    tol : float
        A round that changes the mean log-likelihood of a row by less than this is the last.
    reg_covar : float
        Added to every variance, in the square of the columns' units: scale columns first, or set it to suit them.
    max_iter : int
        How many rounds a run may take.
    n_init : int
        How many runs; the likeliest is kept.
    init_params : {"kmeans", "k-means++", "random", "random_from_data"}
        Where runs start: from the clusters of k-means; from rows far from each other; with every row belonging to
        every component by chance; from any rows.
    weights_init : array of shape (n_components,), optional
        The shares to start from instead.
    means_init : array of shape (n_components, n_features), optional
        The means to start from instead.
    precisions_init : array, optional
        The inverses of the covariances to start from instead, in the shape of `precisions_`.
    random_state : int, RandomState or None
        What every random number follows from.
    label_order : {"size"} or None
        "size" makes component 0 the one with the largest weight, 1 the second, and so on. None is the order of the
        start, as in scikit-learn.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        The share of each component.
    means_ : ndarray of shape (n_components, n_features)
        Their means.
    covariances_ : ndarray
        Of shape (n_components, n_features, n_features) for "full", (n_features, n_features) for "tied",
        (n_components, n_features) for "diag", (n_components,) for "spherical".
    precisions_ : ndarray
        Their inverses, in the same shape.
    precisions_cholesky_ : ndarray
        Upper triangles P of the precisions ``P @ P.T``, or the square roots of the inverse variances.
    converged_ : bool
        Whether the likelihood of the best run came to rest within `tol`.
    n_iter_ : int
        Rounds of the best run.
    lower_bound_ : float
        The mean log-likelihood of a row, as the last round found it before its last step.
    n_features_in_ : int
        How many columns the data had.
    feature_names_in_ : ndarray of str
        Their names, where they had any.

    Notes
    -----
    All is computed in float64; for float32 data the fitted arrays are float32, as in scikit-learn. Moments are measured
    from each component's mean, so that data far from zero lose nothing. A component that shrinks onto tied rows (most
    customers with one order, say) has a density that would grow without end: `reg_covar` bounds it, where scikit-learn
    ends in an error its variances are raised until they can be inverted, and a warning names the component.
    Results are the same bits for any number of threads; between processors with different vector units the last bits
    may differ.

    References
    ----------
    Dempster, Laird and Rubin (1977), "Maximum likelihood from incomplete data via the EM algorithm", Journal of the
    Royal Statistical Society B 39(1).

    Examples
    --------
    >>> import numpy as np
    >>> from xifen import GaussianMixture
    >>> X = np.array([[1.0, 2.0], [1.2, 4.0], [0.9, 0.0], [10.0, 2.0], [10.5, 4.0], [9.0, 0.5], [1.1, 2.5]])
    >>> gm = GaussianMixture(2, covariance_type="diag", label_order="size", random_state=0).fit(X)
    >>> gm.weights_.round(3).tolist(), gm.means_.round(3).tolist()
    ([0.571, 0.429], [[1.05, 2.125], [9.833, 2.167]])
    >>> gm.predict([[0.0, 0.0], [12.0, 3.0]]).tolist()
    [0, 1]
    """

    _fitted = (
        "weights_",
        "means_",
        "covariances_",
        "precisions_",
        "precisions_cholesky_",
        "converged_",
        "n_iter_",
        "lower_bound_",
    )

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: Literal["full", "tied", "diag", "spherical"] = "full",
        tol: float = 1e-3,
        reg_covar: float = 1e-6,
        max_iter: int = 100,
        n_init: int = 1,
        init_params: Literal["kmeans", "k-means++", "random", "random_from_data"] = "kmeans",
        weights_init: Any = None,
        means_init: Any = None,
        precisions_init: Any = None,
        random_state: Any = None,
        label_order: Literal["size"] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.label_order = label_order
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the components.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            One row per customer, numbers only.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        InputError
            A value is missing, infinite or too large to square, or there are fewer rows than components, or one alone.
        ParameterError
            A parameter cannot be used.

        Warns
        -----
        ConvergenceWarning
            The best run ended at `max_iter`.
        UserWarning
            A component has collapsed onto tied rows.
        """
        self._fit(X, labels=False)
        return self

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        """`fit`, and the component of each row; see `predict`."""
        labels: np.ndarray = self._fit(X, labels=True)
        return labels

    def predict(self, X: Any) -> np.ndarray:
        """Find the component each row most likely belongs to.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            Rows with the columns `fit` saw.

        Returns
        -------
        ndarray of int32
            Of equally likely ones the first.

        Raises
        ------
        InputError
            A value is missing, infinite, or so large that its square is no number.
        """
        labels: np.ndarray = _core.gmm_predict(*self._placed(X))
        return labels

    def predict_proba(self, X: Any) -> np.ndarray:
        """Say how likely each row belongs to each component.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            Rows with the columns `fit` saw.

        Returns
        -------
        ndarray of shape (n_rows, n_components)
            Probabilities that add up to 1 in each row; float32 for float32 rows, else float64.

        Raises
        ------
        InputError
            As for `predict`.
        """
        shares: np.ndarray = _core.gmm_probabilities(*self._placed(X))
        return shares.reshape(-1, len(self.weights_))

    def score_samples(self, X: Any) -> np.ndarray:
        """Give the logarithm of the density at each row: low for customers unlike those of `fit`.

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            Rows with the columns `fit` saw.

        Returns
        -------
        ndarray
            One number per row; float32 for float32 rows, else float64.

        Raises
        ------
        InputError
            As for `predict`.
        """
        logs: np.ndarray = _core.gmm_log_likelihoods(*self._placed(X))
        return logs

    def score(self, X: Any, y: Any = None) -> float:
        """Give the mean log-likelihood of a row; see `score_samples`."""
        return float(np.mean(self.score_samples(X)))

    def bic(self, X: Any) -> float:
        """Give the Bayesian information criterion of this model for rows: the lower, the better (Schwarz 1978).

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            Rows with the columns `fit` saw.

        Returns
        -------
        float
            ``-2 * log-likelihood + parameters * log(rows)``.
        """
        logs = self.score_samples(X)
        return -2 * float(np.mean(logs)) * len(logs) + self._n_parameters() * math.log(len(logs))

    def aic(self, X: Any) -> float:
        """Give the Akaike information criterion of this model for rows: the lower, the better (Akaike 1974).

        Parameters
        ----------
        X : DataFrame, pyarrow.Table, dict of arrays or 2-D array
            Rows with the columns `fit` saw.

        Returns
        -------
        float
            ``-2 * log-likelihood + 2 * parameters``.
        """
        logs = self.score_samples(X)
        return -2 * float(np.mean(logs)) * len(logs) + 2 * self._n_parameters()

    def sample(self, n_samples: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Draw invented rows from the mixture.

        The same `random_state` draws what scikit-learn draws from the same components.

        Parameters
        ----------
        n_samples : int
            How many rows.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The rows, component after component.
        y : ndarray of int
            The component of each.

        Raises
        ------
        ParameterError
            `n_samples` is no whole number of at least 1.
        """
        check_is_fitted(self)
        random = check_random_state(self.random_state)
        weights = np.asarray(self.weights_, dtype=np.float64)
        counts = random.multinomial(whole("n_samples", n_samples), weights / weights.sum())
        parts = []
        for component, (mean, count) in enumerate(zip(self.means_, counts, strict=True)):
            spread = self.covariances_ if self.covariance_type == "tied" else self.covariances_[component]
            if self.covariance_type in ("full", "tied"):
                parts.append(random.multivariate_normal(mean, spread, int(count)))
            else:
                parts.append(mean + random.standard_normal(size=(count, len(mean))) * np.sqrt(spread))
        return np.vstack(parts), np.repeat(np.arange(len(counts)), counts)

    def _fit(self, X: Any, *, labels: bool) -> Any:
        rows = self._rows(X, reset=True)
        columns = rows.shape[1]
        n_components = whole("n_components", self.n_components)
        shapes = {
            "full": (n_components, columns, columns),
            "tied": (columns, columns),
            "diag": (n_components, columns),
            "spherical": (n_components,),
        }
        for name, words in (("covariance_type", tuple(shapes)), ("init_params", _STARTS)):
            if not isinstance(getattr(self, name), str):
                raise ParameterError(f"{name} is {getattr(self, name)!r}; wanted {' or '.join(map(repr, words))}")
        shape = shapes.get(self.covariance_type, ())
        start = (
            _start("weights_init", self.weights_init, (n_components,)),
            _start("means_init", self.means_init, (n_components, columns)),
            _start("precisions_init", self.precisions_init, shape),
        )
        names = ("covariance_type", "tol", "reg_covar", "max_iter", "n_init", "init_params", "label_order")
        config = {
            "n_components": n_components,
            **{name: as_json(name, getattr(self, name)) for name in names},
            "seed": int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max)),
            "labels": labels,
            "columns": self._names(),
        }
        with waiting(type(self).__name__):
            out = _core.gmm_fit(rows, start, json.dumps(config), threads(self.n_jobs))
        self.weights_ = out["weights"]
        self.means_ = out["means"].reshape(n_components, columns)
        self.covariances_ = out["covariances"].reshape(shape)
        self.precisions_ = out["precisions"].reshape(shape)
        self.precisions_cholesky_ = out["precisions_cholesky"].reshape(shape)
        self.converged_ = out["converged"]
        self.n_iter_ = out["rounds"]
        self.lower_bound_ = out["lower_bound"]
        empty = np.flatnonzero(self.weights_ * len(rows) < _NO_ROW)
        if len(empty):
            warn(
                f"of {n_components} components {', '.join(map(str, empty))} {'has' if len(empty) == 1 else 'have'} no rows "
                "left, as where fewer rows differ than there are components; ask for fewer components",
                ConvergenceWarning,
            )
        if out["collapsed"]:
            warn(out["collapsed"])
        if not self.converged_:
            warn(
                f"the likeliest run had not converged within tol={self.tol} when it ended at max_iter={self.max_iter}; "
                "give more rounds, a larger tol, or other starts",
                ConvergenceWarning,
            )
        return out["labels"]

    def _placed(self, X: Any) -> tuple[Any, ...]:
        """Give rows and the fitted mixture as the core reads them."""
        check_is_fitted(self)
        rows = self._rows(X)
        fitted = (self.weights_, self.means_, self.precisions_cholesky_)
        arrays = (np.asarray(array, dtype=np.float64).ravel() for array in fitted)
        return rows, (*arrays, self.covariance_type), self._names(), threads(self.n_jobs)

    def _n_parameters(self) -> int:
        components, columns = self.means_.shape
        triangle = columns * (columns + 1) // 2
        spreads = {
            "full": components * triangle,
            "tied": triangle,
            "diag": components * columns,
            "spherical": components,
        }
        return int(spreads[self.covariance_type] + components * columns + components - 1)


#: Where a run may start.
_STARTS = ("kmeans", "k-means++", "random", "random_from_data")
#: A component that all rows together belong to by less than this has none.
_NO_ROW = 1e-6


def _start(name: str, given: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """Give what a run starts from as the core reads it."""
    if given is None:
        return None
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as failure:
        raise ParameterError(f"{name} is {given!r}; wanted an array of numbers ({failure})") from None
    if shape and array.shape != shape:
        raise ParameterError(f"{name} has shape {array.shape}; wanted {shape}")
    return in_place(array.ravel())
