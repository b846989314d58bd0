"""Why rows have their labels and tags, and what it would take to have another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xifen import _columns as names
from xifen._frame import Frame
from xifen._results import Masked
from xifen._rule_words import value_in, visible
from xifen.errors import InputError

__all__ = ["Explanation", "chosen_rows", "ids_of"]


class Explanation:
    """Why rows have their labels or tags.

    Attributes
    ----------
    frame : frame
        One row per condition, of the explained frame's kind: the id; of segments `label` (missing where unknown); `rule`,
        the label of the rule tried; of segments `decides`, whether that rule gave the answer; of tags `tag`, whether the
        row has it (missing where unknown); `condition`; `value`, what the condition saw; `holds`, missing where unknown;
        `missing`, the inputs that were missing.
    nearest : frame
        What it would take for another rule to fire, one row per change: the id; `rule`, the label the row would have;
        `column`, the input that would have to be otherwise; `is`, its value; `needed`, such as ``>= 4``; `distance` of all
        changes together. Of segments the nearest other label that a rule gives (a default is none), of tags the nearest
        change for each the row has not. The
        nearest change touches the fewest inputs, then moves them the least (``|new - old| / (1 + |old|)`` each, added up;
        1 for a text, a truth value or a missing value), then comes first in the order of the rules. An expression follows
        the columns that are to be otherwise, or is itself what is to be, as one input. No row where more than three
        inputs would have to change.
    text : str
        All of it to read; also what `print` shows.
    """

    def __init__(
        self,
        frame: Frame,
        column: str,
        ids: Sequence[Any],
        found: Sequence[Mapping[str, Any]],
        lang: str,
        *,
        tags: bool,
    ) -> None:
        tell = _tell_tags if tags else _tell
        self.text = "\n".join(
            visible(line) for name, row in zip(ids, found, strict=True) for line in tell(column, name, row, lang)
        )
        lines = [
            (name, row, rule, place == len(row["rules"]) - 1 and row["decided"], condition)
            for name, row in zip(ids, found, strict=True)
            for place, rule in enumerate(row["rules"])
            for condition in rule["conditions"]
        ]
        label = {"label": _text(line[1]["label"] for line in lines)}
        decides = {"decides": np.array([line[3] for line in lines], dtype=bool)}
        has = {"tag": _truths(line[2]["tag"] for line in lines)}
        self.frame = frame.new(
            {
                column: pa.array([line[0] for line in lines], pa.array(ids).type),
                **({} if tags else label),
                "rule": _text(line[2]["label"] for line in lines),
                **(has if tags else decides),
                "condition": _text(line[4]["text"] for line in lines),
                "value": _text(_seen(line[4]) for line in lines),
                "holds": _truths(line[4]["holds"] for line in lines),
                "missing": _text(", ".join(line[4]["missing"]) for line in lines),
            }
        )
        nearest = [
            (name, near, change)
            for name, row in zip(ids, found, strict=True)
            for near in ([rule["near"] for rule in row["rules"]] if tags else [row["near"]])
            if near is not None
            for change in near["changes"]
        ]
        self.nearest = frame.new(
            {
                column: pa.array([name for name, _, _ in nearest], pa.array(ids).type),
                "rule": _text(near["label"] for _, near, _ in nearest),
                "column": _text(change["column"] for _, _, change in nearest),
                "is": _text(change["is"] for _, _, change in nearest),
                "needed": _text(change["needed"] for _, _, change in nearest),
                "distance": np.array([near["distance"] for _, near, _ in nearest], dtype=np.float64),
            }
        )

    def __repr__(self) -> str:
        return self.text


def _text(texts: Iterable[str | None]) -> pa.Array:
    return pa.array(list(texts), pa.large_string())


def _truths(truths: Iterable[bool | None]) -> Masked:
    listed = list(truths)
    is_true, unknown = ([truth is answer for truth in listed] for answer in (True, None))
    return Masked(np.array(is_true, dtype=bool), np.array(unknown, dtype=bool))


def _seen(condition: Mapping[str, Any], lang: str = "en") -> str:
    return ", ".join(f"{name} = {value_in(lang, value)}" for name, value in condition["values"])


#: The words of an explanation.
_WORDS: Final = {
    "en": {
        "row": "{column} {name}: {said}",
        "line": "{text}: {answer}",
        "seen": "{text}: {answer} ({seen})",
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
        "near": "nearest: would be '{label}' if {changes}",
        "change": "{column} were {needed} (is {is_})",
        "and": " and ",
        "tags": "tags: {tags}",
        "unknown_tags": "; unknown: {tags}",
        "before": "'{label}' comes first: not '{tag}'",
        "before_unknown": "'{label}' comes first and is unknown, so that '{tag}' is too",
    },
    "zh": {
        "row": "{column} {name}：{said}",
        "line": "{text}：{answer}",
        "seen": "{text}：{answer}（{seen}）",
        "yes": "是",
        "no": "否",
        "unknown": "未知",
        "unlabelled": "没有标签",
        "failed": "不是“{label}”：{text}（{answer}；{values}）",
        "holds": "因为“{label}”成立：{text}",
        "undecided": "因为“{label}”无法判断：{text}；缺少：{missing}",
        "nothing": "无",
        "gap": "没有规则成立，也没有默认标签",
        "default": "没有规则成立：默认标签",
        "near": "最接近：若 {changes}，则为“{label}”",
        "change": "{column} {needed}（现为 {is_}）",
        "and": "，且 ",
        "tags": "标签：{tags}",
        "unknown_tags": "；未知：{tags}",
        "before": "“{label}”在先，所以不是“{tag}”",
        "before_unknown": "“{label}”在先而未知，所以“{tag}”也未知",
    },
}


def _tell(column: str, name: Any, row: Mapping[str, Any], lang: str) -> list[str]:
    """One row's label in words: the rules that did not hold in a line each, the one that decided in full."""
    words = _WORDS[lang]
    answers = {True: words["yes"], False: words["no"], None: words["unknown"]}
    *failed, last = row["rules"]
    if not row["decided"]:
        failed = row["rules"]
    said = words["unlabelled"] if row["label"] is None else row["label"]
    lines = [words["row"].format(column=column, name=name, said=said)]
    for rule in failed:
        reasons = [condition for condition in rule["conditions"] if condition["holds"] is rule["holds"]]
        seen = dict(pair for condition in reasons or rule["conditions"] for pair in condition["values"])
        values = ", ".join(f"{name} = {value_in(lang, value)}" for name, value in seen.items())
        answer = answers[rule["holds"]]
        lines.append(
            "  "
            + words["failed"].format(label=rule["label"], text=_one_line(rule["text"]), answer=answer, values=values)
        )
    if row["decided"]:
        missing = dict.fromkeys(name for condition in last["conditions"] for name in condition["missing"])
        said = words["holds" if last["holds"] else "undecided"]
        shown = ", ".join(missing) or words["nothing"]
        lines.append("  " + said.format(label=last["label"], text=_one_line(last["text"]), missing=shown))
        lines += [
            "    "
            + words["seen"].format(
                text=condition["text"], answer=answers[condition["holds"]], seen=_seen(condition, lang)
            )
            for condition in last["conditions"]
        ]
    else:
        lines.append(f"  {words['gap' if row['label'] is None else 'default']}")
    if row["near"] is not None:
        lines.append("  " + _nearest(row["near"], lang))
    return lines


