"""The field's segment maps, tags, bands, scorecards, matrices and playbooks, as data files beside this one.

Copy one, edit it, or load it by name. Every file says what it is made of (`operation`), what it reads (`inputs`, with
unit, and currency and basis where that is money), which numbers may be changed (`parameters`), its labels by `key`,
`zh` and `en`, and where its numbers come from (`source`: what practice publishes, and what is xifen's choice). A
label's full key, `namespace.key`, is unique: value.potential, matrix.potential, band.purchase.potential.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from xifen._cuts import other_names
from xifen.errors import ParameterError
from xifen.presets import _files
from xifen.presets._files import Lang, amounts_of, words
from xifen.presets._makers import MAKERS, matrix_cells
from xifen.presets._pipeline import Pipeline
from xifen.presets._playbook import strategies

__all__ = ["Pipeline", "amounts_of", "list_presets", "load_preset", "matrix_cells", "strategies", "words"]


def list_presets() -> pd.DataFrame:
    """List the presets there are.

    Returns
    -------
    pandas.DataFrame
        `name`; `title_zh`, `title_en`; `operation`, what it is made of; `inputs`, the columns it reads; `optional`,
        those that count as missing where a frame has none; `parameters`, with their defaults; `published`, which of its
        numbers practice publishes, and `ours`, which are xifen's choice and what else to know.

    Examples
    --------
    >>> import xifen as xf
    >>> presets = xf.list_presets().set_index("name")
    >>> presets.loc["churn.watch", ["title_zh", "operation", "parameters"]].tolist()
    ['流失预警', 'tags', 'churn_days=90, low_frequency=2']
    """
    presets = [_files.variant(_files.read(name)) for name in _files.names()]
    return pd.DataFrame(
        [
            {
                "name": preset["name"],
                "title_zh": preset["title"]["zh"],
                "title_en": preset["title"]["en"],
                "operation": preset["operation"],
                "inputs": _listed(preset, required=True),
                "optional": _listed(preset, required=False),
                "parameters": ", ".join(
                    [f"{item['name']}={item['default']}" for item in preset.get("parameters", [])]
                    + ([f"{preset['choice']['parameter']}={preset['choice']['default']}"] if "choice" in preset else [])
                ),
                "published": preset["source"]["published"],
                "ours": preset["source"]["ours"],
            }
            for preset in presets
        ]
    )


def load_preset(
    name: str,
    lang: Lang = None,
    columns: Mapping[str, str] | None = None,
    **parameters: Any,
) -> Any:
    """Make what a preset describes.

    Parameters
    ----------
    name : str
        One of `list_presets`.
    lang : {"en", "zh"}, optional
        The language of the labels; None gives the keys (``champions``).
    columns : mapping, optional
        Your names for the preset's inputs: ``{"monetary": "monetary_12M"}``.
    **parameters
        The preset's own parameters, as `list_presets` shows them: ``churn_days=60``. A number of days or months that
        is part of a column's name asks for the other column, ``order_count_60D``. ``rfm.eight_cell`` has
        ``reference``: ``"mean_score"`` (the mean of each score), ``"mean"`` or ``"median"`` (of recency_days,
        order_count and monetary), or your cuts, ``{"recency_days": 90, "order_count": 3, "monetary": 500}``.

        ``currency`` and ``basis`` of your amounts, where the preset reads money: others than the preset's are an
        error, since its numbers would mean something else.

        Then what the estimator takes: ``output``, ``unknown`` and ``n_jobs`` of `RuleSegmenter`, and for a code map
        ``codes``, lists of codes by key; ``n_bins``, ``edges``, ``strategy`` of `Binner`; ``weights``, ``reason``,
        ``output`` of `Scorecard`; ``bins`` (2 takes the corners of one of 3; or cuts by column), ``strategy``,
        ``output`` of `SegmentMatrix`.

    Returns
    -------
    RuleSegmenter, RuleTagger, Binner, RFMScorer, Scorecard, SegmentMatrix, Pipeline, dict or pandas.DataFrame
        An estimator, not fitted yet. Grades are a `Pipeline` of a scorecard and the rules that grade its score, written
        and read as JSON like the others: ``xf.presets.Pipeline.from_json``. Keywords are a dict for
        `keyword_table`. A playbook is a frame with a row per type: `playbook_key` (what `SegmentMatrix` adds), `label`
        (in the wanted language), `direction`, `actions`, `service_level`, `investment_level`, `channel` and
        `contact_days`; without a language its texts stand in both (`direction_zh`, `direction_en`).

    Raises
    ------
    ParameterError
        There is no such preset, language, input or parameter, a parameter has the wrong type, numbers that must grow
        do not (``medium_from``, ``large_from``), or two inputs are given the same column.

    Warns
    -----
    UserWarning
        A playbook has more than 6 types, or gives a price or a coupon because of a value or price-sensitivity tag.

    Notes
    -----
    Which numbers practice publishes, which are xifen's choice and how to get an input stands in `list_presets`; units,
    currency and all labels stand in the file:
    ``importlib.resources.files("xifen.presets") / f"{name}.json"``.

    Examples
    --------
    >>> import pandas as pd
    >>> import xifen as xf
    >>> scores = pd.DataFrame({"recency_score": [5, 1], "frequency_score": [5, 1], "monetary_score": [5, 1]})
    >>> xf.load_preset("rfm.named", lang="zh").fit_transform(scores)["segment"].tolist()
    ['冠军客户', '已流失客户']
    >>> playbook = xf.load_preset("playbook.types", lang="en").set_index("label")
    >>> playbook.loc["High-value loyal", "direction"]
    'Keep close and raise loyalty'
    """
    _files.one_of("preset", name, _files.names())
    if lang not in (None, "en", "zh"):
        raise ParameterError(f"lang is {lang!r}; wanted 'en', 'zh' or None for the keys")
    make, options = MAKERS[_files.read(name)["operation"]]
    return make(_files.open_preset(name, lang, other_names("columns", columns), parameters, options))


def _listed(preset: Mapping[str, Any], *, required: bool) -> str:
    """Name the inputs, with the parameters they contain at their defaults."""
    defaults = {item["name"]: item["default"] for item in preset.get("parameters", [])}
    return ", ".join(
        item["name"].format_map(defaults) for item in preset.get("inputs", []) if item["required"] is required
    )
