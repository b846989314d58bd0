"""What `RuleSegmenter` tells people: how rules cover every combination of values, and why a row has its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xifen import _columns as names
from xifen._frame import Frame, Masked
from xifen.errors import InputError, ParameterError

__all__ = ["Coverage", "Explanation", "chosen_rows"]


class Coverage:
    """What a set of rules does with every combination of values.

    Attributes
    ----------
    complete : bool
        Whether every combination gets a label.
    cells, gap_cells, unknown_cells : int
        How many combinations there are; how many no rule and no default takes; for how many a rule cannot be decided
        (a division by zero, a missing value).
    summary : pandas.DataFrame
        Per label: `rule`; `matches`, the combinations it is true for; `cells`, those it decides; `status`: "ok",
        "shadowed" (it matches only what earlier rules take), "unreachable" (it matches nothing) or "default";
        `example`, one of its combinations; `rows` when a frame was given.
    gaps : pandas.DataFrame
        The combinations no rule and no default takes (the first 1,000), a column per input.
    overlaps : pandas.DataFrame
        Pairs of rules true together: `first` (which wins), `second`, `cells`, `example`.
    rows, gap_rows, unknown_rows : int or None
        The same counted over the rows of the frame, when one was given.
    """

    def __init__(self, found: Mapping[str, Any], default: str | None, counts: Mapping[str | None, int] | None) -> None:
        self.columns: list[str] = found["columns"]
        self._sizes: list[int] = found["sizes"]
        self.cells: int = found["cells"]
        self.gap_cells: int = found["gap_cells"]
        self.unknown_cells: int = found["unknown_cells"]
        self.complete = self.gap_cells == 0 and self.unknown_cells == 0
        self.gaps = pd.DataFrame(found["gaps"], columns=self.columns)
        self._unknown_example = self._say(found["unknown_example"])
        rules = found["rules"]
        pairs = [
            (rules[pair["first"]]["label"], rules[pair["second"]]["label"], pair["cells"], self._say(pair["example"]))
            for pair in found["overlaps"]
        ]
        self.overlaps = pd.DataFrame(pairs, columns=["first", "second", "cells", "example"])
        lines = [
            (rule["label"], rule["text"], rule["matches"], rule["takes"], _status(rule), self._say(rule["example"]))
            for rule in rules
        ]
        if default is not None:
            cells = found["default_cells"]
            lines.append((default, "", cells, cells, "default", self._say(found["default_example"])))
        self.summary = pd.DataFrame(lines, columns=["label", "rule", "matches", "cells", "status", "example"])
        self.rows: int | None = None
        self.gap_rows: int | None = None
        self.unknown_rows: int | None = None
        if counts is not None:
            self.summary["rows"] = [counts[label] for label in self.summary["label"]]
            self.rows, self.gap_rows, self.unknown_rows = sum(counts.values()), counts.get("", 0), counts[None]

    def _say(self, values: Sequence[str] | None) -> str:
        return ", ".join(f"{name} {value}" for name, value in zip(self.columns, values or [], strict=False))

    def __repr__(self) -> str:
        spans = " x ".join(f"{size} {name}" for size, name in zip(self._sizes, self.columns, strict=True))
        lines = [f"{self.cells} combinations ({spans}): {'complete' if self.complete else 'NOT complete'}"]
        if self.gap_cells:
            lines.append(
                f"  gaps: {self.gap_cells} without a label, for example {self._say(self.gaps.iloc[0].tolist())}"
            )
        if self.unknown_cells:
            lines.append(
                f"  unknown: {self.unknown_cells} that no rule can decide, for example {self._unknown_example}"
            )
        for status in ("shadowed", "unreachable"):
            for label in self.summary.loc[self.summary["status"] == status, "label"]:
                why = "earlier rules take all it matches" if status == "shadowed" else "nothing can match it"
                lines.append(f"  {status}: '{label}': {why}")
        if len(self.overlaps):
            pair = self.overlaps.iloc[0]
            example = f"'{pair['first']}' before '{pair['second']}' at {pair['example']}"
            lines.append(f"  overlaps: {len(self.overlaps)} pairs, the earlier rule wins, for example {example}")
        if self.rows is not None:
            lines.append(f"  rows: {self.rows}, of which {self.gap_rows} in a gap and {self.unknown_rows} unknown")
        with pd.option_context("display.unicode.east_asian_width", True, "display.max_colwidth", 60):
            lines.append(self.summary.drop(columns="example").to_string(index=False))
        return "\n".join(lines)


class Explanation:
    """Why rows have their labels.

    Attributes
    ----------
    frame : frame
        One row per condition, of the explained frame's kind: the id; `label` (missing where unknown); `rule`, the
        label of the rule tried; `decides`, whether that rule gave the answer; `condition`; `value`, what the condition
        saw; `holds`, missing where unknown; `missing`, the inputs that were missing.
    text : str
        The same to read; also what `print` shows.
    """

    def __init__(
        self, frame: Frame, column: str, ids: Sequence[Any], found: Sequence[Mapping[str, Any]], lang: str
    ) -> None:
        if lang not in _WORDS:
            raise ParameterError(f"lang is {lang!r}; wanted 'en' or 'zh'")
        self.text = "\n".join(_tell(column, name, row, lang) for name, row in zip(ids, found, strict=True))
        lines = [
            (name, row, rule, place == len(row["rules"]) - 1 and row["decided"], condition)
            for name, row in zip(ids, found, strict=True)
            for place, rule in enumerate(row["rules"])
            for condition in rule["conditions"]
        ]
        holds = [line[4]["holds"] for line in lines]
        self.frame = frame.new(
            {
                column: pa.array([line[0] for line in lines]),
                "label": pa.array([line[1]["label"] for line in lines], pa.large_string()),
                "rule": pa.array([line[2]["label"] for line in lines], pa.large_string()),
                "decides": np.array([line[3] for line in lines], dtype=bool),
                "condition": pa.array([line[4]["text"] for line in lines], pa.large_string()),
                "value": pa.array([_seen(line[4]) for line in lines], pa.large_string()),
                "holds": Masked(np.array([held is True for held in holds]), np.array([held is None for held in holds])),
                "missing": pa.array([", ".join(line[4]["missing"]) for line in lines], pa.large_string()),
            }
        )

    def __repr__(self) -> str:
        return self.text


def _status(rule: Mapping[str, Any]) -> str:
    return "unreachable" if not rule["matches"] else "ok" if rule["takes"] else "shadowed"


def _seen(condition: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in condition["values"])


#: The words of an explanation.
_WORDS: Final = {
    "en": {
        "yes": "yes",
        "no": "no",
        "unknown": "unknown",
        "unlabelled": "no label",
        "failed": "not '{label}' ({text}): {answer}, {values}",
        "holds": "because '{label}' holds: {text}",
        "undecided": "because '{label}' cannot be decided: {text}; missing: {missing}",
        "nothing": "nothing",
        "gap": "no rule holds, and there is no default",
        "default": "no rule holds: the default",
    },
    "zh": {
        "yes": "是",
        "no": "否",
        "unknown": "未知",
        "unlabelled": "没有标签",
        "failed": "不是“{label}”（{text}）：{answer}，{values}",
        "holds": "因为“{label}”成立：{text}",
        "undecided": "因为“{label}”无法判断：{text}；缺少：{missing}",
        "nothing": "无",
        "gap": "没有规则成立，也没有默认标签",
        "default": "没有规则成立：默认标签",
    },
}


def _tell(column: str, name: Any, row: Mapping[str, Any], lang: str) -> str:
    """One row's label in words: the rules that did not hold in a line each, the one that decided in full."""
    words = _WORDS[lang]
    answers = {True: words["yes"], False: words["no"], None: words["unknown"]}
    *failed, last = row["rules"]
    if not row["decided"]:
        failed = row["rules"]
    lines = [f"{column} {name}: {words['unlabelled'] if row['label'] is None else row['label']}"]
    for rule in failed:
        reasons = [condition for condition in rule["conditions"] if condition["holds"] is rule["holds"]]
        seen = dict(pair for condition in reasons or rule["conditions"] for pair in condition["values"])
        values = ", ".join(f"{name} = {value}" for name, value in seen.items())
        answer = answers[rule["holds"]]
        lines.append(
            "  " + words["failed"].format(label=rule["label"], text=rule["text"], answer=answer, values=values)
        )
    if row["decided"]:
        missing = dict.fromkeys(name for condition in last["conditions"] for name in condition["missing"])
        said = words["holds" if last["holds"] else "undecided"]
        shown = ", ".join(missing) or words["nothing"]
        lines.append("  " + said.format(label=last["label"], text=last["text"], missing=shown))
        lines += [
            f"    {condition['text']}: {answers[condition['holds']]} ({_seen(condition)})"
            for condition in last["conditions"]
        ]
    else:
        lines.append(f"  {words['gap' if row['label'] is None else 'default']}")
    return "\n".join(lines)


