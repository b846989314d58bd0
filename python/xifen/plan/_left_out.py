"""Which fields are used and what for, and what is not in a result."""

from __future__ import annotations

from typing import Any

import pandas as pd

from xifen import _columns as c
from xifen.plan._actions import CHANNEL, NEXT_CONTACT, OWNER

__all__ = ["fields", "left_out"]

#: What the plan itself adds to customers, behind all steps.
_OURS = (OWNER, NEXT_CONTACT, CHANNEL)
_COUNTED = (
    "opted_out", "unassigned", "customer_rows_without_id", "customer_rows_repeated", "customers_not_listed", "messages_of_nobody",
    "messages_after_as_of", "message_rows_without_id", "message_rows_without_text", "customers_after_as_of",
)  # fmt: skip


def fields(result: Any) -> pd.DataFrame:
    """List the fields of a result and those kept out of it."""
    plan = result.plan
    stated = plan.block("privacy")["purpose"] or {}
    made_by = {column: step.name for step in plan.steps for column in step.adds}
    readers: dict[str, list[str]] = {}
    for step in plan.steps:
        for column in step.reads:
            readers.setdefault(column, []).append(step.name)
    tables = set(result.table_columns)
    rows = [
        {
            "field": name,
            "source": made_by.get(name, "tables" if name in tables else "plan" if name in _OURS else "customers"),
            "kept": True,
            "purpose": stated.get(name) or ", ".join(readers.get(name, [])),
            "why": "",
        }
        for name in result._rows()  # noqa: SLF001 within the package
    ]
    rows += [
        {"field": name, "source": "customers", "kept": False, "purpose": "", "why": why}
        for name, why in result.withheld.items()
    ]
    return pd.DataFrame(rows, columns=["field", "source", "kept", "purpose", "why"])


def left_out(result: Any) -> pd.DataFrame:
    """Say what is not in a result, most general first."""
    words, counts, table = result.plan.words["left_out"], result.counts, result._rows()  # noqa: SLF001 within the package
    rows = [
        {"what": f"field:{name}", "count": len(table), "sentence": words["field"].format(name=name, why=why)}
        for name, why in result.withheld.items()
    ]
    if result.ledger is not None:
        unused = result.ledger[result.ledger[c.REASON] != "used"]
        for reason, count in zip(unused[c.REASON], unused[c.ROWS], strict=True):
            rows.append(
                {
                    "what": f"order_rows:{reason}",
                    "count": int(count),
                    "sentence": words["order_rows"].format(reason=reason),
                }
            )
    missing = int(table[result.segment].isna().sum()) if result.segment else 0
    numbers = {
        "unlabelled": missing,
        **{key: counts.get(key, 0) for key in _COUNTED},
    }
    rows += [{"what": key, "count": count, "sentence": words[key]} for key, count in numbers.items() if count]
    k = result.plan.block("privacy")["small_cells"]
    if k > 1:
        # How many cells are left out depends on who shows which table; this is the rule alone, and counts nothing.
        rows.append({"what": "small_cells", "count": None, "sentence": words["small_cells"].format(k=k)})
    return pd.DataFrame(rows, columns=["what", "count", "sentence"]).astype({"count": "Int64"})
