"""A Segmentation as the report sees it: one pandas frame, segments as codes, small cells left out."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from xifen import _columns as c
from xifen._frame import as_kind
from xifen.report._words import Words

__all__ = ["Tally", "View", "suppressed"]

#: Fields that may be shown by value: few values each, none of them a person.
BASIC: Final = ("industry", "industry_stage", "size", "region", "city_tier", "ownership", "source")
NEEDS: Final = ("need_type", "need_core", "need_preference", "need_urgency", "need_form", "channel_preference")
#: Measures a segment is described by, as far as they are there.
MEASURES: Final = (
    c.RECENCY_DAYS, c.ORDER_COUNT, c.MONETARY, c.ORDER_COUNT_12M, "monetary_12M", c.MEAN_ORDER_VALUE, c.TENURE_DAYS,
    c.MEAN_GAP_DAYS, c.DISCOUNT_SHARE, "gross_margin", "complaint_rate", "payment_days", "growth_rate",
)  # fmt: skip
#: More values of one field than this are shown together as others.
MOST_VALUES: Final = 12
#: How many customers who answer a question are sure to be listed.
ANSWERS: Final = 5
#: Who has none of the labels.
MISSING: Final = -1


def suppressed(counts: np.ndarray, least: int) -> np.ndarray:
    """Say which cells of a table must not be shown: small ones, and one more where a line's total would tell it.

    Parameters
    ----------
    counts : numpy.ndarray
        Customers per cell; totals run along the last axis.
    least : int
        Cells with fewer customers (and more than none) are small; 1 or less hides nothing.
    """
    hidden = (counts > 0) & (counts < least)
    lines, flags = counts.reshape(-1, counts.shape[-1]), hidden.reshape(-1, counts.shape[-1])
    alone = flags.sum(axis=1) == 1
    rest = np.where(flags | (lines == 0), np.iinfo(np.int64).max, lines)
    there = rest.min(axis=1, initial=np.iinfo(np.int64).max) < np.iinfo(np.int64).max
    rows = np.flatnonzero(alone & there)
    flags[rows, rest[rows].argmin(axis=1)] = True
    return flags.reshape(counts.shape)


class Tally:
    """Customers counted by segment and by other codes: one entry per cell that may be shown and is not empty.

    Attributes
    ----------
    segment : numpy.ndarray
    places : list of numpy.ndarray
        The codes of each cell.
    n : numpy.ndarray
    sums : list of numpy.ndarray
    """

    def __init__(self, keys: Sequence[np.ndarray], n: np.ndarray, sums: Sequence[np.ndarray]) -> None:
        self.segment, *self.places = keys
        self.n = n
        self.sums = list(sums)


class View:
    """What the sections read.

    Parameters
    ----------
    result : Segmentation
    lang : {"zh", "en"}, optional
        None is the result's own.
    customers : int
        The most customers to list.
    real_ids : bool
        List them by their own ids.
    """

    def __init__(self, result: Any, lang: str | None = None, *, customers: int = 2000, real_ids: bool = False) -> None:
        self.result = result
        self.words = Words(lang or result.lang)
        self.customers = customers
        self.real_ids = real_ids
        self.frame: pd.DataFrame = as_kind(result.frame, "pandas")
        self.least = _least(result)
        #: What has to be said at the end: cells left out, rare values put together, sections without data.
        self.hidden_cells = 0
        self.folded = False
        self.absent: list[str] = []
        labels = list(result.segments)
        codes = pd.Categorical(self.frame[result.segment], categories=labels).codes.astype(np.int64)
        self.labels = [self.words.text(label) for label in labels]
        if (codes < 0).any():
            codes[codes < 0] = len(labels)
            self.labels.append(self.words("no_segment"))
        self.codes = codes
        self.sizes = np.bincount(codes, minlength=len(self.labels))
        #: Segments of so few customers that nothing is said of them.
        self.hidden_segments = self._hide(self.sizes[None, :])[0]

    def __len__(self) -> int:
        return len(self.frame)

    @functools.cached_property
    def revenue(self) -> np.ndarray | None:
        """What each customer spent in the net; who returned more than they bought adds none and takes none."""
        name = next((name for name in (c.MONETARY, "monetary_12M") if name in self.frame), None)
        return None if name is None else np.nan_to_num(self.numbers(name).clip(min=0))

    @functools.cached_property
    def measures(self) -> list[str]:
        """The measures that are there and say something."""
        return [name for name in MEASURES if name in self.frame and np.isfinite(self.numbers(name)).any()]

    @functools.cached_property
    def added(self) -> dict[str, list[str]]:
        """The columns each step of the model added."""
        return {name: _added(step) for name, step in self.result.model.items()}

    def numbers(self, name: str) -> np.ndarray:
        """Give a column as floats, missing as NaN."""
        column = self.frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            return pd.to_numeric(column.astype(object), errors="coerce").to_numpy(np.float64, na_value=np.nan)
        return column.to_numpy(np.float64, na_value=np.nan)

    def flags(self, name: str) -> np.ndarray:
        """Give a column as booleans, missing as False."""
        return self.frame[name].to_numpy(np.float64, na_value=0.0) == 1

    def coded(self, name: str) -> tuple[np.ndarray, list[str]]:
        """Give a column's values as codes, most frequent first, the many rare ones as one; -1 is missing."""
        column = self.frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes, values = column.cat.codes.to_numpy().astype(np.int64), column.cat.categories.tolist()
            ordered = bool(column.cat.ordered)
        else:
            codes, found = pd.factorize(column)
            values, ordered = list(found), False
        counts = np.bincount(codes[codes >= 0], minlength=len(values))
        places = np.arange(len(values)) if ordered else np.argsort(-counts, kind="stable")
        places = places[counts[places] > 0]
        kept = places if len(places) <= MOST_VALUES else places[: MOST_VALUES - 1]
        self.folded |= len(kept) < len(places)
        new = np.full(len(values) + 1, len(kept))
        new[kept] = np.arange(len(kept))
        new[-1] = MISSING  # the code -1 looks here
        labels = [self.words.value(values[place]) for place in kept]
        return new[codes], [*labels, *([self.words("other")] if len(kept) < len(places) else [])]

    def tally(self, codes: Sequence[tuple[np.ndarray, int]] = (), sums: Sequence[np.ndarray] = ()) -> Tally:
        """Count customers by segment and codes (each with how many codes there are; missing ones are left out)."""
        shape = (len(self.labels), *(size for _, size in codes))
        place = self.codes.copy()
        present = np.ones(len(place), dtype=bool)
        for each, size in codes:
            present &= each >= 0
            place = place * size + each
        chosen = place[present]
        cells = int(np.prod(shape))
        counts = np.bincount(chosen, minlength=cells)
        totals = [np.bincount(chosen, np.nan_to_num(values[present]), minlength=cells) for values in sums]
        hidden = self._hide(counts.reshape(shape[0], -1)) | self.hidden_segments[:, None]
        shown = np.flatnonzero((counts > 0) & ~hidden.ravel())
        keys = [key.astype(np.int64) for key in np.unravel_index(shown, shape)]
        return Tally(keys, counts[shown], [total[shown] for total in totals])

    def per_segment(self, values: np.ndarray) -> np.ndarray:
        """Give the mean of a measure in each segment, NaN where none is known; everyone's stands last."""
        known = np.isfinite(values)
        n = np.bincount(self.codes[known], minlength=len(self.labels)).astype(np.float64)
        total = np.bincount(self.codes[known], values[known], minlength=len(self.labels))
        means = np.divide(np.append(total, total.sum()), np.append(n, n.sum()), out=np.full(len(n) + 1, np.nan), where=np.append(n, n.sum()) > 0)
        few = np.append((n < self.least) | self.hidden_segments, n.sum() < self.least)
        return np.where(few, np.nan, means)

    def shown(self, counts: np.ndarray) -> np.ndarray:
        """Say which cells of a table with a line per segment may be shown and are not empty."""
        hidden = self._hide(counts) | self.hidden_segments[:, None]
        return (counts > 0) & ~hidden

    @functools.cached_property
    def tag_flags(self) -> dict[str, np.ndarray]:
        """Each tag and who has it; a family with one label per customer is a tag per label."""
        flags: dict[str, np.ndarray] = {}
        for name in self.result.tags:
            if name not in self.frame:
                continue
            kind = self.frame[name].dtype
            if pd.api.types.is_bool_dtype(kind):
                flags[name] = self.flags(name)
            elif isinstance(kind, pd.CategoricalDtype):
                codes = self.frame[name].cat.codes.to_numpy()
                flags |= {str(label): codes == code for code, label in enumerate(self.frame[name].cat.categories)}
        return flags

    @functools.cached_property
    def questions(self) -> list[dict[str, Any]]:
        """The five questions: key, reason, and the positions of the customers that answer, the first ones first."""
        places = pd.Index(self.frame[c.CUSTOMER_ID])
        found = []
        for question in self.result.questions():
            rows = places.get_indexer(pd.Index(question["customers"]))
            rows = rows[rows >= 0]
            found.append(
                {
                    "key": question["key"],
                    "reason": self.words.text(question["reason"]),
                    "rows": rows[~self.hidden_segments[self.codes[rows]]],
                }
            )
        return found

    @functools.cached_property
    def sample(self) -> np.ndarray:
        """The positions of the customers to list: of every segment those with most revenue, and the first answers."""
        if not self.customers:
            return np.empty(0, dtype=np.int64)
        answers = [question["rows"][:ANSWERS] for question in self.questions]
        wanted = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *answers]))[: self.customers]
        worth = self.revenue if self.revenue is not None else np.zeros(len(self))
        shown = np.flatnonzero(~self.hidden_segments[self.codes])
        order = shown[np.lexsort((shown, -worth[shown], self.codes[shown]))]
        # The place of each customer in their own segment: the best of all segments come first.
        codes = self.codes[order]
        starts = np.searchsorted(codes, np.arange(len(self.labels)))
        rank = np.arange(len(order)) - starts[codes]
        by_rank = order[np.argsort(rank, kind="stable")]
        more = by_rank[~np.isin(by_rank, wanted)][: self.customers - len(wanted)]
        chosen = np.concatenate([wanted, more])
        return chosen[np.lexsort((chosen, -worth[chosen]))]

    def listed(self, rows: np.ndarray) -> np.ndarray:
        """Turn positions of customers into places of the list, leaving out those it has not."""
        places = pd.Index(self.sample).get_indexer(pd.Index(rows[:ANSWERS]))
        return places[places >= 0]

    def _hide(self, counts: np.ndarray) -> np.ndarray:
        hidden = suppressed(counts, self.least)
        self.hidden_cells += int((hidden & (counts > 0)).sum())
        return hidden


def _least(result: Any) -> int:
    """Give the plan's size of small cells; 5 where there is no plan."""
    privacy = getattr(result.plan, "privacy", None)
    least = privacy.get("small_cells", 5) if isinstance(privacy, dict) else getattr(privacy, "small_cells", 5)
    return int(least or 0)


def _added(step: Any) -> list[str]:
    """Give the columns a fitted estimator put behind those it read."""
    if not (hasattr(step, "get_feature_names_out") and hasattr(step, "feature_names_in_")):
        return []
    read = set(step.feature_names_in_)
    return [name for name in step.get_feature_names_out() if name not in read]
