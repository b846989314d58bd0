"""Segments: size, revenue and strategy; a card each; how they compare; in which order to serve them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from xifen.report._view import NEEDS, View

__all__ = ["cards", "comparison", "growth", "owners", "ranking", "segments", "strategies"]

#: What a playbook says of a type; the second name is that of the presets.
_ADVICE = (
    ("direction", "direction"),
    ("actions", "actions"),
    ("investment_level", "investment"),
    ("service_level", "service_level"),
    ("channel", "channel"),
    ("contact_days", "contact_interval"),
)


def strategies(view: View) -> list[dict[str, str]]:
    """Give, for each segment, what the playbook says of it (empty where it says nothing)."""
    book = view.result.playbook
    if book is None or not len(book):
        return [{} for _ in view.labels]
    rows: dict[str, dict[str, Any]] = {}
    for row in book.to_dict("records"):
        key = str(row.get("playbook_key", row.get("key", "")))
        for name in (key, key.rpartition(".")[2], str(row.get("label", ""))):
            rows.setdefault(name, row)
    found = []
    for label in view.labels:
        row = rows.get(label, {})
        said = {}
        for field, other in _ADVICE:
            value = next((row[name] for name in (field, f"{field}_{view.words.lang}", other) if name in row), None)
            if value is not None and value == value and str(value):  # noqa: PLR0124 - NaN is not itself
                said[field] = view.words.text(value, limit=500) if isinstance(value, str) else view.words.value(value)
        found.append(said)
    return found


def growth(view: View) -> np.ndarray | None:
    """Give, for each segment, its orders of the last three months over those of the three before."""
    names = ("order_count_3M", "order_count_prev_3M")
    if not all(name in view.frame for name in names):
        return None
    now, before = (np.bincount(view.codes, np.nan_to_num(view.numbers(name)), len(view.labels)) for name in names)
    ratio = np.divide(now, before, out=np.full(len(now), np.nan), where=before > 0)
    return np.where(view.hidden_segments, np.nan, ratio)


def _revenue_shares(view: View) -> tuple[np.ndarray, np.ndarray]:
    """Give each segment's revenue and its share; NaN where there is none or it may not be shown."""
    if view.revenue is None:
        nothing = np.full(len(view.labels), np.nan)
        return nothing, nothing
    total = np.bincount(view.codes, view.revenue, minlength=len(view.labels))
    share = total / total.sum() if total.sum() else np.full(len(total), np.nan)
    return np.where(view.hidden_segments, np.nan, total), np.where(view.hidden_segments, np.nan, share)


def _sizes(view: View) -> list[str]:
    hidden = view.words("hidden", k=view.least)
    return [
        hidden if small else view.words.number(size)
        for size, small in zip(view.sizes.astype(float), view.hidden_segments, strict=True)
    ]


def _size_shares(view: View) -> np.ndarray:
    shares = view.sizes / max(1, len(view))
    return np.where(view.hidden_segments, np.nan, shares)


def segments(view: View) -> list[dict[str, Any]]:
    """Shares of customers and of revenue, and the table with strategies."""
    words = view.words
    revenue, revenue_share = _revenue_shares(view)
    share = _size_shares(view)
    sold = view.revenue is not None
    series = [(words("share"), share), (words("revenue_share"), revenue_share)][: 1 + sold]
    lines = [
        (label, place, name, float(value))
        for place, label in enumerate(view.labels)
        for name, values in series
        if np.isfinite(value := values[place])
    ]
    advice = strategies(view)
    columns = ["customers", "share", *(["revenue", "revenue_share"] if sold else [])]
    said = [
        field
        for field in ("direction", "actions", "investment_level", "channel")
        if any(field in one for one in advice)
    ]
    return [
        {
            "kind": "chart",
            "chart": "pairs",
            "title": words("segments.chart" if sold else "share"),
            "alt": words("segments.chart.alt"),
            "by": "mark",
            "rows": {
                "label": [line[0] for line in lines],
                "o": [line[1] for line in lines],
                "s": [line[1] for line in lines],
                "series": [line[2] for line in lines],
                "value": [line[3] for line in lines],
            },
            "options": {"series": [name for name, _ in series]},
        },
        {
            "kind": "table",
            "title": words("segments.table"),
            "columns": [words("segment"), *(words(key) for key in [*columns, *said])],
            "numeric": list(range(1, 1 + len(columns))),
            "segments": list(range(len(view.labels))),
            "rows": [
                [
                    label,
                    size,
                    words.share(part),
                    *([words.short(total), words.share(earned)] if sold else []),
                    *(one.get(field, "") for field in said),
                ]
                for label, size, part, total, earned, one in zip(
                    view.labels, _sizes(view), share, revenue, revenue_share, advice, strict=True
                )
            ],
        },
    ]


