"""What every estimator of xifen shares over scikit-learn's base: the columns it was fitted on, and JSON.

A model file is one readable JSON object: format version, class, parameters, fitted attributes. Floats are
written by ``repr`` and so come back as the same bits; NaN and infinity are refused on the way in and out.
"""

from __future__ import annotations

import copy
import datetime as dt
import functools
import inspect
import json
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Literal, Self, TypeVar, cast

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from xifen import _display
from xifen._cuts import column_names
from xifen._frame import Frame, as_kind, is_array
from xifen._warn import warn
from xifen.errors import InputError, ParameterError, XifenError

__all__ = ["FORMAT_VERSION", "ColumnAdder", "FrameTransformer", "Model", "or_as_before", "read_model"]

FORMAT_VERSION = 1

_Method = TypeVar("_Method", bound=Callable[..., Any])

#: More columns than any model was fitted on: a damaged file shall not ask for memory without end.
_MOST_FEATURES = 1_000_000


class Model(BaseEstimator):
    """Base of all estimators: a fitted one is written as JSON and read again.

    A subclass names its fitted attributes in `_fitted`: they are what `to_json` writes besides the parameters.
    """

    _fitted: ClassVar[tuple[str, ...]] = ()
    #: Of the fitted attributes, those some models lack: an array has no names, and partial_fit counts no iterations.
    _lacking: ClassVar[frozenset[str]] = frozenset({"feature_names_in_", "n_iter_"})

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in ("fit", "fit_predict", "fit_transform", "partial_fit"):
            if name in vars(cls):
                setattr(cls, name, or_as_before(vars(cls)[name]))

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
            "parameters": {name: _encode(self._plain(value)) for name, value in self.get_params(deep=False).items()},
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
            The text is not JSON, of another class or format version, has fields this version does not know, or lacks
            some.
        """
        model = read_model(text, cls.__name__)
        try:
            return cls._from_parts(model)
        except XifenError:
            raise
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as failure:
            raise InputError(f"this model is damaged: {failure}; fit and write it again") from None

    @classmethod
    def _from_parts(cls, model: Mapping[str, Any]) -> Self:
        known = set(cls._get_param_names())
        _refuse_unknown(model["parameters"], known, f"the parameters of {cls.__name__}")
        given = {name: _decode(value) for name, value in model["parameters"].items()}
        needed = inspect.signature(cls).parameters.values()
        if absent := [need.name for need in needed if need.default is need.empty and need.name not in given]:
            raise InputError(f"this model is damaged: its parameters lack {', '.join(absent)}; fit and write it again")
        estimator = cls(**given)
        fitted = {"n_features_in_", "feature_names_in_", *cls._fitted}
        _refuse_unknown(model["fitted"], fitted, f"the fitted attributes of {cls.__name__}")
        for name in sorted(fitted - cls._lacking):
            if name not in model["fitted"]:
                raise InputError(
                    f"this model is damaged: the fitted attribute {name} is missing; fit and write it again"
                )
        for name, value in model["fitted"].items():
            setattr(estimator, name, _decode(value))
        _check_features(estimator.n_features_in_, getattr(estimator, "feature_names_in_", None))
        estimator._check_restored()
        if hasattr(estimator, "get_feature_names_out"):
            estimator.get_feature_names_out()  # asks the parameters that name columns
        return estimator

    def _shown(self) -> list[_display.Part]:
        """Give what a notebook shows of the fitted estimator; for subclasses."""
        return []

    def _repr_html_inner(self) -> str:
        """Show what was learned; scikit-learn's diagram says only what was asked for."""
        parts = self._shown() if self.__sklearn_is_fitted__() else []
        if parts:
            return _display.shown(repr(self), *parts)
        diagram: str = super()._repr_html_inner()
        return diagram

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**options)
        return bundle | ({"text/html": self._repr_html_inner()} if "text/html" in bundle else {})

    def _plain(self, parameter: Any) -> Any:
        """Turn a parameter into what JSON can hold; for subclasses whose parameters are more than plain values."""
        return parameter

    def _check_restored(self) -> None:
        """Look over the attributes `from_json` has just set; for subclasses whose attributes depend on each other."""


