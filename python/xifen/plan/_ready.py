"""Whether the files a plan names are there, with the columns it reads: their first lines tell."""

from __future__ import annotations

from typing import Any

import pandas as pd

from xifen import _columns as c
from xifen.errors import XifenError
from xifen.plan import privacy
from xifen.plan._actions import opted_out
from xifen.plan._check import At
from xifen.plan._goals import check_goal, goal_reads
from xifen.plan._read_source import open_source
from xifen.plan._steps import check_reads
from xifen.plan._tables import LAST_MESSAGE, made_by_tables

__all__ = ["hindrances"]


def hindrances(plan: Any) -> list[str]:
    """Say, in sentences, what keeps a plan from running on the files it names."""
    found: dict[str, None] = {}
    columns: dict[str, list[str]] = {}
    sources = plan.values.get("sources", {})
    for name, source in sources.items():
        if "path" not in source:
            continue
        if not (plan.folder / source["path"]).is_file():
            found[
                f"[sources.{name}]: there is no file {plan.folder / source['path']}; put it there, or name another"
            ] = None
            continue
        try:
            file, kinds = open_source(name, source, plan.folder)
            columns[name] = file.columns
            text = [source.get("columns", {}).get(c.TEXT, c.TEXT)] if name == "messages" else []
            for column in [
                *(column for names in kinds.values() for column in names),
                *text,
                *source.get("columns", {}).values(),
            ]:
                found |= _refusal(file.require, [column])
        except (XifenError, OSError) as failure:
            found[str(failure)] = None
    if not found and "customers" in columns:  # without them nobody knows what the customers' own columns are
        found = _unread(plan, columns)
    return list(found)


def _unread(plan: Any, columns: dict[str, list[str]]) -> dict[str, None]:
    """Name the columns that steps, goals and [privacy] read and no file or earlier step gives."""
    source, said = plan.values["sources"]["customers"], plan.block("privacy")
    ours = {theirs: own for own, theirs in source.get("columns", {}).items()}
    own = {ours.get(name, name): name for name in columns["customers"] if name not in source.get("drop", [])}
    withheld = {name: why for name, before in own.items() if (why := privacy.kept_out(name, said, before))}
    there = [*made_by_tables(plan.values), *(name for name in own if name not in withheld)]
    there += [LAST_MESSAGE] if "messages" in columns else []
    found = _refusal(check_reads, plan.steps, dict.fromkeys(there), withheld)
    there += [name for step in plan.steps for name in step.adds]
    for goal in plan.values.get("goals", []):
        found |= _refusal(check_goal, goal, goal_reads(goal, At()), there)
    return found | _refusal(opted_out, plan, {name: pd.Series(dtype="boolean") for name in there})


def _refusal(check: Any, *given: Any) -> dict[str, None]:
    try:
        check(*given)
    except XifenError as failure:
        return {str(failure): None}
    return {}
