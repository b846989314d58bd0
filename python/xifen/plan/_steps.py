"""The steps of a plan: estimators, what each reads and adds, the order that follows, and running them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from xifen import _columns as c
from xifen import _core
from xifen._rule_values import unlearned
from xifen.binning import Binner, RFMScorer
from xifen.errors import InputError
from xifen.matrix import SegmentMatrix
from xifen.plan import privacy
from xifen.plan._check import At
from xifen.rules import RuleSegmenter, RuleSet

__all__ = ["Step", "check_reads", "in_order", "labels_of", "parts"]


@dataclass(frozen=True)
class Step:
    """One estimator of a plan."""

    name: str
    block: str
    estimator: Any
    reads: Sequence[str]
    adds: Sequence[str]
    at: At
    optional: Sequence[str] = ()
    #: Changes what the estimator asks for where these customers have no room for it.
    suit: Callable[[Any, pd.DataFrame], None] | None = None

    @classmethod
    def of(cls, name: str, block: str, estimator: Any, at: At, output: str | None = None, **more: Any) -> Step:
        """Ask an estimator what it reads and adds; a `Binner` replaces its column, here it adds the bands beside it."""
        for part in parts(estimator):
            _try(part)
        if isinstance(estimator, Binner):
            (column,) = estimator.columns or ()
            return cls(name, block, estimator, [column], [output or f"{column}_band"], at, **more)
        reads: list[str] = []
        adds: list[str] = []
        optional: list[str] = []
        for part in parts(estimator):
            reads += [column for column in part._reads() if column not in (*reads, *adds)]  # noqa: SLF001 the protocol of ColumnAdder, within the package
            adds += part._adds()  # noqa: SLF001 the same
            optional += getattr(part, "optional", None) or []
        return cls(name, block, estimator, reads, adds, at, optional, **more)

    def fit(self, columns: dict[str, pd.Series], n_jobs: int | None, because: Mapping[str, str]) -> Any:
        """Fit on these columns, add what comes of it to them, and give the fitted estimator."""
        fitted = clone(self.estimator)
        self._run(fitted, "fit_transform", columns, n_jobs, because)
        return fitted

    def transform(
        self, fitted: Any, columns: dict[str, pd.Series], n_jobs: int | None, because: Mapping[str, str]
    ) -> None:
        """Add to these columns what a fitted estimator makes of them."""
        self._run(fitted, "transform", columns, n_jobs, because)

    def _run(
        self, fitted: Any, verb: str, columns: dict[str, pd.Series], n_jobs: int | None, because: Mapping[str, str]
    ) -> None:
        check_reads([self], columns, because)
        for name in self.adds:
            if name in columns:
                raise InputError(
                    f"{self.at}: '{self.name}' adds '{name}', which the data already has; rename one (columns, output)"
                )
        there = [name for name in self.reads if name in columns] or [next(iter(columns))]
        frame = pd.DataFrame({name: columns[name] for name in there}, copy=False)
        if verb == "fit_transform" and self.suit is not None:
            self.suit(fitted, frame)
        _set_n_jobs(fitted, n_jobs)
        try:
            out = getattr(fitted, verb)(frame)
        finally:
            _set_n_jobs(fitted, None)  # it never changes a result, so no model remembers it
        if isinstance(fitted, Binner):
            out = out.set_axis(list(self.adds), axis=1)
        columns |= {name: out[name] for name in self.adds}


def check_reads(steps: Sequence[Step], columns: Mapping[str, Any], because: Mapping[str, str]) -> None:
    """Refuse, all at once, columns that are read and that neither the data has nor an earlier step adds."""
    there = set(columns)
    absent = []
    for step in steps:
        for name in step.reads:
            if name not in there and name not in step.optional:
                absent.append((step, name))
                there.add(name)
        there.update(step.adds)
    if not absent:
        return
    step, name = absent[0]
    if name in because:
        why = f": {privacy.advice(name, because[name])}"
    else:
        near = _core.did_you_mean(name, [*columns]) or ";"
        why = f"{near} where it has another name, say so by columns of [sources.customers]"
    others = ", ".join(f"'{other}' ('{one.name}')" for one, other in absent[1:])
    raise InputError(
        f"{step.at}: '{step.name}' reads '{name}', which the data does not have{why}"
        + (f". Absent, too: {others}" if others else "")
    )


def in_order(steps: Sequence[Step]) -> list[Step]:
    """Put each step behind those whose columns it reads, otherwise as they stand; a circle is refused by name."""
    made = {column: step.name for step in steps for column in step.adds}
    waiting = list(steps)
    done: list[Step] = []
    while waiting:
        names = {step.name for step in waiting}
        ready = next((step for step in waiting if not _needed(step, made) & names), None)
        if ready is None:
            waiting[0].at.refuse(f"these read what each other add: {_circle(waiting, made)}; break the circle")
        done.append(ready)
        waiting.remove(ready)
    return done


def labels_of(estimator: Any) -> dict[str, dict[str, str]]:
    """Give the labels an estimator can add, in their order, each with its other names (key, zh, en) where it has some."""
    last = parts(estimator)[-1]
    if isinstance(last, RuleSegmenter):
        labels = [*last.rules, *([last.default] if last.default else [])]
        return {label: dict((last.aliases or {}).get(label, {})) for label in labels}
    if isinstance(last, SegmentMatrix) and isinstance(last.cells, Mapping):
        cells = [cell if isinstance(cell, Mapping) else {"key": cell} for cell in last.cells.values()]
        names = [{kind: cell[kind] for kind in ("key", "zh", "en") if kind in cell} for cell in cells]
        return {name.get(last.lang or "key", name["key"]): name for name in names}
    return {}


def _needed(step: Step, made: Mapping[str, str]) -> set[str]:
    return {made[column] for column in step.reads if column in made}


def _circle(waiting: Sequence[Step], made: Mapping[str, str]) -> str:
    """Follow what is needed until a step comes twice."""
    by_name = {step.name: step for step in waiting}
    way: list[tuple[str, str]] = []
    step = waiting[0]
    while step.name not in [name for name, _ in way]:
        column = next(column for column in step.reads if made.get(column) in by_name)
        way.append((step.name, column))
        step = by_name[made[column]]
    start = [name for name, _ in way].index(step.name)
    return " -> ".join([f"'{name}' (reads {column})" for name, column in way[start:]] + [f"'{step.name}'"])


def _try(estimator: Any) -> None:
    """Fit on made-up rows what says only then that its parameters cannot be used."""
    reads = (estimator.columns or ()) if isinstance(estimator, Binner) else estimator._reads()  # noqa: SLF001 as above
    if isinstance(estimator, (Binner, RFMScorer, SegmentMatrix)):
        clone(estimator).fit({name: np.arange(200.0) for name in reads})
    elif isinstance(estimator, RuleSet) and unlearned(estimator.parameters or {}) == (estimator.parameters or {}):
        # A column in which everything is missing may be of any kind.
        clone(estimator).fit(pa.table({name: pa.nulls(1) for name in reads or [c.CUSTOMER_ID]}))


def parts(estimator: Any) -> list[Any]:
    """Give an estimator, or those of a Pipeline."""
    return [part for _, part in estimator.steps] if isinstance(estimator, Pipeline) else [estimator]


def _set_n_jobs(estimator: Any, n_jobs: int | None) -> None:
    for part in parts(estimator):
        part.set_params(n_jobs=n_jobs)