class FrameTransformer(TransformerMixin, Model):
    """Base of the estimators that learn from a frame and add columns to it or replace its columns.

    scikit-learn's own `set_output` renames the columns of whatever comes back; here the caller's frame is turned
    into the wanted kind before the work, so that scores and labels get that kind's own types.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(auto_wrap_output_keys=None, **options)
        for name in ("transform", "fit_transform"):
            if name in vars(cls):
                setattr(cls, name, _in_wanted_kind(vars(cls)[name]))

    def set_output(self, *, transform: Literal["default", "pandas", "polars"] | None = None) -> Self:
        """Choose the kind of frame that comes back.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None
            "default" is the kind that came in; None changes nothing.

        Returns
        -------
        self

        Raises
        ------
        ParameterError
            The kind is not one of these.
        """
        if transform is not None:
            _known_output(transform)
            self._sklearn_output_config = {"transform": transform}
        return self

    def _remember(self, frame: Frame) -> None:
        """Keep the names scikit-learn expects of an estimator that was fitted on a frame."""
        _count_as_missing(frame.absent)
        # What the estimator was given may be changed by who gave it; a fitted model answers from a copy.
        for name, value in vars(self).items():
            if isinstance(value, (dict, list)) and not name.endswith("_"):
                setattr(self, name, copy.deepcopy(value))
        self.n_features_in_ = len(frame.names)
        self.feature_names_in_ = np.asarray(frame.names, dtype=object)


def or_as_before(method: _Method) -> _Method:
    """Have a method that fails leave the estimator as it was: half of another fit would answer wrongly."""

    @functools.wraps(method)
    def wrapped(self: Any, *arguments: Any, **named: Any) -> Any:
        before = dict(vars(self))
        try:
            return method(self, *arguments, **named)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    return cast("_Method", wrapped)


def _known_output(kind: Any) -> str:
    if kind not in ("default", "pandas", "polars"):
        raise ParameterError(f"output is to be {kind!r}; wanted 'default', 'pandas' or 'polars'")
    return str(kind)


def _in_wanted_kind(method: Callable[..., Any]) -> Callable[..., Any]:
    """Have a method give the kind of frame that `set_output` (or scikit-learn's configuration) asks for."""

    @functools.wraps(method)
    def wrapped(self: Any, X: Any, *arguments: Any, **named: Any) -> Any:
        config = getattr(self, "_sklearn_output_config", {})
        wanted = _known_output(config.get("transform", get_config()["transform_output"]))
        if wanted == "default":
            return method(self, X, *arguments, **named)
        if not is_array(X):
            return method(self, as_kind(X, wanted), *arguments, **named)
        out = method(self, X, *arguments, **named)
        return as_kind(dict(zip(self.get_feature_names_out(), np.asarray(out).T, strict=True)), wanted)

    return wrapped


class ColumnAdder(FrameTransformer):
    """Base of those that give the caller's frame back with columns of their own behind it.

    A subclass names the columns it reads and adds, learns from an open frame (`_fit`; with `place` it returns what
    it found in the rows, reading them once), and turns what was found into columns (`_add`). Where it has a parameter
    `optional`, the columns named there count as missing in a frame that has none of that name.
    """

    _lacking = frozenset()

    def _reads(self) -> Sequence[str]:
        raise NotImplementedError

    def _adds(self) -> Sequence[str]:
        raise NotImplementedError

    def _fit(self, frame: Frame, *, place: bool) -> Any:
        raise NotImplementedError

    def _add(self, frame: Frame, found: Any) -> Any:
        raise NotImplementedError

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """`fit` and `transform` in one, reading the data once.

        Parameters
        ----------
        X : frame
            As for `fit`.
        y : None
            Ignored.

        Returns
        -------
        frame
            As from `transform`.
        """
        frame = self._open(X)
        return self._add(frame, self._fit(frame, place=True))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the columns `transform` gives back: those of the fitted frame, then the added ones.

        Parameters
        ----------
        input_features : None
            Ignored; the columns have names.

        Returns
        -------
        numpy.ndarray of object
        """
        check_is_fitted(self)
        return np.asarray([*self.feature_names_in_, *self._adds()], dtype=object)

    def _open(self, X: Any) -> Frame:
        if is_array(X):
            raise TypeError(
                f"{type(self).__name__} finds its columns by name and expects {', '.join(map(repr, self._reads()))}; "
                f"got a {type(X).__name__} without names: give a DataFrame or a dict of arrays"
            )
        frame = Frame(X)
        frame.allow_absent(column_names("optional", getattr(self, "optional", None) or []))
        # What was absent when it was fitted has been said then.
        _count_as_missing([name for name in frame.absent if name in getattr(self, "feature_names_in_", ())])
        return frame


def _count_as_missing(absent: Sequence[str]) -> None:
    if absent:
        warn(f"the frame has no {', '.join(map(repr, absent))}: optional, and now missing in every row")


def _check_features(count: Any, names: Any) -> None:
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MOST_FEATURES:
        raise InputError(
            f"this model is damaged: n_features_in_ is {count!r}; wanted how many columns it was fitted on; fit and write it again"
        )
    if names is not None and (not isinstance(names, np.ndarray) or names.shape != (count,)):
        raise InputError(
            f"this model is damaged: feature_names_in_ does not name {count} columns; fit and write it again"
        )


def read_model(text: str, wanted: str) -> dict[str, Any]:
    """Read a model's four parts, if it is of the wanted class and this format."""

    def refuse(constant: str) -> None:
        raise InputError(f"this model holds {constant}, which no xifen model may; it was changed after it was written")

    def finite(number: str) -> float:
        if math.isinf(float(number)):
            refuse(number)
        return float(number)

    if not isinstance(text, (str, bytes, bytearray)):
        raise TypeError(f"a model is read from text, as to_json writes it; got {type(text).__name__}")
    try:
        model = json.loads(text, parse_constant=refuse, parse_float=finite)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise InputError(f"this is not a xifen model, which is JSON: {failure}") from None
    parts = {"xifen", "class", "parameters", "fitted"}
    if not isinstance(model, dict) or not parts <= set(model):
        raise InputError("this is not a xifen model: wanted an object with 'xifen', 'class', 'parameters' and 'fitted'")
    _refuse_unknown(model, parts, "a xifen model")
    for part in ("parameters", "fitted"):
        if not isinstance(model[part], dict):
            raise InputError(f"this model is damaged: '{part}' is {model[part]!r}; wanted an object")
    if not isinstance(model["class"], str):
        raise InputError(f"this model is damaged: 'class' is {model['class']!r}; wanted a name")
    if model["xifen"] != FORMAT_VERSION:
        raise InputError(f"this model has format {model['xifen']!r}; this xifen reads format {FORMAT_VERSION}")
    if model["class"] != wanted:
        raise InputError(f"this model is a {model['class']}; read it with {model['class']}.from_json")
    return model


def _refuse_unknown(found: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in found:
        if name not in known:
            raise InputError(f"'{name}' is not known in {where}; wanted only {', '.join(sorted(known))}")


#: Single values JSON has no form for: how each is named and read.
_WRITTEN: Mapping[str, Callable[[str], Any]] = {
    "$decimal": Decimal,
    "$datetime": dt.datetime.fromisoformat,
    "$date": dt.date.fromisoformat,
}


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"dtype": value.dtype.name, "values": _encode(value.tolist())}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): _encode(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return {"tuple": [_encode(item) for item in value]}
    if isinstance(value, list):
        return [_encode(item) for item in value]
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, dt.datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, dt.date):
        return {"$date": value.isoformat()}
    return value


def _array(values: Any, kind: np.dtype) -> np.ndarray:
    """Give an array as it was written; another kind of value in it would be read as what it is not."""
    if not isinstance(values, list):
        raise InputError(f"this model is damaged: {values!r} stands where a list of {kind} should")
    array = np.asarray(_decode(values), dtype=object if kind.hasobject else None)
    if array.size and array.dtype.kind not in {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}.get(
        kind.kind, array.dtype.kind
    ):
        raise InputError(f"this model is damaged: a list of {kind} holds {array.dtype} values")
    if array.dtype.kind == "f" and any(isinstance(value, bool) for value in values):
        raise InputError(f"this model is damaged: a list of {kind} holds true or false")
    return array.astype(kind)


def _decode(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"dtype", "values"}:
            return _array(value["values"], np.dtype(value["dtype"]))
        if set(value) == {"tuple"}:
            return tuple(_decode(item) for item in value["tuple"])
        for name, read in _WRITTEN.items():
            if set(value) == {name} and isinstance(value[name], str):
                return read(value[name])
        return {key: _decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decode(item) for item in value]
    return value
