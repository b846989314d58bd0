"""A Segmentation as the report sees it: one pandas frame, segments as codes, small cells left out."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from xifen import _columns as c
from xifen._frame import as_kind
from xifen.plan import privacy
from xifen.report._words import Words

__all__ = ["Tally", "View"]

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


class Tally:
    """Customers counted by segment (-1: everyone) and by other codes, one entry per cell that may be shown and is not empty.

    Attributes
    ----------
    segment : numpy.ndarray
    places : list of numpy.ndarray
        The codes of each cell.
    n : numpy.ndarray
    sums : list of numpy.ndarray
        Of everyone's cells without those segments that are few customers together and may not be shown.
    summed : numpy.ndarray
        The customers the sums are of.
    hidden : int
        How many customers stand in everyone's cells that may not be shown.
    fewer : bool
        Whether a segment has cells that may not be shown.
    without : int
        How many customers have not all of the codes.
    """

    def __init__(
        self,
        shape: Sequence[int],
        counts: np.ndarray,
        shown: np.ndarray,
        totals: list[np.ndarray],
        *,
        least: int,
        without: int,
    ) -> None:
        lines, cells = np.nonzero(shown)
        self.segment: np.ndarray = lines - 1
        self.places = list(np.unravel_index(cells, tuple(shape)))
        self.n: np.ndarray = shown[lines, cells]
        hidden = (shown[1:] == 0) & (counts > 0)
        few = hidden & (np.where(hidden, counts, 0).sum(axis=0) < least)
        self.sums: list[np.ndarray] = []
        for total in [*totals, counts]:
            everyone = np.where(few, 0, total).sum(axis=0)
            self.sums.append(np.vstack([everyone, total])[lines, cells])
        self.summed: np.ndarray = self.sums.pop()
        self.hidden = int(counts.sum() - shown[0].sum())
        self.fewer = bool(hidden.any())
        self.without = without


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
        self.folded = False
        self.absent: list[str] = []
        #: Every step by name; of a pipeline each part.
        self.model: dict[str, Any] = {}
        for name, step in result.model.items():
            parts = step.named_steps.items() if isinstance(step, Pipeline) else [("", step)]
            self.model |= {f"{name} {part}".rstrip(): one for part, one in parts}
        labels = list(result.segments) if result.segment else []
        self.labels = [self.words.text(label) for label in labels]
        codes = np.full(len(self.frame), MISSING, dtype=np.int64)
        if labels:
            codes = pd.Categorical(self.frame[result.segment].astype(object), labels).codes.astype(np.int64)
        if (codes < 0).any() or not labels:
            codes[codes < 0] = len(labels)
            self.labels.append(self.words("no_segment" if labels else "all"))
        self.codes = codes
        self.sizes = np.bincount(codes, minlength=len(self.labels))
        #: Segments of so few customers that nothing is said of them.
        self.hidden_segments = np.zeros(len(self.labels), dtype=bool)
        if self.least > 1:
            sizes = privacy.suppress(pd.Series(self.sizes), self.least, total="all")
            self.hidden_segments = sizes.iloc[:-1].isna().to_numpy() & (self.sizes > 0)
        self.hidden_cells = int(self.hidden_segments.sum())

    def __len__(self) -> int:
        return len(self.frame)

    @functools.cached_property
    def revenue(self) -> np.ndarray | None:
        """What each customer spent, net of returns."""
        return np.nan_to_num(self.numbers(c.MONETARY)) if c.MONETARY in self.frame else None

    @functools.cached_property
    def measures(self) -> list[str]:
        """The measures that are there and say something."""
        return [name for name in MEASURES if name in self.frame and np.isfinite(self.numbers(name)).any()]

    @functools.cached_property
    def added(self) -> dict[str, list[str]]:
        """The columns each step of the model added."""
        return {name: _added(step) for name, step in self.model.items()}

    def numbers(self, name: str) -> np.ndarray:
        """Give a column as floats, missing as NaN."""
        column = self.frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = pd.to_numeric(column.astype(object), errors="coerce")
        numbers: np.ndarray = column.to_numpy(np.float64, na_value=np.nan)
        return numbers

    def flags(self, name: str) -> np.ndarray:
        """Give a column as booleans, missing as False."""
        flags: np.ndarray = self.frame[name].to_numpy(np.float64, na_value=0.0) == 1
        return flags

    def coded(self, name: str) -> tuple[np.ndarray, list[str]]:
        """Give a column's values as codes, in their own order or else most frequent first, the many rare ones as one; -1 is missing."""
        column = self.frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes, values = column.cat.codes.to_numpy().astype(np.int64), column.cat.categories.tolist()
            ordered = bool(column.cat.ordered)
        else:
            codes, found = pd.factorize(column)
            values, ordered = list(found), False
            if pd.api.types.is_numeric_dtype(column.dtype):
                by_value = np.argsort(np.asarray(found, dtype=np.float64), kind="stable")
                codes = np.append(np.argsort(by_value), MISSING)[codes]
                values, ordered = [values[place] for place in by_value], True
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

    def tally(self, codes: Sequence[tuple[np.ndarray, int]], sums: Sequence[np.ndarray] = ()) -> Tally:
        """Count customers by segment and codes (each with how many codes there are; missing ones are left out)."""
        shape = [size for _, size in codes]
        width = int(np.prod(shape))
        place = self.codes.copy()
        present = np.ones(len(place), dtype=bool)
        for each, size in codes:
            present &= each >= 0
            place = place * size + each
        lines, chosen = len(self.labels), place[present]

        def table(weights: np.ndarray | None) -> np.ndarray:
            return np.bincount(chosen, weights, lines * width).reshape(lines, width)

        counts = table(None).astype(np.int64)
        totals = [table(np.nan_to_num(values[present])) for values in sums]
        without = int((~present).sum())
        return Tally(shape, counts, self.shown(counts), totals, least=self.least, without=without)

    def shown(self, counts: np.ndarray) -> np.ndarray:
        """Give what may be shown of a table with a line per segment, everyone's line before them: nothing where it may not."""
        everyone = counts.sum(axis=0)
        used = np.flatnonzero(everyone)
        if self.least <= 1 or not len(used):
            return np.vstack([everyone, counts])
        # The segments of which nothing is said are one line that nobody sees: readers know how many are in it.
        kept = np.flatnonzero(~self.hidden_segments)
        unseen = counts[self.hidden_segments].sum(axis=0, keepdims=True)
        lines = np.vstack([counts[kept], unseen]) if unseen.any() else counts[kept]
        table = privacy.suppress(pd.DataFrame(lines[:, used]), self.least, total="all")
        cells = table.iloc[:, :-1].to_numpy(np.int64, na_value=0)
        shown = np.zeros((len(counts) + 1, counts.shape[1]), dtype=np.int64)
        shown[0, used] = cells[-1]
        shown[np.ix_(kept + 1, used)] = cells[: len(kept)]
        self.hidden_cells += int(((shown[1:] == 0) & (counts > 0)).sum() + ((shown[0] == 0) & (everyone > 0)).sum())
        return shown

    def per_segment(self, values: np.ndarray) -> np.ndarray:
        """Give the mean of a measure in each segment, NaN where none is known; everyone's stands last."""
        known = np.isfinite(values)
        n = np.bincount(self.codes[known], minlength=len(self.labels)).astype(np.float64)
        total = np.bincount(self.codes[known], values[known], minlength=len(self.labels))
        means = np.divide(
            np.append(total, total.sum()),
            np.append(n, n.sum()),
            out=np.full(len(n) + 1, np.nan),
            where=np.append(n, n.sum()) > 0,
        )
        few = np.append((n < self.least) | self.hidden_segments, n.sum() < self.least)
        return np.where(few, np.nan, means)

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
        """The five questions: title, why nobody answers, and the positions and reasons of those who do, best first."""
        places = pd.Index(self.frame[c.CUSTOMER_ID])
        found = []
        for question in self.result.questions():
            rows = places.get_indexer(pd.Index(question.customers[c.CUSTOMER_ID]))
            shown = (rows >= 0) & ~self.hidden_segments[self.codes[rows]]
            reasons = [self.words.sentence(reason) for reason in question.customers["reason"][shown]]
            found.append(
                {
                    "title": self.words.text(question.question),
                    "reason": self.words.sentence(question.reason),
                    "rows": rows[shown],
                    "reasons": reasons,
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

    def listed(self, rows: np.ndarray) -> list[int]:
        """Turn positions of customers into places of the list; -1 where it has them not."""
        return [int(place) for place in pd.Index(self.sample).get_indexer(pd.Index(rows[:ANSWERS]))]


def _least(result: Any) -> int:
    """Give the plan's size of small cells."""
    return int(result.plan.values.get("privacy", {}).get("small_cells", 5))


def _added(step: Any) -> list[str]:
    """Give the columns a fitted estimator put behind those it read."""
    if not (hasattr(step, "get_feature_names_out") and hasattr(step, "feature_names_in_")):
        return []
    read = set(step.feature_names_in_)
    return [name for name in step.get_feature_names_out() if name not in read]
