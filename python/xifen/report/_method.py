"""Data and method: the ledger, coverage, definitions, and what was left out."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from xifen import _columns as c
from xifen._rule_coverage import Coverage
from xifen.report import _words
from xifen.report._basis import revenue_note
from xifen.report._customers import not_shown
from xifen.report._view import MOST_VALUES, View
from xifen.rules import RuleSet

__all__ = ["coverage", "definitions", "ledger", "left_out"]

#: Findings of one rule set that are listed; there can be thousands of overlaps.
_FINDINGS: Final = 20
#: Where a field comes from, if not from a step of the model.
_SOURCES: Final = ("tables", "customers", "plan")


def ledger(view: View) -> list[dict[str, Any]]:
    """Rows by what became of them, and what else was counted."""
    words, table = view.words, view.result.ledger
    blocks: list[dict[str, Any]] = []
    if table is not None and len(table):
        blocks.append(
            {
                "kind": "table",
                "note": words("ledger.note"),
                "columns": [words("reason"), words("rows"), words("first_row")],
                "numeric": [1, 2],
                "rows": [
                    [words.column(str(reason)), words.number(float(rows)), words.number(float(first))]
                    for reason, rows, first in zip(
                        table[c.REASON].astype(object), table[c.ROWS], table[c.FIRST_ROW], strict=True
                    )
                ],
            }
        )
    counts = [[words.count(key), words.value(value)] for key, value in view.result.counts.items()]
    if counts:
        blocks.append(
            {
                "kind": "table",
                "title": words("counted"),
                "columns": [words("item"), words("counts")],
                "numeric": [1],
                "rows": counts,
            }
        )
    return blocks


def coverage(view: View) -> list[dict[str, Any]]:
    """What each rule set does with every combination of values: a line each, and the findings behind it."""
    words = view.words
    lines, folded = [], []
    for name, found in view.result.coverage().items():
        lines.append(
            [
                words.step(name),
                words(f"coverage.{_judged(found)}"),
                words("coverage.many") if found.cells is None else words.number(found.cells),
                "–" if found.gap_rows is None else words.number(found.gap_rows),
                "–" if found.unknown_rows is None else words.number(found.unknown_rows),
                words.number(len(found.findings)),
            ]
        )
        if not len(found.findings):
            continue
        more = len(found.findings) - _FINDINGS
        folded.append(
            {
                "kind": "table",
                "folded": True,
                "title": words("findings", step=words.step(name), count=len(found.findings)),
                "note": words("coverage.more", count=words.number(more)) if more > 0 else "",
                "columns": [words(key) for key in ("finding", "label", "also", "example")],
                "rows": [
                    [
                        words(f"finding.{row['finding']}"),
                        *(words.value(row[key]) for key in ("label", "other")),
                        words.sentence(row["example"]),
                    ]
                    for row in found.findings.head(_FINDINGS).to_dict("records")
                ],
            }
        )
    if not lines:
        return []
    columns = ["rules", "complete", "combinations", "in_gap", "undecided", "finding"]
    table = {
        "kind": "table",
        "note": words("coverage.note"),
        "columns": [words(key) for key in columns],
        "numeric": [2, 3, 4, 5],
        "rows": lines,
    }
    return [table, *folded]


def _judged(found: Coverage) -> str:
    """Judge a rule set by what befalls customers: who has no label is a fault, a value nobody has is only said."""
    kinds = set(found.findings["finding"])
    if kinds & {"shadowed", "unreachable"}:
        return "dead"
    if found.complete:
        return "complete"
    if "gap" in kinds:
        return "gap_empty" if found.gap_rows == 0 else "gap"
    return "undecided"


def definitions(view: View) -> list[dict[str, Any]]:
    """What the words mean, every rule and every edge in use."""
    words = view.words
    notes = [words("definitions.rfm"), words("definitions.first"), words("definitions.frozen")]
    blocks: list[dict[str, Any]] = [{"kind": "notes", "items": [*notes, revenue_note(view.result, words)]}]
    for name, step in view.model.items():
        table: pd.DataFrame | None = None
        if isinstance(step, RuleSet):
            title, columns, table = "definitions.sets", ["label", "rule"], step.table()
            rows = [
                [words.value(label), words.rule(rule, step.parameters_) or words("rest")]
                for label, rule in zip(table["label"], table["rule"], strict=True)
            ]
        elif hasattr(step, "edges_table"):
            title, columns, table = (
                "definitions.scores",
                ["field", "below_edge", "edge", "above_edge"],
                step.edges_table(),
            )
            rows = [
                [
                    words.column(str(line["column"])),
                    words.value(line["score_below"]),
                    ("≤ " if line["closed"] == "right" else "< ") + words.number(float(line["edge"])),
                    words.value(line["score_above"]),
                ]
                for line in table.to_dict("records")
            ]
        if table is not None and rows:
            blocks.append(
                {
                    "kind": "table",
                    "folded": True,
                    "title": words(title, step=words.step(name)),
                    "columns": [words(key) for key in columns],
                    "code": [1] if title == "definitions.sets" else [],
                    "rows": rows,
                }
            )
    fields, comma = view.result.fields(), {"zh": "、", "en": ", "}[words.lang]
    columns = ["meaning", "column", "field.source", "field.purpose", "field.why"]
    blocks.append(
        {
            "kind": "table",
            "folded": True,
            "title": words("fields"),
            "columns": [words(key) for key in columns],
            "code": [1],
            "rows": [
                [
                    words.column(str(row["field"])),
                    words.text(row["field"]),
                    words(f"source.{row['source']}") if row["source"] in _SOURCES else words.step(row["source"]),
                    comma.join(words.step(step) for step in str(row["purpose"]).split(", ")),
                    words.text(row["why"]),
                ]
                for row in fields.to_dict("records")
            ],
        }
    )
    return blocks


def left_out(view: View) -> list[dict[str, Any]]:
    """Everything that is not in the file, and why. Built last: the other sections count."""
    words = view.words
    said = [words("privacy.network"), words("privacy.real_ids" if view.real_ids else "privacy.ids")]
    if view.least > 1:
        said.append(words("privacy.small", k=view.least, cells=words.number(view.hidden_cells)))
    else:
        said.append(words("privacy.small_off"))
    said += [
        words("privacy.said", sentence=words.sentence(row["sentence"]), count=words.number(row["count"]))
        for row in view.result.left_out().to_dict("records")
        if row["what"] != "small_cells"
    ]
    if view.folded:
        said.append(words("privacy.more_values", count=MOST_VALUES))
    columns = not_shown(view)
    if columns:
        said.append(words("privacy.columns", columns={"zh": "、", "en": ", "}[words.lang].join(columns)))
    if view.absent:
        said.append(words("privacy.absent", sections={"zh": "、", "en": ", "}[words.lang].join(view.absent)))
    if words.cut:
        said.append(words("privacy.cut", count=words.number(words.cut), limit=_words.LONGEST))
    if words.cleaned:
        said.append(words("privacy.cleaned", count=words.number(words.cleaned)))
    return [{"kind": "notes", "items": said}]
