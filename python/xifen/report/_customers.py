"""The customer table, and what the one-page card of a customer is made of."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from xifen import _columns as c
from xifen.report._view import BASIC, MEASURES, NEEDS, View
from xifen.rules import RuleSet

__all__ = ["customers", "not_shown"]

_WINDOW = re.compile(r"(order_count|monetary)(_prev)?_\d+[DM]")
_HISTORY = re.compile(r"(first|last)_purchase|(order_count|monetary)_((3|6|12)M|365D)")
_FACTS = (*BASIC, *NEEDS, "founded", "employees", "contact_role", "contact_influence", "service_feedback")
_ACTIONS = ("owner", "next_contact", "contact_channel")
#: Columns of a name that a person may have are never written.
_NEVER = (c.CUSTOMER_ID, c.NAME, c.CONTACT, c.NOTES)


def customers(view: View) -> list[dict[str, Any]]:
    """The listed customers, a column at a time, with the rules that explain them."""
    if not len(view.sample):
        return []
    words, rows = view.words, view.sample
    frame = view.frame.iloc[rows]
    shown = _shown(view)
    rules = _rules(view)
    inputs = {name for steps in rules for rule in steps["rules"] for name in rule["inputs"]}
    orders = c.ORDER_COUNT_12M if c.ORDER_COUNT_12M in view.frame else c.ORDER_COUNT
    table = [name for name in (c.MONETARY, orders, c.RECENCY_DAYS) if name in view.frame]
    added = [
        name
        for name in (c.RFM_CELL, view.result.matrix and view.result.matrix[2], view.result.clusters, *_ACTIONS[:2])
        if name
    ]
    table += [name for name in added if name in view.frame and name not in table]
    names = [*table, *(name for name in shown if name not in table)]
    unflagged = [name for name in names if name not in view.result.tags or name in inputs]
    tags = list(view.tag_flags)
    flags = np.column_stack([view.tag_flags[name][rows] for name in tags]) if tags else np.empty((len(rows), 0), bool)
    unknown = [name for name in tags if name in frame]
    missing = frame[unknown].isna().to_numpy() if unknown else np.empty((len(rows), 0), bool)
    return [
        {
            "kind": "customers",
            "ids": _ids(view, rows),
            "segments": view.codes[rows].tolist(),
            "columns": [_column(view, frame, name) for name in unflagged],
            "table": [unflagged.index(name) for name in table],
            "facts": [unflagged.index(name) for name in unflagged if name in _FACTS],
            "history": [place for place, name in enumerate(unflagged) if _HISTORY.fullmatch(name) or name in MEASURES],
            "actions": [unflagged.index(name) for name in _ACTIONS if name in unflagged],
            "tags": [words.text(name, limit=60) for name in tags],
            "has": [np.flatnonzero(line).tolist() for line in flags],
            "unknown": [[tags.index(unknown[place]) for place in np.flatnonzero(line)] for line in missing],
            "opted_out": view.flags(c.OPT_OUT)[rows].astype(int).tolist() if c.OPT_OUT in view.frame else [],
            "rules": rules,
            "names": {name: unflagged.index(name) for name in sorted(inputs) if name in unflagged},
            "notes": _notes(view),
        }
    ]


def _notes(view: View) -> list[str]:
    words, count = view.words, view.words.number(len(view))
    outside = int(view.sizes[view.hidden_segments].sum())
    if len(view.sample) == len(view):
        notes = [words("customers.everyone", count=count)]
    else:
        notes = [words("customers.note", shown=words.number(len(view.sample)), count=count)]
    if outside:
        notes.append(words("customers.suppressed", count=words("hidden", k=2 * view.least)))
    return [*notes, words("customers.how"), words("customers.real" if view.real_ids else "customers.pseudonym")]


def _ids(view: View, rows: np.ndarray) -> list[str]:
    if view.real_ids:
        return [view.words.text(value, limit=80) for value in view.frame[c.CUSTOMER_ID].iloc[rows].tolist()]
    wide = max(4, len(str(len(rows))))
    return [f"C{place:0{wide}d}" for place in range(1, len(rows) + 1)]


def _shown(view: View) -> list[str]:
    """Give the columns a card may show: fields of few values, measures, and what the model added or reads."""
    model = [name for names in view.added.values() for name in names]
    read = [name for step in view.model.values() for name in getattr(step, "feature_names_in_", ())]
    inputs = [name for step in view.model.values() for name in getattr(step, "columns_", ())]
    model = [name for name in model if not name.endswith("_points")]
    known = {*_FACTS, *_ACTIONS, *MEASURES, *model, *inputs, *(name for name in read if _WINDOW.fullmatch(str(name)))}
    return [
        name
        for name in view.frame
        if (name in known or _HISTORY.fullmatch(str(name))) and name not in _NEVER and name != view.result.segment
    ]


def not_shown(view: View) -> list[str]:
    """Give the columns of the frame that no part of the file has."""
    shown = {*_shown(view), view.result.segment, view.result.clusters, *view.result.tags, *view.measures}
    shown |= {c.CUSTOMER_ID} if view.real_ids else set()
    return [view.words.column(name) for name in view.frame if name not in shown]


def _column(view: View, frame: pd.DataFrame, name: str) -> dict[str, Any]:
    """Give one column for the page: numbers, dates, or texts as codes."""
    column, title = frame[name], view.words.column(name)
    if name == "next_contact":
        labels, codes = _due(view, column)
        return {"title": title, "type": "text", "labels": labels, "values": codes}
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        days = column.dt.strftime("%Y-%m-%d")
        return {"title": title, "type": "date", "values": [day if isinstance(day, str) else None for day in days]}
    if pd.api.types.is_bool_dtype(column.dtype) or not pd.api.types.is_numeric_dtype(column.dtype):
        codes, values = pd.factorize(column.astype(object))
        return {
            "title": title,
            "type": "text",
            "labels": [view.words.value(value) for value in values],
            "values": codes.tolist(),
        }
    values = np.round(column.to_numpy(np.float64, na_value=np.nan), 3)
    known = np.isfinite(values)
    whole = [int(value) if value.is_integer() else value for value in values[known].tolist()]
    filled = np.full(len(values), None, dtype=object)
    filled[known] = whole
    return {"title": title, "type": "number", "values": filled.tolist()}


def _due(view: View, days: pd.Series) -> tuple[list[str], list[int]]:
    """Write the days of the next contacts, with a word beside those that have come or are past, and the place of each."""
    codes, found = pd.factorize(days, sort=True)
    written = {-1: "contact.overdue", 0: "contact.due"}
    today = pd.Timestamp(view.result.as_of)
    labels = []
    for day in found:
        key = written.get((day > today) - (day < today))
        labels.append(view.words(key, day=f"{day:%Y-%m-%d}") if key else f"{day:%Y-%m-%d}")
    return labels, codes.tolist()


def _rules(view: View) -> list[dict[str, Any]]:
    """Give the rule sets of the model: which column each decides, and its rules with the columns they ask."""
    made = []
    for name, step in view.model.items():
        if not isinstance(step, RuleSet):
            continue
        table = step.table()
        lines = []
        for label, rule in zip(table["label"], table["rule"], strict=True):
            asked = [column for column in step.columns_ if re.search(rf"(?<!\w){re.escape(column)}(?!\w)", str(rule))]
            lines.append(
                {"label": view.words.text(label), "rule": view.words.rule(rule, step.parameters_), "inputs": asked}
            )
        made.append(
            {
                "step": view.words.step(name),
                "decides": view.result.segment in view.added[name],
                "tags": any(column in view.result.tags for column in view.added[name]),
                "rules": lines,
            }
        )
    return made
