"""Presets of several steps, as one estimator that is a readable JSON file when fitted."""

from __future__ import annotations

import json
from typing import Any, Final, Self

from sklearn import pipeline
from sklearn.utils.validation import check_is_fitted

from xifen._base import FORMAT_VERSION, read_model
from xifen._tagger import RuleTagger
from xifen.binning import Binner, RFMScorer
from xifen.errors import InputError, ParameterError
from xifen.matrix import SegmentMatrix
from xifen.rules import RuleSegmenter
from xifen.scorecard import Scorecard

__all__ = ["Pipeline"]

#: The estimators a file can hold.
_STEPS: Final[dict[str, Any]] = {
    step.__name__: step for step in (Binner, RFMScorer, RuleSegmenter, RuleTagger, Scorecard, SegmentMatrix)
}


class Pipeline(pipeline.Pipeline):
    """scikit-learn's Pipeline, of xifen's estimators, that can be written as JSON.

    `load_preset` makes them of grades: a scorecard, and the rules that grade its score.

    Parameters
    ----------
    steps : list of (str, estimator)
        As for `sklearn.pipeline.Pipeline`, whose other parameters it takes too.

    Examples
    --------
    >>> import pandas as pd
    >>> import xifen as xf
    >>> leads = pd.DataFrame({
    ...     "annual_income": [600_000.0, 90_000.0], "purchases_per_year": [3, 0], "enquiry_count_3M": [3, 0],
    ...     "age": [30, 60], "occupation": ["manager", "retired"], "brand_awareness": ["high", "low"],
    ...     "pays_for_quality": [True, False],
    ... })
    >>> grades = xf.load_preset("lead.grade").fit(leads)
    >>> again = xf.presets.Pipeline.from_json(grades.to_json())
    >>> again.transform(leads)["lead_grade"].tolist()
    ['high', 'low']
    """

    def to_json(self) -> str:
        """Write the fitted steps as one JSON object.

        Returns
        -------
        str
            What `from_json` reads; the fitted numbers come back bit for bit.

        Raises
        ------
        ParameterError
            A step is no estimator of xifen that adds or replaces columns.
        """
        check_is_fitted(self)
        for name, step in self.steps:
            if type(step) not in _STEPS.values():
                raise ParameterError(
                    f"step '{name}' is {step!r}, which no xifen model can hold; wanted {', '.join(_STEPS)}"
                )
        steps = [[name, json.loads(step.to_json())] for name, step in self.steps]
        model = {"xifen": FORMAT_VERSION, "class": "Pipeline", "parameters": {"steps": steps}, "fitted": {}}
        return json.dumps(model, ensure_ascii=False, indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a pipeline written by `to_json`.

        Parameters
        ----------
        text : str
            The JSON object.

        Returns
        -------
        Pipeline
            Fitted, and equal to the one that was written.

        Raises
        ------
        InputError
            The text is not JSON, of another class or format version, or a step of it cannot be read.
        """
        model = read_model(text, "Pipeline")
        steps = model["parameters"].get("steps")
        if set(model["parameters"]) != {"steps"} or model["fitted"] or not isinstance(steps, list) or not steps:
            raise InputError("this model is damaged: a Pipeline has steps, each a name and a model, and nothing else")
        read = []
        for step in steps:
            if not (
                isinstance(step, list) and len(step) == 2 and isinstance(step[0], str) and isinstance(step[1], dict)
            ):
                raise InputError(f"this model is damaged: {step!r} is no step; wanted a name and a model")
            kind = _STEPS.get(str(step[1].get("class")))
            if kind is None:
                raise InputError(f"step '{step[0]}' is no model this xifen knows; wanted {', '.join(_STEPS)}")
            read.append((step[0], kind.from_json(json.dumps(step[1]))))
        return cls(read)
