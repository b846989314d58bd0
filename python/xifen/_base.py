"""What every estimator of xifen shares over scikit-learn's base: the columns it was fitted on, and JSON.

A model file is one readable JSON object: format version, class, parameters, fitted attributes. Floats are
written by ``repr`` and so come back as the same bits; NaN and infinity are refused on the way in and out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from xifen._frame import Frame
from xifen.errors import InputError

__all__ = ["FORMAT_VERSION", "FrameTransformer"]

FORMAT_VERSION = 1


class FrameTransformer(TransformerMixin, BaseEstimator):
    """Base of the estimators that learn from a frame and add columns to it or replace its columns.

    A subclass names its fitted attributes in `_fitted`: they are what `to_json` writes besides the parameters.
    """

    _fitted: ClassVar[tuple[str, ...]] = ()

    def _remember(self, frame: Frame) -> None:
        """Keep the names scikit-learn expects of an estimator that was fitted on a frame."""
        self.n_features_in_ = len(frame.names)
        self.feature_names_in_ = np.asarray(frame.names, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")

    def to_json(self) -> str:
        """Write the fitted estimator as one JSON object.

        Returns
        -------
        str
            What `from_json` reads; the fitted numbers come back bit for bit.
        """
        check_is_fitted(self)
        fitted = ("n_features_in_", "feature_names_in_", *self._fitted)
        model = {
            "xifen": FORMAT_VERSION,
            "class": type(self).__name__,
            "parameters": {name: _encode(value) for name, value in self.get_params(deep=False).items()},
            "fitted": {name: _encode(getattr(self, name)) for name in fitted if hasattr(self, name)},
        }
        return json.dumps(model, ensure_ascii=False, indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read an estimator written by `to_json`.

        Parameters
        ----------
        text : str
            The JSON object.

        Returns
        -------
        estimator
            Fitted, and equal to the one that was written.

        Raises
        ------
        InputError
            The text is not JSON, of another class or format version, or has fields this version does not know.
        """
        model = _read(text)
        if model["class"] != cls.__name__:
            raise InputError(f"this model is a {model['class']}; read it with {model['class']}.from_json")
        known = set(cls._get_param_names())
        _refuse_unknown(model["parameters"], known, f"the parameters of {cls.__name__}")
        estimator = cls(**{name: _decode(value) for name, value in model["parameters"].items()})
        fitted = {"n_features_in_", "feature_names_in_", *cls._fitted}
        _refuse_unknown(model["fitted"], fitted, f"the fitted attributes of {cls.__name__}")
        for name, value in model["fitted"].items():
            setattr(estimator, name, _decode(value))
        return estimator


def _read(text: str) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise InputError(f"this model holds {constant}, which no xifen model may; it was changed after it was written")

    try:
        model = json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as failure:
        raise InputError(f"this is not a xifen model: {failure}") from None
    wanted = {"xifen", "class", "parameters", "fitted"}
    if not isinstance(model, dict) or not wanted <= set(model):
        raise InputError("this is not a xifen model: wanted an object with 'xifen', 'class', 'parameters' and 'fitted'")
    _refuse_unknown(model, wanted, "a xifen model")
    if model["xifen"] != FORMAT_VERSION:
        raise InputError(f"this model has format {model['xifen']!r}; this xifen reads format {FORMAT_VERSION}")
    return model


def _refuse_unknown(found: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in found:
        if name not in known:
            raise InputError(f"'{name}' is not known in {where}; wanted only {', '.join(sorted(known))}")


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"dtype": value.dtype.name, "values": value.tolist()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): _encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encode(item) for item in value]
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"dtype", "values"}:
            return np.asarray(value["values"], dtype=value["dtype"])
        return {key: _decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decode(item) for item in value]
    return value
