"""How rules cover every combination of values: gaps, overlaps, rules that never decide, scores read in two directions."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from xifen._display import Badge, shown
from xifen._rule_words import value_in, visible

__all__ = ["Coverage"]

#: What a rule that decides nothing is called, by what it matches.
_DEAD: Final = {True: "shadowed", False: "unreachable"}

#: The words of a coverage.
_WORDS: Final = {
    "en": {
        "one": "1 combination ({spans})",
        "many": "{count} combinations ({spans})",
        "searched": "more than two million combinations, searched ({spans})",
        "complete": ": complete",
        "incomplete": ": NOT complete",
        "unproven": ": not proven complete",
        "expressions": "standing for themselves, with any value: {names}; what needs one of them is possible",
        "proven": "",
        "possible": "possibly ",
        "undecided": "undecided: ",
        "counted": "{count} ",
        "of": " of '{name}'",
        "gap": "gaps{of}: {sure}without a label, for example {example}",
        "unknown": "unknown{of}: {sure}that no rule can decide, for example {example}",
        "default": "default{of}: {sure}get '{label}', for example {example}",
        "shadowed": "shadowed: '{label}': earlier rules take all it matches",
        "behind": "shadowed: '{label}': wherever it is true, an earlier rule is true or unknown",
        "unreachable": "unreachable: '{label}': nothing can match it",
        "overlap": "overlaps: {pairs}, the earlier rule wins, for example '{label}' before '{other}' at {example}",
        "pair": "1 pair",
        "and": ", ",
        "pairs": "{count} pairs",
        "direction": "directions: {example}: '{label}' and '{other}' are read in contrary directions; 5 is best",
        "direction?": "directions: '{label}' is asked to be low only where {other} is high, and high only where it is "
        "low ({example}); is it a score, of which 5 is best?",
        "rows": "rows: {rows}, of which {gap} in a gap and {unknown} unknown",
    },
    "zh": {
        "one": "1 种组合（{spans}）",
        "many": "{count} 种组合（{spans}）",
        "searched": "组合超过二百万种，以搜索判定（{spans}）",
        "complete": "：完整",
        "incomplete": "：不完整",
        "unproven": "：未能证明完整",
        "expressions": "以下表达式可取任意值：{names}；依赖其取值的结论为“可能”",
        "proven": "",
        "possible": "可能有",
        "undecided": "未能判定：",
        "counted": "{count} 种",
        "of": "（“{name}”）",
        "gap": "缺口{of}：{sure}没有标签，例如 {example}",
        "unknown": "未知{of}：{sure}没有规则能判断，例如 {example}",
        "default": "默认{of}：{sure}归入“{label}”，例如 {example}",
        "shadowed": "被遮蔽：“{label}”能匹配的都已被在先的规则取走",
        "behind": "被遮蔽：“{label}”成立时，在先的规则已成立或未知",
        "unreachable": "不可达：没有组合能匹配“{label}”",
        "overlap": "重叠：{pairs}，在先的规则优先，例如“{label}”先于“{other}”：{example}",
        "pair": "1 对",
        "and": "，",
        "pairs": "{count} 对",
        "direction": "方向：{example}：“{label}”与“{other}”的解读方向相反；评分以 5 为最好",
        "direction?": "方向：只在 {other} 高时要求“{label}”低，只在其低时要求它高（{example}）；它是以 5 为最好的评分吗？",
        "rows": "行数：{rows}，其中 {gap} 行落在缺口，{unknown} 行未知",
    },
}
#: The judgement of a coverage in a word.
_BADGES: Final = {
    "en": {
        "complete": "complete",
        "gaps": "NOT complete",
        "unproven": "not proven complete",
        "dead": "some rules never decide",
        "tags": "every tag can occur",
    },
    "zh": {
        "complete": "完整",
        "gaps": "不完整",
        "unproven": "未能证明完整",
        "dead": "有规则从不起作用",
        "tags": "每个标签都可能出现",
    },
}
#: What the table of a coverage says in Chinese: its headings, and what becomes of a label.
_HEADINGS: Final = {
    "label": "标签",
    "family": "标签族",
    "rows": "行数",
    "cells": "组合数",
    "matches": "成立数",
    "status": "状态",
    "rule": "规则",
}
_STATUS: Final = {
    "ok": "正常",
    "default": "默认",
    "shadowed": "被遮蔽",
    "unreachable": "不可达",
    "possible": "可能",
    "undecided": "未判定",
}


class Coverage:
    """What a set of rules does with every combination of values.

    Attributes
    ----------
    complete : bool
        Whether every combination surely gets a label (of every exclusive family, where there are families).
    cells, gap_cells, unknown_cells : int or None
        How many combinations there are; how many no rule and no default takes; for how many a rule cannot be decided
        (a division by zero, a missing value). None where there are more than two million: then every question is
        decided by a search, without counting.
    summary : pandas.DataFrame
        Per label: `family` where there are families; `rule`; `matches`, the combinations it is true for; `cells`,
        those it decides; `status`: "ok", "shadowed" (it matches only what earlier rules take or, being unknown, stop),
        "unreachable" (it matches nothing), "possible" (it decides if an expression takes a certain value), "undecided"
        (the search was given up) or "default"; `example`, one of its combinations; `rows` when a frame was given.
    gaps : pandas.DataFrame
        The combinations no rule and no default takes (the first 1,000 where they were counted), a column per input.
    overlaps : pandas.DataFrame
        Pairs of rules true together: `first` (which wins), `second`, `cells`, `example`.
    findings : pandas.DataFrame
        Everything to look at, a row each: `finding` ("gap", "unknown", "shadowed", "unreachable", "overlap",
        "direction"), `label`, `other`, `certainty` ("proven", "possible", "undecided"), `cells`, `example`; where a
        frame was given also `rows` and `customer`, one of them (its position where there is no id column).
    rows, gap_rows, unknown_rows : int or None
        The same counted over the rows of the frame, when one was given.

    Notes
    -----
    Values in `gaps` and `example` are written in the language of the report; `finding`, `certainty` and `status` are the
    same words in each.

    Numbers are cut at the rules' own constants and the ends of their domains, texts at those the rules name; each
    stretch between two cuts is one value, and columns that are compared with each other have enough values in every
    stretch for any order. So gaps and overlaps are decided, not sampled. An expression (``monetary * gross_margin``)
    stands for itself, with any value: what holds for all of its values is proven, what needs one of them is possible.
    An expression over listed values (whole-number and list domains) is calculated. Missing values are looked at where
    a rule asks for them by IS NULL, and everywhere with ``unknown="skip"``, which passes over the rules that depend on
    them; elsewhere a missing input leaves unknown whatever depends on it.
    """

    def __init__(
        self, found: Mapping[str, Any], counts: Mapping[str, Any] | None, ids: Sequence[Any], lang: str = "en"
    ) -> None:
        self._lang = lang
        self.columns: list[str] = found["columns"]
        self.cells: int | None = found["cells"]
        self._sizes: list[int] = found["sizes"]
        self._expressions: list[str] = self.columns[found["real"] :]
        self._families = [ladder["name"] for ladder in found["ladders"]]
        ladders = found["ladders"]
        gaps = [ladder["rest"] for ladder in ladders if ladder["default"] is None]
        unknown = [ladder["unknown"] for ladder in ladders]
        self.gap_cells, self.unknown_cells = _sum(gaps), _sum(unknown)
        self.complete = all(finding["found"] == "no" for finding in [*gaps, *unknown])
        listed = [self._spoken(row) for ladder in ladders if ladder["default"] is None for row in ladder["listed"]]
        self.gaps = pd.DataFrame(listed, columns=self.columns)
        #: How certain it is that anybody gets each ladder's default.
        self._defaults = [ladder["rest"]["found"] for ladder in ladders if ladder["default"] is not None]
        self.rows: int | None = None
        self.gap_rows: int | None = None
        self.unknown_rows: int | None = None
        if counts is not None:
            self.rows = counts["rows"]
            spots = list(zip(ladders, counts["ladders"], strict=True))
            self.gap_rows = sum(spot["rest"]["rows"] for ladder, spot in spots if ladder["default"] is None)
            self.unknown_rows = sum(spot["unknown"]["rows"] for _, spot in spots)
        self._ids = ids
        self._build(found, counts)

    def _build(self, found: Mapping[str, Any], counts: Mapping[str, Any] | None) -> None:
        rules, ladders = found["rules"], found["ladders"]
        spots = counts["ladders"] if counts is not None else [None] * len(ladders)
        family_of = {place: ladder["name"] for ladder in ladders for place in ladder["rules"]}
        takes: dict[int, Mapping[str, Any]] = {}
        for ladder, spot in zip(ladders, spots, strict=True):
            takes.update(zip(ladder["rules"], spot["takes"] if spot else [], strict=False))
        lines, findings, pairs = [], [], []
        for place, rule in enumerate(rules):
            decides = rule["takes"] if rule["takes"] is not None else rule["matches"]
            status = _status(rule["matches"], decides)
            example = self._say(decides["example"] or rule["matches"]["example"])
            family = family_of.get(place)
            line = [
                rule["label"],
                family or "",
                rule["text"],
                rule["matches"]["cells"],
                decides["cells"],
                status,
                example,
            ]
            if counts is not None:
                line.append((takes[place] if place in takes else counts["rules"][place][0])["rows"])
            lines.append(line)
            if status in _DEAD.values():
                spot = counts["rules"][place][0] if counts is not None else None
                findings.append((status, rule["label"], "", "proven", rule["matches"]["cells"], example, spot))
        for ladder, spot in zip(ladders, spots, strict=True):
            name, rest = ladder["name"] or "", ladder["rest"]
            if ladder["default"] is not None:
                cells = rest["cells"]
                line = [ladder["default"], name, "", cells, cells, "default", self._say(rest["example"])]
                lines.append([*line, *([spot["rest"]["rows"]] if spot else [])])
            elif rest["found"] != "no":
                findings.append(self._finding("gap", name, "", rest, spot and spot["rest"]))
            if ladder["unknown"]["found"] != "no":
                findings.append(self._finding("unknown", name, "", ladder["unknown"], spot and spot["unknown"]))
            both = {(first, second): rows for first, second, rows in (spot["pairs"] if spot else [])}
            for pair in ladder["overlaps"] or []:
                first, second, finding = rules[pair["first"]]["label"], rules[pair["second"]]["label"], pair["finding"]
                pairs.append((first, second, finding["cells"], self._say(finding["example"])))
                rows = both.get((pair["first"], pair["second"]), {"rows": 0, "first": None}) if spot else None
                findings.append(self._finding("overlap", first, second, finding, rows))
        for turned in found["directions"]:
            certainty = "proven" if turned["contradicts"] else "possible"
            labels = ", ".join(turned["labels"])
            findings.append(("direction", turned["column"], turned["other"], certainty, None, labels, None))
        summary = ["label", "family", "rule", "matches", "cells", "status", "example"]
        self.summary = pd.DataFrame(lines, columns=[*summary, *(["rows"] if counts is not None else [])])
        if self._families in ([None], []):
            self.summary = self.summary.drop(columns="family")
        self.overlaps = pd.DataFrame(pairs, columns=["first", "second", "cells", "example"])
        columns = ["finding", "label", "other", "certainty", "cells", "example"]
        self.findings = pd.DataFrame([line[:-1] for line in findings], columns=columns)
        if counts is not None:
            rows = [line[-1] for line in findings]
            self.findings["rows"] = pd.array([spot["rows"] if spot else None for spot in rows], dtype="Int64")
            self.findings["customer"] = pd.Series([self._id(spot) for spot in rows], dtype=object)
        for table, names in (
            (self.summary, ("matches", "cells")),
            (self.overlaps, ("cells",)),
            (self.findings, ("cells",)),
        ):
            for name in names:
                if self.cells is None or table is self.findings:
                    table[name] = table[name].astype("Int64")

    def _finding(self, kind: str, label: str, other: str, finding: Mapping[str, Any], rows: Any) -> tuple[Any, ...]:
        return (kind, label, other, finding["found"], finding["cells"], self._say(finding["example"]), rows)

    def _id(self, spot: Mapping[str, Any] | None) -> Any:
        return None if spot is None or spot["first"] is None else self._ids[spot["first"]]

    def _say(self, values: Sequence[str] | None) -> str:
        return ", ".join(
            f"{name} {value}" for name, value in zip(self.columns, self._spoken(values or []), strict=False)
        )

    def _spoken(self, values: Sequence[str]) -> list[str]:
        return [value_in(self._lang, value) for value in values]

    def _unproven(self) -> bool:
        """Whether everything that may lack a label depends on an expression, or was not decided."""
        lacking = self.findings[self.findings["finding"].isin(["gap", "unknown"])]
        return bool((lacking["certainty"] != "proven").all())

    @property
    def badge(self) -> Badge:
        """The judgement in a word: of labels, whether each combination gets one; of tags, whether each can occur."""
        words, dead = _BADGES[self._lang], bool(self.findings["finding"].isin(_DEAD.values()).any())
        if self._families and not self.complete:
            return Badge(words["unproven" if self._unproven() else "gaps"], good=False)
        return Badge(words["dead" if dead else "complete" if self._families else "tags"], good=not dead)

    def _repr_html_(self) -> str:
        tables = [("summary", self.summary), ("findings", self.findings)]
        heading = "Coverage" if self.cells is None else f"Coverage, {self.cells:,}"
        return shown(heading, self.badge, *[(name, table) for name, table in tables if len(table)])

    def __repr__(self) -> str:
        words = _WORDS[self._lang]
        if "unknown" in set(self.findings["finding"]):
            words = {**words, "shadowed": words["behind"]}
        spans = " x ".join(f"{size} {name}" for size, name in zip(self._sizes, self.columns, strict=True))
        count = "searched" if self.cells is None else "one" if self.cells == 1 else "many"
        judgement = "complete" if self.complete else "unproven" if self._unproven() else "incomplete"
        judged = words[judgement] if self._families else ""
        lines = [words[count].format(count=self.cells, spans=spans) + judged]
        if self._expressions:
            lines.append(words["expressions"].format(names=", ".join(self._expressions)))
        lines += [
            line
            for kind in self.findings["finding"].unique()
            for line in _told(kind, self.findings[self.findings["finding"] == kind], words)
        ]
        taken = self.summary[self.summary["status"] == "default"].assign(certainty=self._defaults)
        taken = taken[taken["example"] != ""]
        lines += [_sentence("default", line, line.get("family", ""), words) for line in taken.to_dict("records")]
        if self.rows is not None:
            lines.append(words["rows"].format(rows=self.rows, gap=self.gap_rows, unknown=self.unknown_rows))
        columns = ["label", "family", "rows", "cells", "matches", "status", "rule"]
        table = self.summary[[name for name in columns if name in self.summary]]
        if self._lang == "zh":
            table = table.assign(status=table["status"].map(_STATUS)).rename(columns=_HEADINGS)
        lines += _aligned(table)
        return "\n".join([visible(lines[0]), *(f"  {visible(line)}" for line in lines[1:])])


def _aligned(table: pd.DataFrame) -> list[str]:
    """Numbers to the right, words to the left, and the last column, which may be long, cut."""
    cells = [list(table.columns), *table.astype(object).where(table.notna(), "").to_numpy().tolist()]
    cells = [
        [*map(visible, map(str, line[:-1])), textwrap.shorten(str(line[-1]), 60, placeholder=" ...")] for line in cells
    ]
    for place, name in enumerate(table.columns[:-1]):
        wide = max(_width(str(line[place])) for line in cells)
        for line in cells:
            text = str(line[place])
            space = " " * (wide - _width(text))
            line[place] = space + text if pd.api.types.is_numeric_dtype(table[name]) else text + space
    return ["  ".join(map(str, line)).rstrip() for line in cells]


def _width(text: str) -> int:
    """How many places a text takes in a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _told(kind: str, found: pd.DataFrame, words: Mapping[str, str]) -> list[str]:
    """One kind of finding in words."""
    lines = found.to_dict("records")
    if kind == "overlap":
        lines.sort(key=lambda line: line["certainty"] != "proven")
        parts = []
        for certainty in dict.fromkeys(line["certainty"] for line in lines):
            count = sum(line["certainty"] == certainty for line in lines)
            parts.append(words[certainty] + words["pair" if count == 1 else "pairs"].format(count=count))
        first = {name: lines[0][name] for name in ("label", "other", "example")}
        return [words[kind].format(pairs=words["and"].join(parts), **first)]
    return [_sentence(kind, line, line["label"], words) for line in lines]


def _sentence(kind: str, line: Mapping[str, Any], family: str, words: Mapping[str, str]) -> str:
    sure = words[line.get("certainty", "proven")]
    if not pd.isna(line.get("cells")):
        sure += words["counted"].format(count=line["cells"])
    if kind == "direction" and line["certainty"] != "proven":
        kind = "direction?"
    said = {name: line.get(name, "") for name in ("label", "other", "example")}
    return words[kind].format(sure=sure, of=words["of"].format(name=family) if family else "", **said)


def _status(matches: Mapping[str, Any], decides: Mapping[str, Any]) -> str:
    if decides["found"] == "no":
        return _DEAD[matches["found"] != "no"]
    return "ok" if decides["found"] == "proven" else str(decides["found"])


def _sum(findings: Sequence[Mapping[str, Any]]) -> int | None:
    cells = [finding["cells"] for finding in findings]
    return None if None in cells else sum(cells)
