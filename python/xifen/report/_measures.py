"""Charts of the measures: RFM, scores with their edges, matrix, tags, clusters, concentration, fields."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import pandas as pd

from xifen import _columns as c
from xifen.matrix import SegmentMatrix
from xifen.report._view import BASIC, NEEDS, Tally, View

__all__ = ["basic", "clusters", "concentration", "matrix", "needs", "ranges", "rfm", "scores", "tags"]

#: Tags shown in the overlap, the most frequent ones.
_MOST_TAGS: Final = 14
#: Bars of a score that has no edges.
_BARS: Final = 10


def _chart(kind: str, alt: str, rows: dict[str, Any], *, by: str = "choice", **more: Any) -> dict[str, Any]:
    return {"kind": "chart", "chart": kind, "alt": alt, "by": by, "rows": rows, **more}


def _note(view: View, tally: Tally, text: str = "") -> str:
    """Give a chart's note, with how many customers are not in it."""
    said = [text] if text else []
    for word, many in (("left_out", tally.hidden), ("without", tally.without)):
        if many:
            few = many < view.least
            said.append(view.words(word, count=view.words("hidden", k=view.least) if few else view.words.number(many)))
    if tally.fewer:
        said.append(view.words("left_out_segments"))
    return ("" if view.words.lang == "zh" else " ").join(said)


def _listed(tally: Tally, **columns: Any) -> dict[str, list[Any]]:
    """Give the rows of a chart: segment, count, and what else there is per cell."""
    rows = {"s": tally.segment.tolist(), "n": tally.n.tolist()}
    return rows | {name: values if isinstance(values, list) else values.tolist() for name, values in columns.items()}


def rfm(view: View) -> list[dict[str, Any]]:
    """Customers, and revenue per customer, by recency and frequency score."""
    names = (c.RECENCY_SCORE, c.FREQUENCY_SCORE)
    if not all(name in view.frame for name in names):
        return []
    words = view.words
    scores = [np.nan_to_num(view.numbers(name), nan=0).astype(np.int64) for name in names]
    most = [max(5, int(values.max())) for values in scores]
    codes = [(values - 1, size) for values, size in zip(scores, most, strict=True)]
    tally = view.tally(codes, [] if view.revenue is None else [view.revenue])
    rows = _listed(tally, r=tally.places[0] + 1, f=tally.places[1] + 1)
    options = {"x": words.column(names[0]), "y": words.column(names[1])}
    values = {"customers": tally.n} | ({"mean_revenue": tally.sums[0] / tally.summed} if tally.sums else {})
    return [
        _chart(
            "heat",
            words("heat.alt", value=words(key)),
            {**rows, "value": value.round(2).tolist()},
            title=words(key),
            options={**options, "value": words(key)},
            note=_note(view, tally),
        )
        for key, value in values.items()
    ]


def ranges(view: View, table: pd.DataFrame, *, whole: bool) -> dict[Any, str]:
    """Give, for each score of one measure, the values that get it, from the measure's edges."""
    words = view.words
    edges, closed = table["edge"].tolist(), table["closed"].tolist()
    scale = [*table["score_below"].tolist(), table["score_above"].tolist()[-1]]
    said = {}
    for place, score in enumerate(scale):
        low: float | None = edges[place - 1] if place else None
        high: float | None = edges[place] if place < len(edges) else None
        # An edge that is closed on the right belongs to the values below it.
        above = low is not None and closed[place - 1] == "right"
        to = high is not None and closed[place] == "right"
        if whole:  # the whole numbers that lie inside
            low = None if low is None else math.floor(low) + 1 if above else math.ceil(low)
            high = None if high is None else math.floor(high) if to else math.ceil(high) - 1
            above, to = False, True
        if low is not None and high is not None:
            both = words("between", low=words.number(low), high=words.number(high))
            text = words.number(low) if whole and low == high else both
        elif high is not None:
            text = words("to" if to else "below", high=words.number(high))
        else:
            text = "" if low is None else words("above" if above else "from", low=words.number(low))
        said[score] = text
    return said