def cards(view: View) -> list[dict[str, Any]]:
    """One card per segment: features and size, needs, growth, share, strategy, and a slot for its competitors."""
    words = view.words
    revenue, revenue_share = _revenue_shares(view)
    share, sizes, grew, advice = _size_shares(view), _sizes(view), growth(view), strategies(view)
    means = {name: view.per_segment(view.numbers(name)) for name in view.measures[:8]}
    needs = {name: _most(view, name) for name in NEEDS[:3] if name in view.frame}
    items = []
    for place in np.flatnonzero(~view.hidden_segments).tolist():
        size = words("of_customers", label=sizes[place], share=words.share(share[place]))
        earned = words("of_customers", label=words.short(revenue[place]), share=words.share(revenue_share[place]))
        trend = words("no_data") if grew is None or not np.isfinite(grew[place]) else f"{grew[place]:.2f}"
        facts = [
            [words("customers"), size],
            *([[words("revenue"), earned]] if view.revenue is not None else []),
            [words("growth"), trend],
        ]
        measures = [[words.column(name), words.short(float(mean[place]))] for name, mean in means.items()]
        groups = [
            {"title": "", "items": facts},
            {"title": words("means"), "items": measures},
            {"title": words("main_need"), "items": [[words.column(name), most[place]] for name, most in needs.items()]},
            {"title": words("strategy"), "items": [[words(field), text] for field, text in advice[place].items()]},
        ]
        items.append({"segment": place, "groups": groups, "slots": [words("slot.competitors")]})
    return [{"kind": "cards", "items": items}] if items else []


def _most(view: View, name: str) -> list[str]:
    """Give the most frequent value of a field in each segment, with its share."""
    codes, labels = view.coded(name)
    tally = view.tally([(codes, len(labels))])
    counts = np.zeros((len(view.labels) + 1, len(labels)))
    counts[tally.segment + 1, tally.places[0]] = tally.n
    counts = counts[1:]
    best = counts.argmax(axis=1) if len(labels) else np.zeros(len(view.labels), int)
    return [
        view.words("of_customers", label=labels[place], share=view.words.share(line[place] / line.sum()))
        if line.sum()
        else view.words("no_data")
        for place, line in zip(best, counts, strict=True)
    ]


def comparison(view: View) -> list[dict[str, Any]]:
    """Means over everyone's mean, and what stands out."""
    words = view.words
    index = {}
    for name in view.measures:
        means = view.per_segment(view.numbers(name))
        if np.isfinite(means[-1]) and means[-1] > 0 and np.isfinite(means[:-1]).sum() > 1:
            index[name] = means[:-1] / means[-1]
    if not index:
        return []
    cells = [
        (label, place, words.column(name), at, float(values[place]))
        for at, (name, values) in enumerate(index.items())
        for place, label in enumerate(view.labels)
        if np.isfinite(values[place])
    ]
    return [
        {"kind": "facts", "items": _stands_out(view, pd.DataFrame(index))},
        {
            "kind": "chart",
            "chart": "profile",
            "alt": words("compare.alt"),
            "note": words("compare.note"),
            "by": "mark",
            "rows": {
                "label": [cell[0] for cell in cells],
                "o": [cell[1] for cell in cells],
                "s": [cell[1] for cell in cells],
                "measure": [cell[2] for cell in cells],
                "mo": [cell[3] for cell in cells],
                "value": [cell[4] for cell in cells],
            },
            "options": {"centre": 1, "reach": 2},
        },
    ]


