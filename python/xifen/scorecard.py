"""Points for what is known of a customer, summed exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from xifen import _columns as names
from xifen import _core, _display
from xifen._base import ColumnAdder
from xifen._cuts import as_json, column_names, known_columns, renamed, threads
from xifen._frame import Frame
from xifen._results import Column, Masked
from xifen.errors import ParameterError

__all__ = ["Scorecard"]

#: What an indicator may say of itself, and whether it is one value, a list or a mapping.
_FIELDS: Final = {
    "column": "value",
    "edges": "cuts",
    "points": "list",
    "categories": "mapping",
    "default": "value",
    "missing": "value",
    "special": "mapping",
    "range": "list",
    "zh": "value",
    "en": "value",
}


class Scorecard(ColumnAdder):
    """Give every row points for each of its indicators, and add them up.

    Points and weights are decimals: 0.1 is a tenth, and totals are exact, whatever the order of indicators or rows;
    each number of the result is rounded to float64 once. Grades are a `Binner` or a `RuleSegmenter` on the total.

    Parameters
    ----------
    indicators : mapping of str to mapping
        Name -> what it reads and gives.

        ``column``: the column it reads; by default the one of its name.

        ``edges`` and ``points``: bands of a measure, cut as in `Binner` by numbers (a value equal to one lies below it)
        or text with its operator, ``["< 50", "< 500"]``, ascending, and the points of each band in order of value,
        one more than there are edges. Bands leave no value between or beyond them; ``range``, the smallest and the
        largest value there can be, makes any other an error. A band that no value can reach is refused.

        ``categories`` instead: a mapping of category to points, over text, true or false, or numeric codes. Any other
        category gets ``default``; without one it is an error that names the row.

        ``special``: a mapping of values that are no measure to points, ``{-999: 0}``; None counts as missing. They are
        looked for before bands, range and categories.

        ``missing``: the points of a missing value; without it the points, and so the total, are missing.

        ``zh``, ``en``: what a reason calls it.

        Points are numbers, `decimal.Decimal` or text (``"2.5"``).
    weights : mapping of str to number, or list of number, optional
        How much each indicator counts: 0 or more, with a sum of 1 (within 1e-9; the total is divided by the exact sum,
        so equal points of every indicator are that total). None adds up the points as they are. `entropy_weights` and
        `ahp_weights` make some.
    reason : {"en", "zh"}, optional
        Write the column `score_reason` in this language: the up to three indicators that cost the row the most
        (weighted) points, or those that are missing.
    output : dict of str to str, optional
        Other names for added columns, default name to new name.
    optional : list of str, optional
        Columns a frame may lack: an absent one counts as missing in every row, and a warning names it.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Attributes
    ----------
    columns_ : list of str
        The columns the indicators read.
    lowest_total_, highest_total_ : float
        The least and the most points there can be.
    n_features_in_, feature_names_in_
        The frame's columns, as in scikit-learn.

    Examples
    --------
    >>> import pandas as pd
    >>> import xifen as xf
    >>> leads = pd.DataFrame({"income": [620_000, 310_000, -999], "city": ["上海", "昆明", "上海"]})
    >>> card = xf.Scorecard(
    ...     {
    ...         "income": {"edges": ["< 300000", "< 500000"], "points": [0, 20, 60], "special": {-999: 10}},
    ...         "city": {"categories": {"上海": 40}, "default": 15},
    ...     },
    ...     reason="en",
    ... )
    >>> scored = card.fit_transform(leads)
    >>> scored[["income_points", "city_points", "total_points", "score"]]
       income_points  city_points  total_points       score
    0             60           40         100.0  100.000000
    1             20           15          35.0   23.529412
    2             10           40          50.0   41.176471
    >>> scored["score_reason"].tolist()
    ['full points', 'income [300000, 500000): 20 of 60; city other: 15 of 40', 'income -999: 10 of 60']
    """

    _fitted = ("columns_", "lowest_total_", "highest_total_")

    columns_: list[str]
    lowest_total_: float
    highest_total_: float

    def __init__(
        self,
        indicators: Mapping[str, Mapping[str, Any]],
        weights: Mapping[str, Any] | Sequence[Any] | None = None,
        *,
        reason: Literal["en", "zh"] | None = None,
        output: Mapping[str, str] | None = None,
        optional: Sequence[str] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.indicators = indicators
        self.weights = weights
        self.reason = reason
        self.output = output
        self.optional = optional
        self.n_jobs = n_jobs

    @classmethod
    def from_dict(cls, definition: Mapping[str, Any]) -> Self:
        """Make a scorecard of one mapping, as a JSON or TOML file holds it.

        Parameters
        ----------
        definition : mapping
            ``indicators`` and, where wanted, the other parameters.

        Returns
        -------
        Scorecard
            Not fitted yet.

        Raises
        ------
        ParameterError
            `indicators` is absent, or something is no parameter.
        """
        if not isinstance(definition, Mapping):
            raise TypeError(f"definition must be a mapping with 'indicators'; got {type(definition).__name__}")
        known_columns("definition", definition, ["indicators", "weights", "reason", "output", "optional", "n_jobs"])
        if "indicators" not in definition:
            raise ParameterError("definition has no 'indicators'; wanted a mapping of name to what it reads and gives")
        return cls(**definition)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the scorecard, and that every value of the frame can be scored.

        Parameters
        ----------
        X : frame
            pandas, polars, pyarrow Table or dict of arrays.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        ParameterError
            The scorecard cannot be used.
        InputError
            A column is absent or of a kind its indicator cannot read, or a value is infinite, outside its range, or a
            category nobody named.
        TypeError
            X is an array: it has no column names.
        """
        self._fit(self._open(X), place=False)
        return self

    def transform(self, X: Any) -> Any:
        """Add points, total and score.

        Parameters
        ----------
        X : frame
            Any frame with the columns the indicators read.

        Returns
        -------
        frame
            The caller's frame and, behind its own columns: `<indicator>_points`, unweighted (pandas Int16, polars and
            Arrow int16 where all points of the card are small whole numbers, float64 otherwise); `total_points`, the
            weighted sum; `score`, the same from 0 (the least there can be) to 100 (the most); `score_reason`, where
            `reason` asks for it. Missing points make total and score missing.

        Raises
        ------
        InputError
            As in `fit`, or an added column is already there.
        """
        check_is_fitted(self)
        frame = self._open(X)
        return self._add(frame, self._cross(frame, place=True))

    def table(self) -> pd.DataFrame:
        """Show the scorecard, one row per thing an indicator can see.

        Returns
        -------
        pandas.DataFrame
            `indicator`, `column`, `weight`; `kind`: "band", "category", "special", "default" or "missing"; `value`;
            `points`, missing where the total is missing (or a special value counts as missing).
        """
        return pd.DataFrame(self._described()["rows"])

    def totals(self) -> pd.DataFrame:
        """List every total there can be, taking indicators to be independent of each other.

        Returns
        -------
        pandas.DataFrame
            `total_points`, ascending, and its `score`.

        Raises
        ------
        ParameterError
            There are more than a million; weights of few digits make fewer.
        """
        totals, scores = _core.scorecard_totals(json.dumps(self._config()))
        added = self._added()
        return pd.DataFrame({added[names.TOTAL_POINTS]: totals, added[names.SCORE]: scores})

    def _shown(self) -> list[_display.Part]:
        return [("points", self.table())]

    def _reads(self) -> list[str]:
        columns: list[str] = self._config()["columns"]
        return columns

    def _adds(self) -> list[str]:
        return list(self._added().values())

    def _fit(self, frame: Frame, *, place: bool) -> dict[str, Any]:
        self._added()
        described = self._described()
        out = self._cross(frame, place=place)
        self.columns_ = self._config()["columns"]
        self.lowest_total_, self.highest_total_ = described["lowest"], described["highest"]
        self._remember(frame)
        return out

    def _cross(self, frame: Frame, *, place: bool) -> dict[str, Any]:
        config = self._config()
        return _core.scorecard_points(frame.stream(config["columns"]), json.dumps(config), place, threads(self.n_jobs))

    def _add(self, frame: Frame, found: dict[str, Any]) -> Any:
        block, missing = found["points"]
        each = np.split(block, len(self._indicators()))
        points = each if missing is None else list(map(Masked, each, missing))
        reasons = [] if self.reason is None else [found["reasons"]]
        columns: list[Column] = [*points, found["total"], found["score"], *reasons]
        return frame.add(dict(zip(self._added().values(), columns, strict=True)))

    def _added(self) -> dict[str, str]:
        """Map the default name of every added column to its name here."""
        default = [f"{name}_points" for name in self._indicators()]
        default += [names.TOTAL_POINTS, names.SCORE, *([] if self.reason is None else [names.SCORE_REASON])]
        return renamed(default, self.output)

    def _described(self) -> dict[str, Any]:
        described: dict[str, Any] = json.loads(_core.scorecard_table(json.dumps(self._config())))
        return described

    def _indicators(self) -> Mapping[str, Mapping[str, Any]]:
        """Give the indicators; wrong kinds of object are refused here, wrong values in Rust."""
        indicators: Any = self.indicators
        if not isinstance(indicators, Mapping):
            raise TypeError(f"indicators must be a mapping of name to mapping; got {type(indicators).__name__}")
        for name, fields in indicators.items():
            if not isinstance(name, str) or not isinstance(fields, Mapping):
                raise TypeError(f"indicators must map text to mappings; got {name!r}: {fields!r}")
            if not name:
                raise ParameterError("an indicator has no name; its column of points is named after it")
            known_columns(f"indicator '{name}'", fields, list(_FIELDS))
            for lang in ("zh", "en"):
                if not isinstance(fields.get(lang, name), str):
                    raise TypeError(f"{lang} of '{name}' is {fields[lang]!r}; wanted its name for a reason, as text")
        return self.indicators

    def _config(self) -> dict[str, Any]:
        """Everything Rust needs to know."""
        if self.reason not in (None, "en", "zh"):
            raise ParameterError(f"reason is {self.reason!r}; wanted 'en', 'zh' or None for no reasons")
        indicators = self._indicators()
        read = {name: fields.get("column", name) for name, fields in indicators.items()}
        columns = column_names("the columns of indicators", list(dict.fromkeys(read.values())))
        return {
            "columns": columns,
            "indicators": [
                {
                    "name": name,
                    "label": str(fields.get(self.reason or "en", name)),
                    "column": columns.index(read[name]),
                    **{
                        field: _field(f"{field} of '{name}'", kind, fields[field])
                        for field, kind in _FIELDS.items()
                        if field in fields and field not in ("column", "zh", "en")
                    },
                }
                for name, fields in indicators.items()
            ],
            "weights": self._weights(list(indicators)),
            "reason": self.reason,
        }

    def _weights(self, indicators: list[str]) -> list[Any] | None:
        """One weight per indicator, in their order."""
        weights: Any = self.weights
        if weights is None:
            return None
        if isinstance(weights, Mapping):
            known_columns("weights", weights, indicators)
            absent = [name for name in indicators if name not in weights]
            if absent:
                raise ParameterError(f"weights has none for '{absent[0]}'; give each indicator one, 0 to leave it out")
            weights = [weights[name] for name in indicators]
        listed: list[Any] = _field("weights", "list", weights)
        if len(listed) != len(indicators):
            raise ParameterError(
                f"the length of weights is {len(listed)}, the number of indicators {len(indicators)}; give one for each"
            )
        return listed

    def _plain(self, parameter: Any) -> Any:
        return _storable(parameter)


def _field(what: str, kind: str, value: Any) -> Any:
    """One field of an indicator, as JSON can hold it."""
    if value is None:
        return None
    if kind == "value":
        return _number(what, value)
    if kind == "mapping":
        if not isinstance(value, Mapping):
            raise ParameterError(f"{what} is {value!r}; wanted a mapping of value to points")
        return [(_number(what, key), _number(what, points)) for key, points in value.items()]
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
        raise ParameterError(f"{what} is {value!r}; wanted a list")
    return [(as_json if kind == "cuts" else _number)(what, item) for item in value]  # cuts are floats, points exact


def _number(what: str, value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else as_json(what, value)


def _storable(value: Any, field: Any = None) -> Any:
    """Give the same parameter with texts for decimals (floats for those that cut) and for keys, as JSON has them."""
    if isinstance(value, Decimal):
        return float(value) if field == "edges" else str(value)
    if isinstance(value, Mapping):
        return {
            json.dumps(key) if isinstance(key, bool) else str(key): _storable(item, key) for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return type(value)(_storable(item, field) for item in value)
    return value