def chosen_rows(frame: Frame, ids: Any, id_column: str) -> tuple[list[int], list[Any], str]:
    """Find the rows to explain, what to call them, and the name of the column that says so."""
    first = 10
    if ids is None:
        rows = list(range(min(first, len(frame))))
        if id_column not in frame.names:
            return rows, rows, names.ROW
        column = pa.table(frame.stream([id_column])).column(0)
        return rows, column.slice(0, len(rows)).to_pylist(), id_column
    if isinstance(ids, (str, bytes)) or not hasattr(ids, "__iter__"):
        ids = [ids]
    ids = list(ids)
    column = pa.table(frame.stream([id_column])).column(0)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    column = column.cast(pa.large_string() if pa.types.is_string_view(kind) else kind)
    try:
        wanted = pa.array(ids).cast(column.type)
    except (pa.ArrowException, TypeError, OverflowError) as failure:
        raise InputError(f"the ids cannot be looked for in column '{id_column}' ({column.type}): {failure}") from None
    found = pc.index_in(column, value_set=wanted)  # which of the ids each row has
    rows = pc.indices_nonzero(pc.is_valid(found)).to_pylist()
    places = pc.take(found, pa.array(rows, pa.int64())).to_pylist()
    absent = [name for place, name in enumerate(ids) if place not in set(places)]
    if absent:
        shown = ", ".join(repr(name) for name in absent[:first]) + (", ..." if len(absent) > first else "")
        raise InputError(f"column '{id_column}' has no row with {shown}; nothing is explained")
    order = sorted(zip(places, rows, strict=True))
    return [row for _, row in order], [ids[place] for place, _ in order], id_column
