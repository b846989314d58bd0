"""The first page: headline numbers, the five questions, goals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xifen import _columns as c
from xifen.report._basis import basis, revenue_note
from xifen.report._view import View

__all__ = ["goals", "questions", "summary"]


def summary(view: View) -> list[dict[str, Any]]:
    """Numbers of everyone, and of each segment for when it is chosen."""
    words = view.words
    numbers = [_number(view, words("customers"), view.sizes.astype(float), words.number)]
    if view.revenue is not None:
        total = np.bincount(view.codes, view.revenue, minlength=len(view.labels))
        share = total / total.sum() if total.sum() else np.full(len(total), np.nan)
        means = view.per_segment(view.revenue)
        numbers += [
            _number(view, words("revenue"), total, words.short, note=revenue_note(view.result, words)),
            _number(view, words("revenue_share"), share, words.share, everyone=1.0 if total.sum() else np.nan),
            _number(view, words("mean_revenue"), means[:-1], words.short, everyone=means[-1]),
        ]
    for name, title, test in (
        (c.ORDER_COUNT, "repeat", lambda count: count >= 2),
        ("order_count_90D", "active", lambda count: count > 0),
    ):
        if name in view.frame:
            means = view.per_segment(_share(view.numbers(name), test))
            numbers.append(_number(view, words(title), means[:-1], words.share, everyone=means[-1]))
    name = "order_count_12M" if "order_count_12M" in view.frame else c.ORDERS_PER_YEAR
    for column in (name, c.MEAN_ORDER_VALUE, c.RECENCY_DAYS):
        if column in view.frame:
            means = view.per_segment(view.numbers(column))
            title = words("mean_of", measure=words.column(column))
            numbers.append(_number(view, title, means[:-1], words.short, everyone=means[-1]))
    facts = basis(view.result, view.frame, words)
    return [{"kind": "numbers", "items": numbers}, *([{"kind": "facts", "items": facts}] if facts else [])]


def _share(values: np.ndarray, test: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return np.where(np.isfinite(values), test(values), np.nan)


def _number(
    view: View,
    title: str,
    values: np.ndarray,
    write: Callable[[float], str],
    *,
    everyone: float | None = None,
    note: str = "",
) -> dict[str, Any]:
    """Give one number written out, of everyone first; of segments too small to show nothing."""
    whole = float(values.sum()) if everyone is None else everyone
    shown = [
        view.words("hidden", k=view.least) if hidden else write(float(value))
        for value, hidden in zip(values, view.hidden_segments, strict=True)
    ]
    return {"title": title, "values": [write(whole), *shown], "note": note}


def questions(view: View) -> list[dict[str, Any]]:
    """Each of the five questions with the first customers that answer it, and why."""
    items = []
    for question in view.questions:
        places = view.listed(question["rows"])
        answers = [[place, reason] for place, reason in zip(places, question["reasons"], strict=False) if place >= 0]
        nobody = "" if answers else question["reason"] or view.words("no_data")
        items.append({"title": question["title"], "reason": nobody, "answers": answers})
    return [{"kind": "questions", "items": items}] if items else []


def goals(view: View) -> list[dict[str, Any]]:
    """Attained against wanted."""
    words, table = view.words, view.result.goals()
    if table is None or not len(table):
        return []
    names = [words.text(name, limit=80) for name in table["goal"]]
    share = [float(value) for value in table["share"].astype(float).fillna(0)]
    marks = {True: words("held.yes"), False: words("held.no")}
    unknown = table["unknown"].astype(int) if "unknown" in table else np.zeros(len(table), int)
    return [
        {
            "kind": "chart",
            "chart": "goals",
            "alt": words("goals.alt"),
            "by": "none",
            "rows": {"label": names, "o": list(range(len(names))), "value": share},
            "options": {"value": words("attainment")},
        },
        {
            "kind": "table",
            "columns": [
                words(key) for key in ("goal", "rule", "target", "attained", "attainment", "held", "undecided")
            ],
            "numeric": [2, 3, 4, 6],
            "code": [1],
            "rows": [
                [
                    name,
                    words.rule(rule),
                    words.number(target),
                    words.number(attained),
                    words.share(part),
                    marks[bool(held)],
                    words.number(undecided),
                ]
                for name, rule, target, attained, part, held, undecided in zip(
                    names,
                    table["rule"] if "rule" in table else [""] * len(names),
                    table["target"].astype(float),
                    table["attained"].astype(float),
                    share,
                    table["held"].fillna(value=False),
                    unknown.tolist(),
                    strict=True,
                )
            ],
        },
    ]