def _stands_out(view: View, index: pd.DataFrame) -> list[list[str]]:
    """Common, different, emerging, at risk: read off the numbers."""
    words, spread = view.words, index.max() - index.min()
    widest, nearest = str(spread.idxmax()), str(spread.idxmin())
    column = index[widest]
    facts = [
        [
            words("compare.common"),
            words(
                "compare.within",
                measure=words.column(nearest),
                low=f"{index[nearest].min():.2f}",
                high=f"{index[nearest].max():.2f}",
            ),
        ],
        [
            words("compare.different"),
            words(
                "compare.times",
                measure=words.column(widest),
                most=view.labels[int(column.idxmax())],
                high=f"{column.max():.2f}",
                least=view.labels[int(column.idxmin())],
                low=f"{column.min():.2f}",
            ),
        ],
    ]
    grew = growth(view)
    if grew is None or not np.isfinite(grew).any():
        facts.append([words("compare.emerging"), words("no_data")])
    else:
        best = int(np.nanargmax(grew))
        text = words("compare.grew", segment=view.labels[best], ratio=f"{grew[best]:.2f}")
        facts.append([words("compare.emerging"), text if grew[best] > 1 else words("compare.none_grew")])
    if "order_count_90D" in view.frame:
        quiet = view.per_segment(np.where(view.numbers("order_count_90D") > 0, 0.0, 1.0))[:-1]
        worst = int(np.nanargmax(quiet))
        text = words("compare.quiet", segment=view.labels[worst], share=words.share(quiet[worst]))
        facts.append([words("compare.at_risk"), text])
    else:
        facts.append([words("compare.at_risk"), words("no_data")])
    return facts


def ranking(view: View) -> list[dict[str, Any]]:
    """Segments in order of revenue, with what the playbook advises."""
    words = view.words
    _, share = _revenue_shares(view)
    advice = strategies(view)
    if not np.isfinite(share).any():
        return []
    order = [int(place) for place in np.argsort(-np.nan_to_num(share), kind="stable") if np.isfinite(share[place])]
    said = [field for field, _ in _ADVICE if any(field in advice[place] for place in order)]
    return [
        {
            "kind": "table",
            "note": words("rank.note"),
            "columns": [words("rank"), words("segment"), words("revenue_share"), *(words(field) for field in said)],
            "numeric": [0, 2],
            "segments": order,
            "label": 1,
            "rows": [
                [
                    str(rank),
                    view.labels[place],
                    words.share(share[place]),
                    *(advice[place].get(field, "") for field in said),
                ]
                for rank, place in enumerate(order, start=1)
            ],
        }
    ]


def owners(view: View) -> list[dict[str, Any]]:
    """Who looks after whom, against capacity; whose next contact is due."""
    words, table = view.words, view.result.owners()
    if table is None or not len(table):
        return []
    rows = [
        [words("unassigned"), "–", "–", "–", words.number(float(row["assigned"]))]
        if pd.isna(row["role"])
        else [
            words.text(row["role"]),
            words("any") if pd.isna(row["type"]) else _types(view, str(row["type"])),
            words("any") if pd.isna(row["industry"]) else words.value(row["industry"]),
            words("unlimited") if pd.isna(row["capacity"]) else words.number(float(row["capacity"])),
            words.number(float(row["assigned"])),
        ]
        for row in table.to_dict("records")
    ]
    columns = [words(key) for key in ("owner", "type", "industry", "capacity", "assigned")]
    blocks: list[dict[str, Any]] = [{"kind": "table", "columns": columns, "numeric": [3, 4], "rows": rows}]
    due = view.result.counts.get("contacts_due")
    if due is not None:
        late = view.result.counts.get("contacts_overdue", 0)
        facts = [
            [words("contacts_due"), words.number(float(due))],
            [words("contacts_overdue"), words.number(float(late))],
        ]
        blocks.append({"kind": "facts", "items": facts})
    return blocks


def _types(view: View, written: str) -> str:
    """Give types, written by their keys, in words."""
    book = view.result.playbook
    labels = (
        {}
        if book is None
        else {str(key).rpartition(".")[2]: label for key, label in zip(book["key"], book["label"], strict=True)}
    )
    parts = [labels.get(part, part) for part in written.split(", ")]
    return view.words.text({"zh": "、", "en": ", "}[view.words.lang].join(map(str, parts)))