def _one_line(rule: str) -> str:
    """A rule without the lines it was written in."""
    return " ".join(part.strip() for part in rule.splitlines())


def _tell_tags(column: str, name: Any, row: Mapping[str, Any], lang: str) -> list[str]:
    """One row's tags in words: those it has, those that are unknown, then every tag with its conditions."""
    words = _WORDS[lang]
    answers = {True: words["yes"], False: words["no"], None: words["unknown"]}
    own = [rule["label"] for rule in row["rules"] if rule["tag"]]
    unknown = [rule["label"] for rule in row["rules"] if rule["tag"] is None]
    head = words["tags"].format(tags=", ".join(own) or words["nothing"])
    head += words["unknown_tags"].format(tags=", ".join(unknown)) if unknown else ""
    lines = [words["row"].format(column=column, name=name, said=head)]
    for rule in row["rules"]:
        lines.append("  " + words["line"].format(text=rule["label"], answer=answers[rule["tag"]]))
        lines += [
            "    "
            + words["seen"].format(
                text=condition["text"], answer=answers[condition["holds"]], seen=_seen(condition, lang)
            )
            for condition in rule["conditions"]
        ]
        if rule["before"] is not None:
            said = words["before" if rule["tag"] is False else "before_unknown"]
            lines.append("    " + said.format(label=rule["before"], tag=rule["label"]))
        if rule["near"] is not None:
            lines.append("    " + _nearest(rule["near"], lang))
    return lines


def _nearest(near: Mapping[str, Any], lang: str) -> str:
    words = _WORDS[lang]
    changes = [
        words["change"].format(
            column=change["column"],
            needed=value_in(lang, change["needed"]).removeprefix("= " if lang == "en" else ""),
            is_=value_in(lang, change["is"]),
        )
        for change in near["changes"]
    ]
    return words["near"].format(label=near["label"], changes=words["and"].join(changes))


def ids_of(frame: Frame, id_column: str) -> Sequence[Any]:
    """Give the ids of the rows, or where there are none their positions; each is made when it is asked for."""
    if id_column not in frame.names:
        return range(len(frame))
    return _Ids(pa.table(frame.stream([id_column])).column(0))


class _Ids(Sequence[Any]):
    def __init__(self, column: pa.ChunkedArray) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    def __getitem__(self, row: Any) -> Any:
        return self._column[row].as_py()


def chosen_rows(frame: Frame, ids: Any, id_column: str) -> tuple[list[int], list[Any], str]:
    """Find the rows to explain, what to call them, and the name of the column that says so."""
    first = 10
    if ids is None:
        rows = list(range(min(first, len(frame))))
        if id_column == names.CUSTOMER_ID and id_column not in frame.names:
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
        ids = list(dict.fromkeys(ids))
        wanted = pa.array(ids).cast(column.type)
    except (pa.ArrowException, TypeError, OverflowError):
        raise InputError(
            f"ids are {ids[:first]!r}, but column '{id_column}' holds {column.type}; give ids of its kind"
        ) from None
    found = pc.index_in(column, value_set=wanted)  # which of the ids each row has
    rows = pc.indices_nonzero(pc.is_valid(found)).to_pylist()
    places = pc.take(found, pa.array(rows, pa.int64())).to_pylist()
    absent = [name for place, name in enumerate(ids) if place not in set(places)]
    if absent:
        shown = ", ".join(repr(name) for name in absent[:first]) + (", ..." if len(absent) > first else "")
        raise InputError(f"column '{id_column}' has no row with {shown}; nothing is explained")
    order = sorted(zip(places, rows, strict=True))
    return [row for _, row in order], [ids[place] for place, _ in order], id_column
