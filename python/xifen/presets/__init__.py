"""Published segment maps as data files beside this one: copy one, edit it, or load it by name.

A file names its labels (`key`, `zh`, `en`) with their rules in the order they are tried; the label without a rule is
the default. Where a preset offers a choice, each variant says what the words of the rules (`R`, `F`, `M`) stand for.
A matrix names its `cells` by code, and its levels of `investment`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final, Literal

import pandas as pd

from xifen import _core
from xifen.errors import ParameterError
from xifen.matrix import SegmentMatrix
from xifen.rules import RuleSegmenter

__all__ = ["list_presets", "load_preset"]

#: What every rule preset takes besides its own parameters.
_OPTIONS: Final = ("output", "unknown", "n_jobs")
#: What a matrix takes.
_MATRIX_OPTIONS: Final = ("bins", "strategy", "output", "n_jobs")


def list_presets() -> pd.DataFrame:
    """List the presets there are.

    Returns
    -------
    pandas.DataFrame
        `name`; `title_zh`, `title_en`; `operation`, what it is made of; `inputs`, the columns it reads.

    Examples
    --------
    >>> import xifen as xf
    >>> xf.list_presets()["name"].tolist()
    ['matrix.importance_urgency', 'matrix.value_potential', 'rfm.eight_cell', 'rfm.named', 'rfm.named_six']
    """
    presets = [_read(name) for name in _names()]
    return pd.DataFrame(
        [
            {
                "name": preset["name"],
                "title_zh": preset["title"]["zh"],
                "title_en": preset["title"]["en"],
                "operation": preset["operation"],
                "inputs": ", ".join(_inputs(preset)),
            }
            for preset in presets
        ]
    )


def load_preset(
    name: str,
    lang: Literal["en", "zh"] | None = None,
    columns: Mapping[str, str] | None = None,
    **parameters: Any,
) -> Any:
    """Make the estimator a preset describes.

    Parameters
    ----------
    name : str
        One of `list_presets`.
    lang : {"en", "zh"}, optional
        The language of the labels; None gives the keys (``champions``).
    columns : mapping, optional
        Your names for the preset's inputs: ``{"monetary": "monetary_12M"}``.
    **parameters
        The preset's own parameters. ``rfm.eight_cell`` has ``reference``: ``"mean_score"`` (the mean of each score),
        ``"mean"`` or ``"median"`` (of recency_days, order_count and monetary), or your cuts,
        ``{"recency_days": 90, "order_count": 3, "monetary": 500}``. Also ``output``, ``unknown`` and ``n_jobs`` of
        `RuleSegmenter`. A matrix has ``bins`` (2 takes the corners of one of 3; or cuts by column), ``strategy``,
        ``output`` and ``n_jobs`` of `SegmentMatrix`.

    Returns
    -------
    RuleSegmenter or SegmentMatrix
        Not fitted yet.

    Raises
    ------
    ParameterError
        There is no such preset, language, input or parameter.

    Examples
    --------
    >>> import pandas as pd
    >>> import xifen as xf
    >>> scores = pd.DataFrame({"recency_score": [5, 1], "frequency_score": [5, 1], "monetary_score": [5, 1]})
    >>> xf.load_preset("rfm.named", lang="zh").fit_transform(scores)["segment"].tolist()
    ['冠军客户', '已流失客户']
    """
    _one_of("preset", name, _names())
    if lang not in (None, "en", "zh"):
        raise ParameterError(f"lang is {lang!r}; wanted 'en', 'zh' or None for the keys")
    preset = _read(name)
    if preset["operation"] == "matrix":
        return _matrix(preset, lang, dict(columns or {}), parameters)
    options = {option: parameters.pop(option) for option in _OPTIONS if option in parameters}
    choice = preset.get("choice")
    for parameter in parameters:
        _one_of(f"parameter of {name}", parameter, [*([choice["parameter"]] if choice else []), *_OPTIONS])
    variant = _variant(preset, parameters.get(choice["parameter"]) if choice else None)
    inputs = [item["name"] for item in variant["inputs"]]
    renamed = dict(columns or {})
    for column in renamed:
        _one_of(f"input of {name}", column, inputs)
    spoken = {label["key"]: label[lang or "key"] for label in preset["labels"]}
    rules = {spoken[label["key"]]: label["rule"] for label in variant["labels"] if "rule" in label}
    if renamed:
        rules = _with_columns(rules, renamed)
    defaults = [spoken[label["key"]] for label in preset["labels"] if "rule" not in label]
    return RuleSegmenter(
        rules,
        default=defaults[0] if defaults else None,
        domains={
            renamed.get(item["name"], item["name"]): tuple(item["domain"]["whole"])
            for item in variant["inputs"]
            if "domain" in item
        },
        parameters={
            name: _learned_from(value, renamed) if isinstance(value, str) else value
            for name, value in variant["parameters"].items()
        },
        aliases={
            spoken[label["key"]]: {kind: label[kind] for kind in ("key", "zh", "en")} for label in preset["labels"]
        },
        **options,
    )


def matrix_cells(name: str) -> dict[str, dict[str, str]]:
    """Give the cells of a matrix preset by code, as `SegmentMatrix` takes them."""
    _one_of("matrix preset", name, [known for known in _names() if known.startswith("matrix.")])
    preset = _read(name)
    levels = {level["key"]: level for level in preset.get("investment", [])}
    cells = {}
    for given in preset["cells"]:
        cell = {field: text for field, text in given.items() if field != "code"}
        if "investment" in cell:
            cell |= {f"investment_{lang}": levels[cell["investment"]][lang] for lang in ("zh", "en")}
        cells[given["code"]] = cell
    return cells


def _matrix(
    preset: Mapping[str, Any], lang: Literal["en", "zh"] | None, columns: Mapping[str, str], options: Mapping[str, Any]
) -> SegmentMatrix:
    inputs = {item["axis"]: item["name"] for item in preset["inputs"]}
    for column in columns:
        _one_of(f"input of {preset['name']}", column, list(inputs.values()))
    for option in options:
        _one_of(f"parameter of {preset['name']}", option, list(_MATRIX_OPTIONS))
    axes = {axis: columns.get(name, name) for axis, name in inputs.items()}
    return SegmentMatrix(**axes, cells=matrix_cells(preset["name"]), lang=lang, **{"bins": preset["bins"], **options})


def _inputs(preset: Mapping[str, Any]) -> list[str]:
    given = preset["inputs"] if "inputs" in preset else _variant(preset, None)["inputs"]
    return [item["name"] for item in given]


def _names() -> list[str]:
    found = (item.name for item in files(__name__).iterdir())
    return sorted(name.removesuffix(".json") for name in found if name.endswith(".json"))


def _read(name: str) -> dict[str, Any]:
    preset: dict[str, Any] = json.loads((files(__name__) / f"{name}.json").read_text(encoding="utf-8"))
    return preset


def _one_of(what: str, name: Any, known: list[str]) -> None:
    if name not in known:
        near = _core.did_you_mean(name, known) if isinstance(name, str) else ""
        raise ParameterError(f"there is no {what} {name!r}{near}; there is: {', '.join(known)}")


def _variant(preset: Mapping[str, Any], chosen: Any) -> dict[str, Any]:
    """Give the inputs, parameters and labelled rules of a preset, or of the variant that was chosen."""
    choice = preset.get("choice")
    if choice is None:
        return {"inputs": preset["inputs"], "labels": preset["labels"], "parameters": preset.get("parameters", {})}
    chosen = choice["default"] if chosen is None else chosen
    variants = choice["variants"]
    if isinstance(chosen, Mapping):
        variant = variants["fixed"]
        given = variant["given"]
        if set(chosen) != set(given):
            raise ParameterError(
                f"{choice['parameter']} gives cuts for {', '.join(map(repr, chosen))}; wanted {', '.join(map(repr, given))}"
            )
        parameters = {given[column]: cut for column, cut in chosen.items()}
    else:
        _one_of(choice["parameter"], chosen, [name for name in variants if name != "fixed"])
        variant = variants[chosen]
        parameters = variant["parameters"]
    conditions = variant["conditions"]
    word = re.compile(rf"\b({'|'.join(conditions)})\b")
    labels = [
        {**label, "rule": word.sub(lambda found: f"({conditions[found[1]]})", label["rule"])}
        for label in preset["labels"]
    ]
    return {"inputs": variant["inputs"], "labels": labels, "parameters": parameters}


def _with_columns(rules: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, str]:
    config = {"rules": [{"label": label, "text": text} for label, text in rules.items()], "unknown": "stop"}
    return dict(zip(rules, _core.rules_renamed(json.dumps(config), list(columns.items())), strict=True))


def _learned_from(learned: str, columns: Mapping[str, str]) -> str:
    """`mean(column)` of the column that stands for it."""
    statistic, column = learned.removesuffix(")").split("(")
    column = columns.get(column, column).replace('"', '""')
    return f'{statistic}("{column}")'
