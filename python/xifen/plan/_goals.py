"""Goals: how many customers, or how much of a measure, a rule has reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from xifen import _columns as c
from xifen import _core
from xifen._tagger import RuleTagger
from xifen.errors import InputError
from xifen.plan._check import At
from xifen.plan._steps import Step
from xifen.plan._tables import Customers, Sources, build

__all__ = ["attainment"]

_COLUMNS: Final = ["goal", "target", "attained", "share", "held", "count", "window", "rule", "unknown"]


def attainment(plan: Any, model: Mapping[str, Any], sources: Sources, made: Customers, n_jobs: int | None) -> pd.DataFrame:
    """Give a row per goal.

    `new` are those for whom the rule is true now and was not before the window: the tables are built as they stood on
    that day. What has no date (the customers' own columns, messages) counts as it stands today.
    """
    earlier: dict[str, Customers] = {}
    rows = []
    for goal in plan.values.get("goals", []):
        now = _truths(goal, made)
        reached = now.fillna(value=False).to_numpy(dtype=bool)
        if goal.get("count", "new") == "new" and sources.orders is not None:
            window = goal["window"]
            if window not in earlier:
                earlier[window] = _as_it_was(plan, model, sources, _back(made.as_of, window), n_jobs)
            before = _truths(goal, earlier[window]).fillna(value=False).to_numpy(dtype=bool)
            held = earlier[window].columns[c.CUSTOMER_ID].to_numpy()[before]
            reached &= ~made.columns[c.CUSTOMER_ID].isin(held).to_numpy()
        measure = np.ones(len(made)) if "sum" not in goal else _numbers(goal["sum"], made)
        attained = float(np.nansum(measure[reached]))
        target = goal["target"]
        rows.append(
            {
                "goal": goal["name"],
                "target": target,
                "attained": attained,
                "share": attained / target if target else np.nan,
                "held": attained >= target,
                "count": goal.get("count", "new"),
                "window": goal["window"],
                "rule": goal["rule"],
                "unknown": int(now.isna().sum()),
            }
        )
    return pd.DataFrame(rows, columns=_COLUMNS)


def _truths(goal: Mapping[str, Any], made: Customers) -> pd.Series:
    """Whether the rule is true of each customer."""
    tagger = RuleTagger({"goal": goal["rule"]})
    reads = Step.of("goal", "goals", tagger, At()).reads
    for name in reads:
        if name not in made.columns:
            raise InputError(f"the goal '{goal['name']}' reads '{name}', which the data does not have{_core.did_you_mean(name, [*made.columns])}")
    frame = pd.DataFrame({name: made.columns[name] for name in (reads or [c.CUSTOMER_ID])}, copy=False)
    truths: pd.Series = tagger.fit_transform(frame)["goal"]
    return truths


def _numbers(column: str, made: Customers) -> np.ndarray:
    if column not in made.columns:
        raise InputError(f"a goal adds up '{column}', which the data does not have{_core.did_you_mean(column, [*made.columns])}")
    numbers: np.ndarray = pd.to_numeric(made.columns[column]).astype("float64").to_numpy()
    return numbers


def _as_it_was(plan: Any, model: Mapping[str, Any], sources: Sources, day: Any, n_jobs: int | None) -> Customers:
    made = build(sources, day, n_jobs, ledger=False)
    for step in plan.steps:
        step.transform(model[step.name], made.columns, n_jobs, made.withheld)
    return made


def _back(day: Any, window: str) -> Any:
    """The day before a window begins: days, or calendar months with the month's end kept."""
    number, unit = int(window[:-1]), window[-1]
    back = pd.DateOffset(days=number) if unit == "D" else pd.DateOffset(months=number)
    return (pd.Timestamp(day) - back).date()
