"""One maker per kind of preset: each turns a file, as the caller wants it, into an estimator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pandas as pd

from xifen._rule_values import rewritten
from xifen._tagger import RuleTagger
from xifen.binning import Binner, RFMScorer
from xifen.errors import ParameterError
from xifen.matrix import SegmentMatrix
from xifen.presets._files import Wanted, names, one_of, read, words
from xifen.presets._pipeline import Pipeline
from xifen.presets._playbook import playbook
from xifen.rules import RuleSegmenter
from xifen.scorecard import Scorecard

__all__ = ["MAKERS", "matrix_cells"]


def matrix_cells(name: str) -> dict[str, dict[str, str]]:
    """Give the cells of a matrix preset by code, as `SegmentMatrix` takes them."""
    one_of("matrix preset", name, [known for known in names() if known.startswith("matrix.")])
    levels = {level["key"]: level for level in words("playbook")["investment_level"]}
    cells = {}
    for given in read(name)["cells"]:
        cell = {field: text for field, text in given.items() if field != "code"}
        if "investment" in cell:
            cell |= {f"investment_{lang}": levels[cell["investment"]][lang] for lang in ("zh", "en")}
        cells[given["code"]] = cell
    return cells


def _rules(wanted: Wanted) -> RuleSegmenter:
    labels = wanted.preset["labels"]
    rules = {wanted.spoken(label): label["rule"] for label in labels if "rule" in label}
    defaults = [wanted.spoken(label) for label in labels if "rule" not in label]
    return RuleSegmenter(
        rewritten(rules, wanted.columns) if wanted.columns else rules,
        **{
            "default": defaults[0] if defaults else None,
            "domains": _domains(wanted),
            "parameters": _parameters(wanted),
            "aliases": _aliases(wanted, labels),
            "optional": wanted.optional(),
            **({"output": wanted.preset["output"]} if "output" in wanted.preset else {}),
            **wanted.options,
        },
    )


def _codes(wanted: Wanted) -> RuleSegmenter:
    """Make rules of a code map: column IN (codes)."""
    options = dict(wanted.options)
    labels = wanted.preset["labels"]
    given = options.pop("codes", None) or {}
    if not isinstance(given, Mapping):
        raise ParameterError(f"codes is {given!r}; wanted a mapping of key to list of codes")
    for key in given:
        one_of(f"label of {wanted.preset['name']}", key, [label["key"] for label in labels if "codes" in label])
    owners: dict[Any, str] = {}
    for label in (label for label in labels if "codes" in label):
        for code in _listed(given.get(label["key"], label["codes"])):
            if (owner := owners.setdefault(code, label["key"])) != label["key"]:
                raise ParameterError(
                    f"code {code!r} stands for '{owner}' and for '{label['key']}'; give codes= for both, each its own"
                )
    column = wanted.preset["inputs"][0]["name"].replace('"', '""')
    listed = [
        {
            **{field: text for field, text in label.items() if field != "codes"},
            **({"rule": _in(column, given.get(label["key"], label["codes"]))} if "codes" in label else {}),
        }
        for label in labels
    ]
    preset = {**wanted.preset, "labels": listed}
    return _rules(Wanted(preset, wanted.lang, wanted.columns, wanted.parameters, options))


def _listed(codes: Any) -> list[str | int]:
    """Give the codes of a label; what is no list of text or whole numbers is refused."""
    listed = [] if isinstance(codes, (str, bytes)) or not hasattr(codes, "__iter__") else list(codes)
    if not listed or not all(isinstance(code, (str, int)) and not isinstance(code, bool) for code in listed):
        raise ParameterError(f"codes has {codes!r}; wanted a list of at least one code, each text or a whole number")
    return listed


def _in(column: str, codes: Any) -> str:
    quoted = [str(code) if isinstance(code, int) else "'" + code.replace("'", "''") + "'" for code in _listed(codes)]
    return f'"{column}" IN ({", ".join(quoted)})'


def _tags(wanted: Wanted) -> RuleTagger:
    labels = {label["key"]: label for label in wanted.preset["labels"]}
    families = {}
    for family in wanted.preset["families"]:
        said = {"tags": [wanted.spoken(labels[tag]) for tag in family["tags"]], "exclusive": family["exclusive"]}
        if "default" in family:
            said["default"] = wanted.spoken(family["default"])
        families[wanted.spoken(family)] = said
    rules = {wanted.spoken(label): label["rule"] for label in labels.values()}
    return RuleTagger(
        rewritten(rules, wanted.columns) if wanted.columns else rules,
        families=families or None,
        domains=_domains(wanted),
        parameters=_parameters(wanted),
        aliases=_aliases(wanted, list(labels.values())),
        optional=wanted.optional(),
        **wanted.options,
    )


def _bins(wanted: Wanted) -> Binner:
    column = wanted.inputs()[0]["name"]
    labels = [wanted.spoken(label) for label in wanted.preset["labels"]]
    return Binner(**{"columns": [column], "labels": {column: labels}, "n_bins": len(labels), **wanted.options})


def _scores(wanted: Wanted) -> RFMScorer:
    """Make a scorer whose axes are the inputs; some of them have published cuts and scores."""
    inputs = wanted.inputs()
    cuts = {field: {item["name"]: item[field] for item in inputs if field in item} for field in ("edges", "scores")}
    return RFMScorer(**{item["axis"]: item["name"] for item in inputs}, **{**cuts, **wanted.options})


def _scorecard(wanted: Wanted) -> Scorecard:
    indicators = {
        name: {**fields, "column": wanted.column(fields.get("column", name))}
        for name, fields in wanted.preset["indicators"].items()
    }
    given = {name: wanted.preset[name] for name in ("weights", "output") if name in wanted.preset}
    return Scorecard(indicators, **{**given, "optional": wanted.optional(), **wanted.options})


def _grades(wanted: Wanted) -> Pipeline:
    """Make a scorecard and the rules that grade its score."""
    grading = Wanted(
        {**wanted.preset, "inputs": [], "output": wanted.preset["grade"]}, wanted.lang, {}, wanted.parameters, {}
    )
    return Pipeline([("scorecard", _scorecard(wanted)), ("grade", _rules(grading))])


def _matrix(wanted: Wanted) -> SegmentMatrix:
    axes = {item["axis"]: item["name"] for item in wanted.inputs()}
    given = {"bins": wanted.preset["bins"], **wanted.options}
    return SegmentMatrix(**axes, cells=matrix_cells(wanted.preset["name"]), lang=wanted.lang, **given)


def _keywords(wanted: Wanted) -> dict[str, list[str]]:
    """Give the groups of keywords, as `keyword_table` takes them."""
    return {group["key"]: list(group["keywords"]) for group in wanted.preset["labels"]}


def _playbook(wanted: Wanted) -> pd.DataFrame:
    return playbook(wanted.preset["name"], wanted.lang)


#: What makes a preset of each operation, and what it takes besides the preset's own parameters.
MAKERS: Final[dict[str, tuple[Callable[[Wanted], Any], tuple[str, ...]]]] = {
    "rules": (_rules, ("output", "unknown", "n_jobs")),
    "tags": (_tags, ("list_output", "text_output", "separator", "output", "n_jobs")),
    "codes": (_codes, ("codes", "output", "unknown", "n_jobs")),
    "bins": (_bins, ("n_bins", "edges", "strategy", "n_jobs")),
    "scores": (_scores, ("n_bins", "strategy", "weights", "output", "n_jobs")),
    "scorecard": (_scorecard, ("weights", "reason", "output", "n_jobs")),
    "grades": (_grades, ("weights", "reason", "n_jobs")),
    "matrix": (_matrix, ("bins", "strategy", "output", "n_jobs")),
    "keywords": (_keywords, ()),
    "playbook": (_playbook, ()),
}


def _domains(wanted: Wanted) -> dict[str, Any]:
    """What inputs can hold, in the forms `RuleSegmenter` takes."""
    found: dict[str, Any] = {}
    for item in wanted.inputs():
        for form, values in item.get("domain", {}).items():
            found[item["name"]] = values if form == "list" else tuple(map(float if form == "interval" else int, values))
    return found


def _parameters(wanted: Wanted) -> dict[str, Any]:
    learned = wanted.preset.get("learned", {})
    return {
        name: _learned_from(value, wanted) if name in learned and isinstance(value, str) else value
        for name, value in wanted.parameters.items()
    }


def _learned_from(learned: str, wanted: Wanted) -> str:
    """`mean(column)` or `top_share(column, 0.8)` of the column that stands for it."""
    statistic, inside = learned.removesuffix(")").split("(")
    column, *share = inside.split(", ")
    quoted = '"' + wanted.column(column).replace('"', '""') + '"'
    return f"{statistic}({', '.join([quoted, *share])})"


def _aliases(wanted: Wanted, labels: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {wanted.spoken(label): {kind: label[kind] for kind in ("key", "zh", "en")} for label in labels}
