"""Goals: how many customers, or how much of a measure, a rule has reached."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from xifen import _columns as c
from xifen import _core
from xifen._tagger import RuleTagger
from xifen.errors import InputError, XifenError
from xifen.plan._check import At
from xifen.plan._steps import Step
from xifen.plan._tables import Customers, Sources, build

__all__ = ["attainment", "check_goal", "goal_reads"]

_COLUMNS: Final = ["goal", "target", "attained", "share", "held", "count", "window", "rule", "unknown"]


def attainment(
    plan: Any, model: Mapping[str, Any], sources: Sources, made: Customers, n_jobs: int | None
) -> pd.DataFrame:
    """Give a row per goal.

    `new` are those for whom the rule is true now and was not before the window: the tables are built as they stood on
    that day. What has no date (the customers' own columns, messages) counts as it stands today.
    """
    rows = []
    for goal in plan.values.get("goals", []):
        tagger = RuleTagger({"goal": goal["rule"]})
        reads = goal_reads(goal, At())
        check_goal(goal, reads, made.columns)
        now = _truths(tagger, reads, made)
        reached = now.fillna(value=False).to_numpy(dtype=bool)
        if goal.get("count", "new") == "new":
            if sources.orders is None:
                raise InputError(
                    f"the goal '{goal['name']}' counts new customers, which only orders can tell: give orders, or write "
                    'count = "standing" in the goal'
                )
            earlier = _as_it_was(plan, model, sources, _back(made.as_of, goal["window"]), reads, n_jobs)
            before = _truths(tagger, reads, earlier).fillna(value=False).to_numpy(dtype=bool)
            held = earlier.columns[c.CUSTOMER_ID].to_numpy()[before]
            reached &= ~made.columns[c.CUSTOMER_ID].isin(held).to_numpy()
        measure = np.ones(len(made)) if "sum" not in goal else _numbers(made.columns[goal["sum"]])
        attained = math.fsum(measure[reached & ~np.isnan(measure)])
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


def goal_reads(goal: Mapping[str, Any], at: At) -> list[str]:
    """List the columns a goal's rule reads."""
    try:
        return list(Step.of("goal", "goals", RuleTagger({"goal": goal["rule"]}), at).reads)
    except XifenError as failure:
        (at / "rule").refuse(failure)


def check_goal(goal: Mapping[str, Any], reads: Sequence[str], columns: Collection[str]) -> None:
    """Refuse a goal that reads or adds up what is not there."""
    for verb, names in (("reads", reads), ("adds up", [goal["sum"]] if "sum" in goal else [])):
        for name in names:
            if name not in columns:
                raise InputError(
                    f"the goal '{goal['name']}' {verb} '{name}', which the data does not have{_core.did_you_mean(name, [*columns])}"
                )


def _truths(tagger: RuleTagger, reads: Sequence[str], made: Customers) -> pd.Series:
    """Whether the rule is true of each customer."""
    frame = pd.DataFrame({name: made.columns[name] for name in (reads or [c.CUSTOMER_ID])}, copy=False)
    truths: pd.Series = tagger.fit_transform(frame)["goal"]
    return truths


def _numbers(values: pd.Series) -> np.ndarray:
    numbers: np.ndarray = pd.to_numeric(values).astype("float64").to_numpy()
    return numbers


def _as_it_was(
    plan: Any, model: Mapping[str, Any], sources: Sources, day: dt.date, reads: Sequence[str], n_jobs: int | None
) -> Customers:
    """Build what the columns read need, as of another day."""
    needed = set(reads)
    steps: list[Step] = []
    for step in reversed(plan.steps):  # each behind what it reads
        if needed & set(step.adds):
            steps.insert(0, step)
            needed |= set(step.reads)
    made = build(sources, day, n_jobs, needed=needed)
    for step in steps:
        step.transform(model[step.name], made.columns, n_jobs, made.withheld)
    return made


def _back(day: dt.date, window: str) -> dt.date:
    """The day before a window begins: days, or calendar months with the month's end kept."""
    number, unit = int(window[:-1]), window[-1]
    back = pd.DateOffset(days=number) if unit == "D" else pd.DateOffset(months=number)
    earlier: dt.date = (pd.Timestamp(day) - back).date()
    return earlier