def _edges_of(view: View) -> dict[str, tuple[str, pd.DataFrame]]:
    """Find, for each column of scores, the measure it comes from and that measure's edges."""
    found = {}
    for name, step in view.model.items():
        if not hasattr(step, "edges_table") or isinstance(step, SegmentMatrix):
            continue
        table, added = step.edges_table(), view.added[name]
        for place, measure in enumerate(step.bin_edges_):
            # Scores are added in the order of their measures; bands have a column of their own, or the measure's.
            band = f"{measure}_band" if f"{measure}_band" in view.frame else measure
            column = added[place] if place < len(added) else band
            rows = table[table["column"] == measure]
            if len(rows):
                found[column] = (measure, rows)
    return found


def scores(view: View) -> list[dict[str, Any]]:
    """How many customers have each score, with the values that get it."""
    words, edges, made = view.words, _edges_of(view), []
    for name in dict.fromkeys([*view.result.scores, *edges]):
        if name not in view.frame or not view.frame[name].notna().any():
            continue
        if name in edges:
            measure, table = edges[name]
            codes, labels = _scored(view, name, measure, table)
        elif pd.api.types.is_numeric_dtype(view.frame[name]):
            codes, labels = _spread(view, view.numbers(name))
        else:
            codes, labels = view.coded(name)
        tally = view.tally([(codes, len(labels))])
        title = words.column(name)
        rows = _listed(tally, o=tally.places[0], label=[labels[place] for place in tally.places[0]])
        made.append(
            _chart(
                "bars",
                words("scores.alt", score=title),
                rows,
                title=title,
                note=_note(view, tally),
                options={"value": words("customers")},
            )
        )
    return [{"kind": "lead", "text": words("scores.note")}, *made] if made else []


