"""The two outlines that practice writes reports by: links and figures where data has something to say, else slots.

A slot is marked and empty: what only a person can know is never invented.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xifen import _columns as c
from xifen.report._segments import strategies
from xifen.report._view import View

__all__ = ["analysis", "segment_report"]


def analysis(view: View) -> list[dict[str, Any]]:
    """The customer analysis report: eight sections."""
    return [
        _outline(
            view,
            ("introduction", _introduction(view), ["summary"], ["purpose"]),
            ("basic", [], ["basic"], ["market"]),
            ("segments", [], ["segments", "cards"], []),
            ("needs", _expectations(view), ["needs"], ["pains", "decision"]),
            ("loyalty", _loyalty(view), ["rfm", "scores"], ["recommend"]),
            ("competitors", [], [], ["rivals"]),
            ("swot", [], [], ["strengths", "weaknesses", "opportunities", "threats"]),
            ("summary", _summary(view), ["questions", "ranking"], ["advice"]),
        )
    ]


def segment_report(view: View) -> list[dict[str, Any]]:
    """The segment report: from introduction to sources."""
    return [
        _outline(
            view,
            ("introduction", _introduction(view), [], ["purpose"]),
            ("company", [], [], ["company"]),
            ("method", [], ["definitions", "coverage"], []),
            ("cards", [], ["cards"], ["competitors"]),
            ("comparison", [], ["comparison"], []),
            ("ranking", [], ["ranking"], ["positioning"]),
            ("conclusion", [], [], ["advice"]),
            ("sources", [], ["ledger", "left_out"], ["sources"]),
        )
    ]


def _outline(view: View, *entries: tuple[str, list[list[str]], list[str], list[str]]) -> dict[str, Any]:
    words = view.words
    return {
        "kind": "outline",
        "items": [
            {
                "title": words(f"outline.{key}"),
                "facts": facts,
                "links": links,
                "slots": [words(f"slot.{slot}") for slot in slots],
            }
            for key, facts, links, slots in entries
        ],
    }


def _introduction(view: View) -> list[list[str]]:
    words = view.words
    return [
        [words("customers"), words.number(len(view))],
        [words("column.as_of"), f"{view.result.as_of:%Y-%m-%d}"],
    ]


def _loyalty(view: View) -> list[list[str]]:
    """Repurchase and complaints, as far as there are data."""
    words, facts = view.words, []
    if c.ORDER_COUNT in view.frame:
        again = view.numbers(c.ORDER_COUNT) >= 2
        facts.append([words("repeat"), words.share(float(again.mean()))])
    for name in (c.TENURE_DAYS, "complaint_rate", c.MEAN_GAP_DAYS):
        if name in view.measures:
            mean = float(np.nanmean(view.numbers(name)))
            facts.append(
                [
                    words("mean_of", measure=words.column(name)),
                    words.share(mean) if name == "complaint_rate" else words.number(mean),
                ]
            )
    return facts


def _expectations(view: View) -> list[list[str]]:
    """Two expectations of practice, tested on the mean of each frequency band: held, not held, no data."""
    words = view.words
    return [
        [words("expect.price"), words(_falls(view, c.DISCOUNT_SHARE, sign=-1))],
        [words("expect.new"), words(_falls(view, "new_product_need", sign=1))],
    ]


def _falls(view: View, measure: str, *, sign: int) -> str:
    if c.FREQUENCY_SCORE not in view.frame or measure not in view.frame:
        return "no_data"
    bands, values = view.numbers(c.FREQUENCY_SCORE), view.numbers(measure)
    known = np.isfinite(bands) & np.isfinite(values)
    if not known.any():
        return "no_data"
    _, codes = np.unique(bands[known], return_inverse=True)
    counts = np.bincount(codes)
    means = (np.bincount(codes, values[known]) / counts)[counts >= max(view.least, 2)]
    if len(means) < 2:
        return "no_data"
    return "expect.held" if (np.diff(means) * sign >= 0).all() else "expect.not_held"


def _summary(view: View) -> list[list[str]]:
    """What the playbook says of each segment, in a line."""
    return [
        [label, said["direction"]]
        for label, said, hidden in zip(view.labels, strategies(view), view.hidden_segments, strict=True)
        if "direction" in said and not hidden
    ]
