"""How rules cover every combination of values: gaps, overlaps, rules that never decide, scores read in two directions."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

__all__ = ["Coverage"]

#: What a rule that decides nothing is called, by what it matches.
_DEAD: Final = {True: "shadowed", False: "unreachable"}


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
        those it decides; `status`: "ok", "shadowed" (it matches only what earlier rules take), "unreachable" (it
        matches nothing), "possible" (it decides if an expression takes a certain value), "undecided" (the search was
        given up) or "default"; `example`, one of its combinations; `rows` when a frame was given.
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
    Numbers are cut at the rules' own constants and the ends of their domains, texts at those the rules name; each
    stretch between two cuts is one value, and columns that are compared with each other have enough values in every
    stretch for any order. So gaps and overlaps are decided, not sampled. An expression (``monetary * gross_margin``)
    stands for itself, with any value: what holds for all of its values is proven, what needs one of them is possible.
    An expression over listed values (whole-number and list domains) is calculated. Missing values are looked at where
    a rule asks for them by IS NULL; elsewhere a missing input leaves unknown whatever depends on it.
    """

    def __init__(self, found: Mapping[str, Any], counts: Mapping[str, Any] | None, ids: Sequence[Any]) -> None:
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
        listed = [row for ladder in ladders if ladder["default"] is None for row in ladder["listed"]]
        self.gaps = pd.DataFrame(listed, columns=self.columns)
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
        return ", ".join(f"{name} {value}" for name, value in zip(self.columns, values or [], strict=False))

    def __repr__(self) -> str:
        spans = " x ".join(f"{size} {name}" for size, name in zip(self._sizes, self.columns, strict=True))
        count = (
            "more than two million combinations, searched"
            if self.cells is None
            else _counted(self.cells, "combination")
        )
        judged = f": {'complete' if self.complete else 'NOT complete'}" if self._families else ""
        lines = [f"{count} ({spans}){judged}"]
        if self._expressions:
            named = ", ".join(self._expressions)
            lines.append(f"  standing for themselves, with any value: {named}; what needs one of them is possible")
        said = {kind: self.findings[self.findings["finding"] == kind] for kind in self.findings["finding"].unique()}
        for kind, found in said.items():
            lines += _told(kind, found)
        if self.rows is not None:
            lines.append(f"  rows: {self.rows}, of which {self.gap_rows} in a gap and {self.unknown_rows} unknown")
        columns = ["label", "family", "rows", "cells", "matches", "status", "rule"]
        lines += _aligned(self.summary[[name for name in columns if name in self.summary]])
        return "\n".join(lines)


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _aligned(table: pd.DataFrame) -> list[str]:
    """Numbers to the right, words to the left, and the last column, which may be long, cut."""
    cells = [list(table.columns), *table.astype(object).where(table.notna(), "").to_numpy().tolist()]
    cells = [[*line[:-1], textwrap.shorten(str(line[-1]), 60, placeholder=" ...")] for line in cells]
    for place, name in enumerate(table.columns[:-1]):
        wide = max(_width(str(line[place])) for line in cells)
        for line in cells:
            text = str(line[place])
            space = " " * (wide - _width(text))
            line[place] = space + text if pd.api.types.is_numeric_dtype(table[name]) else text + space
    return ["  " + "  ".join(map(str, line)).rstrip() for line in cells]


def _width(text: str) -> int:
    """How many places a text takes in a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _told(kind: str, found: pd.DataFrame) -> list[str]:
    """One kind of finding in words."""
    lines = found.to_dict("records")
    sure = {"proven": "", "possible": "possibly ", "undecided": "undecided: "}
    if kind == "overlap":
        first = lines[0]
        example = f"'{first['label']}' before '{first['other']}' at {first['example']}"
        return [f"  overlaps: {_counted(len(lines), 'pair')}, the earlier rule wins, for example {example}"]
    words = []
    for line in lines:
        name, example, certainty = line["label"], line["example"], sure[line["certainty"]]
        if not pd.isna(line["cells"]):
            certainty += f"{line['cells']} "
        if kind == "gap":
            of = f" of '{name}'" if name else ""
            words.append(f"  gaps{of}: {certainty}without a label, for example {example}")
        elif kind == "unknown":
            of = f" of '{name}'" if name else ""
            words.append(f"  unknown{of}: {certainty}that no rule can decide, for example {example}")
        elif kind == "shadowed":
            words.append(f"  shadowed: '{name}': earlier rules take all it matches")
        elif kind == "unreachable":
            words.append(f"  unreachable: '{name}': nothing can match it")
        elif line["certainty"] == "proven":
            words.append(
                f"  directions: {example}: '{name}' and '{line['other']}' are read in contrary directions; 5 is best"
            )
        else:
            words.append(
                f"  directions: '{name}' is asked to be low only where {line['other']} is high, and high only where it "
                f"is low ({example}); is it a score, of which 5 is best?"
            )
    return words


def _status(matches: Mapping[str, Any], decides: Mapping[str, Any]) -> str:
    if decides["found"] == "no":
        return _DEAD[matches["found"] != "no"]
    return "ok" if decides["found"] == "proven" else str(decides["found"])


def _sum(findings: Sequence[Mapping[str, Any]]) -> int | None:
    cells = [finding["cells"] for finding in findings]
    return None if None in cells else sum(cells)
