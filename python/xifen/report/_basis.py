"""What the amounts of a result are: of which days, in which currency, before or after returns."""

from __future__ import annotations

from typing import Any

import pandas as pd

from xifen import _columns as c
from xifen.report._words import Words

__all__ = ["basis", "revenue_note"]


def basis(result: Any, frame: pd.DataFrame, words: Words) -> list[list[str]]:
    """Say, as titles and texts, of which days the orders are, in which currency the amounts, and what revenue is."""
    if c.MONETARY not in frame:
        return []
    tables = result.plan.values.get("tables", {})
    facts = []
    first, last = frame[c.FIRST_PURCHASE].min(), frame[c.LAST_PURCHASE].max()
    if pd.notna(first):
        days = {"first": f"{first:%Y-%m-%d}", "last": f"{last:%Y-%m-%d}", "day": f"{result.as_of:%Y-%m-%d}"}
        facts.append([words("basis.orders"), words("basis.days", **days)])
    said = [words.value(tables[name]) for name in ("currency", "basis") if name in tables]
    facts.append([words("basis.amounts"), {"zh": "，", "en": ", "}[words.lang].join(said) or words("basis.unsaid")])
    return [*facts, [words("basis.returns"), revenue_note(result, words)]]


def revenue_note(result: Any, words: Words) -> str:
    """Say what returns did to the amounts."""
    returns = result.plan.values.get("tables", {}).get("returns", "net")
    return words(f"revenue_note.{returns}")