def _scored(view: View, name: str, measure: str, table: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Give codes and labels of a column of scores or bands, the best first."""
    whole = measure in view.frame and measure != name and _is_whole(view.numbers(measure))
    said = ranges(view, table, whole=whole)
    scale = list(said)
    column = view.frame[name]
    if isinstance(scale[0], str):
        codes = pd.Categorical(column.astype(object), categories=scale).codes.astype(np.int64)
        return codes, [f"{view.words.text(score)} · {said[score]}" for score in scale]
    best = sorted(scale, reverse=True)
    values = view.numbers(name)
    codes = np.full(len(view), -1)
    for place, score in enumerate(best):
        codes[values == score] = place
    return codes, [f"{view.words.number(float(score))} · {said[score]}" for score in best]


def _is_whole(values: np.ndarray) -> bool:
    known = values[np.isfinite(values)]
    return bool((known == np.round(known)).all())


def _spread(view: View, values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Cut a score that has no edges into bars of equal width, the best first."""
    known = values[np.isfinite(values)]
    low, high = float(known.min()), float(known.max())
    few = np.unique(known) if _is_whole(known) and high - low < _BARS else None
    if few is not None:
        codes = np.full(len(values), -1)
        for place, value in enumerate(few[::-1]):
            codes[values == value] = place
        return codes, [view.words.number(float(value)) for value in few[::-1]]
    if low >= 0 and 50 < high <= 100:
        low, high = 0.0, 100.0
    width = (high - low) / _BARS or 1.0
    place = np.clip(np.floor((np.nan_to_num(values, nan=low) - low) / width), 0, _BARS - 1).astype(np.int64)
    codes = np.where(np.isfinite(values), _BARS - 1 - place, -1)
    ends = [low + width * step for step in range(_BARS + 1)]
    labels = [
        view.words("between", low=view.words.number(ends[at]), high=view.words.number(ends[at + 1]))
        for at in reversed(range(_BARS))
    ]
    return codes, labels


def matrix(view: View) -> list[dict[str, Any]]:
    """The quadrant of value and potential, a cell each with name, customers and share of revenue."""
    if view.result.matrix is None:
        return []
    words = view.words
    *axes, cells = view.result.matrix
    step = next((one for one in view.model.values() if isinstance(one, SegmentMatrix)), None)
    if step is None or cells not in view.frame:
        return []
    table = step.table()
    sizes = [len(step.bin_edges_[axis]) + 1 for axis in (step.rows, step.columns)]
    names = {
        str(row[field]): place
        for place, row in enumerate(table.to_dict("records"))
        for field in ("code", "key", "zh", "en")
        if row.get(field)
    }
    column = view.frame[cells].astype("category")
    known = [names.get(str(value), -1) for value in column.cat.categories]
    codes = np.asarray([*known, -1])[column.cat.codes.to_numpy()]
    tally = view.tally([(codes, len(table))], [] if view.revenue is None else [view.revenue])
    said = table[view.words.lang if view.words.lang in table else "key"].tolist()
    # The first cell is the best: the highest row and column.
    across = sizes[1]
    rows, columns = tally.places[0] // across, tally.places[0] % across
    total = float(view.revenue.sum()) if view.revenue is not None else 0.0
    earned = tally.sums[0] / total if tally.sums and total else np.zeros(len(tally.n))
    steps = _steps(view, sizes[0]), _steps(view, sizes[1])
    listed = _listed(
        tally,
        xo=across - 1 - columns,
        x=[steps[1][place] for place in columns],
        yo=rows,
        y=[steps[0][place] for place in rows],
        name=[words.text(said[place], limit=40) for place in tally.places[0]],
        revenue=earned.round(6),
    )
    options = {
        "x": words.column(axes[1]),
        "y": words.column(axes[0]),
        "value": words("customers"),
        "revenue": words("revenue_share"),
    }
    return [
        _chart("quadrant", words("matrix.alt"), listed, note=_note(view, tally, words("matrix.note")), options=options)
    ]


def _steps(view: View, size: int) -> list[str]:
    """Name the bins of an axis, best first."""
    named = {2: ["matrix.high", "matrix.low"], 3: ["matrix.high", "matrix.middle", "matrix.low"]}.get(size)
    return [view.words(key) for key in named] if named else [str(place) for place in range(size, 0, -1)]


def tags(view: View) -> list[dict[str, Any]]:
    """How many customers have each two tags."""
    flags = dict(view.tag_flags)
    sizes = {name: int(has.sum()) for name, has in flags.items() if has.any()}
    if len(sizes) < 2:
        return []
    words = view.words
    names = sorted(sizes, key=lambda name: -sizes[name])[:_MOST_TAGS]
    order = np.argsort(view.codes, kind="stable")
    ends = np.cumsum(view.sizes)
    has = np.column_stack([flags[name][order] for name in names]).astype(np.float32)
    counts = np.zeros((len(view.labels), len(names), len(names)), dtype=np.int64)
    for place, end in enumerate(ends):
        part = has[end - view.sizes[place] : end]
        counts[place] = (part.T @ part).round()
    # Each pair is a table of its own: those with both tags, and those with but one of the two.
    small = np.zeros_like(counts, dtype=bool)
    for apart in (np.diagonal(counts, axis1=1, axis2=2)[:, :, None] - counts, counts):
        small |= (apart > 0) & (apart < view.least)
    small |= small.transpose(0, 2, 1) | view.hidden_segments[:, None, None]
    small, everyone = _with_total(counts, small & (counts > 0), view.least)
    view.hidden_cells += int(small.sum())
    shown = np.concatenate([everyone[None], np.where(small, 0, counts)]) * np.tri(len(names), dtype=np.int64)
    segment, across, down = (found.tolist() for found in np.nonzero(shown))
    titles = [words.text(name, limit=40) for name in names]
    rows = {
        "s": [place - 1 for place in segment],
        "x": [titles[place] for place in down],
        "xo": down,
        "y": [titles[place] for place in across],
        "yo": across,
        "n": shown[segment, across, down].tolist(),
    }
    return [_chart("overlap", words("tags.alt"), rows, note=words("tags.note"), options={"value": words("customers")})]


def _with_total(counts: np.ndarray, hidden: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Hide more, so that the total of all segments tells nothing, and give the totals that may be shown, else 0.

    One hidden count is the total less the others: where there is only one, or the hidden ones are few together, the
    smallest of the others is hidden as well.
    """
    hidden = hidden.copy()
    for _ in range(2):
        together = np.where(hidden, counts, 0).sum(axis=0)
        open_to_all = hidden.any(axis=0) & ((hidden.sum(axis=0) == 1) | (together < least))
        others = np.where(hidden | (counts == 0), np.iinfo(np.int64).max, counts)
        first, second = np.nonzero(open_to_all & (others.min(axis=0) < np.iinfo(np.int64).max))
        hidden[others.argmin(axis=0)[first, second], first, second] = True
    together = np.where(hidden, counts, 0).sum(axis=0)
    safe = ~hidden.any(axis=0) | ((hidden.sum(axis=0) > 1) & (together >= least))
    total = counts.sum(axis=0)
    apart = np.diagonal(total)[:, None] - total
    one_sided = (apart > 0) & (apart < least)  # few have but one of the two tags
    few = (total < least) | one_sided | one_sided.T
    return hidden, np.where(safe & ~few, total, 0)


def clusters(view: View) -> list[dict[str, Any]]:
    """Size and standardised means of each cluster."""
    name = view.result.clusters
    if name is None or name not in view.frame:
        return []
    words = view.words
    codes, labels = view.coded(name)
    labels = [words("cluster", number=label) if label.lstrip("-").isdigit() else label for label in labels]
    step = next((one for key, one in view.model.items() if name in view.added[key]), None)
    used = [column for column in getattr(step, "columns", None) or [] if column in view.frame] or view.measures[:6]
    rows: dict[str, list[Any]] = {key: [] for key in ("s", "label", "o", "measure", "mo", "n", "value")}
    for at, column in enumerate(used):
        values = view.numbers(column)
        known = np.isfinite(values)
        spread = float(values[known].std()) if known.any() else 0.0
        if not spread:
            continue
        tally = view.tally([(np.where(known, codes, -1), len(labels))], [(values - values[known].mean()) / spread])
        place = tally.places[0].tolist()
        rows["s"] += tally.segment.tolist()
        rows["label"] += [labels[code] for code in place]
        rows["o"] += place
        rows["measure"] += [words.column(column)] * len(place)
        rows["mo"] += [at] * len(place)
        rows["n"] += tally.n.tolist()
        rows["value"] += (tally.sums[0] / tally.summed).round(3).tolist()
    tally = view.tally([(codes, len(labels))])
    sizes = _listed(tally, o=tally.places[0], label=[labels[place] for place in tally.places[0]])
    bars = _chart(
        "bars",
        words("customers"),
        sizes,
        title=words("customers"),
        note=_note(view, tally),
        options={"value": words("customers")},
    )
    profile = _chart(
        "profile", words("clusters.alt"), rows, note=words("clusters.note"), options={"centre": 0, "reach": 2}
    )
    return [bars, *([profile] if rows["s"] else [])]


def concentration(view: View) -> list[dict[str, Any]]:
    """The share of revenue that the best customers bring, of everyone and of each segment."""
    if view.revenue is None:
        return []
    words = view.words
    rows: dict[str, list[Any]] = {"s": [], "x": [], "y": []}
    facts: list[list[str]] = []
    for place in range(-1, len(view.labels)):
        if place >= 0 and view.hidden_segments[place]:
            continue
        values = (view.revenue if place < 0 else view.revenue[view.codes == place]).clip(min=0)  # returns bring none
        # Between two points stand enough customers that no one's revenue can be read off.
        steps = min(100, len(values) // max(1, view.least))
        if steps < 2 or not values.sum():
            continue
        curve = np.append(0.0, np.cumsum(np.sort(values)[::-1]) / values.sum())
        x = np.linspace(0, 1, steps + 1)
        y = np.interp(x, np.linspace(0, 1, len(curve)), curve)
        rows["s"] += [place] * len(x)
        rows["x"] += x.round(6).tolist()
        rows["y"] += y.round(6).tolist()
        if place < 0:
            facts = [
                [
                    words("pareto.top", share=f"{top:.0%}"),
                    words("pareto.brings", share=words.share(float(np.interp(top, x, y)))),
                ]
                for top in (0.1, 0.2, 0.5)
            ]
    if not rows["s"]:
        return []
    return [
        {"kind": "facts", "items": facts},
        _chart(
            "pareto", words("pareto.alt"), rows, by="choice", options={"x": words("pareto.x"), "y": words("pareto.y")}
        ),
    ]


def basic(view: View) -> list[dict[str, Any]]:
    """Customers by the fields that describe them."""
    return _fields(view, BASIC)


def needs(view: View) -> list[dict[str, Any]]:
    """Customers by what they need."""
    return _fields(view, NEEDS)


def _fields(view: View, names: tuple[str, ...]) -> list[dict[str, Any]]:
    words, made = view.words, []
    for name in names:
        if name not in view.frame:
            continue
        codes, labels = view.coded(name)
        tally = view.tally([(codes, len(labels))])
        if not len(tally.n):
            continue
        title = words.column(name)
        rows = _listed(tally, o=tally.places[0], label=[labels[place] for place in tally.places[0]])
        made.append(
            _chart(
                "bars",
                words("basic.alt", field=title),
                rows,
                title=title,
                note=_note(view, tally),
                options={"value": words("customers")},
            )
        )
    return made
