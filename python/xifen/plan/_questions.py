"""The five questions a summary answers: who is most valuable, most loyal, a prospect, growing fastest, likeliest to leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from xifen import _columns as c

__all__ = ["Question", "answers"]

_SPANS: Final = ("12M", "365D", "6M", "180D", "3M", "90D")
_POTENTIAL: Final = ("potential_score", "lead_score", "enquiry_count_3M")
#: Who has not ordered for so many times the usual gap (taken as ten days where it is shorter) is likely to leave; after a
#: year without an order has left.
_OVERDUE: Final = 3
_SHORTEST_GAP: Final = 10
_GONE_DAYS: Final = 365


@dataclass(frozen=True)
class Question:
    """One question and its answer.

    Attributes
    ----------
    key : str
    question : str
        In the plan's language.
    customers : pandas.DataFrame
        Those it names, best first: `customer_id`, `name` where there is one, `value` (what they are ranked by) and `reason`,
        a sentence.
    reason : str
        Empty; or why there is no customer: "no data: needs ...", "no customer fits".
    """

    key: str
    question: str
    customers: pd.DataFrame
    reason: str

    def __str__(self) -> str:
        """Write the question, and a line per customer."""
        called = self.customers[c.NAME if c.NAME in self.customers else c.CUSTOMER_ID]
        lines = [f"  {who}: {why}" for who, why in zip(called, self.customers["reason"], strict=True)]
        return "\n".join([self.question, *(lines or [f"  {self.reason}"])])


def answers(table: pd.DataFrame, words: Any, n: int) -> list[Question]:
    """Answer each question with up to `n` customers."""
    out = []
    for key, ask in _ASKED.items():
        needed, found = ask(table)
        names = [name for name in (c.CUSTOMER_ID, c.NAME) if name in table]
        if found is None:
            empty = pd.DataFrame(columns=[*names, "value", "reason"])
            out.append(
                Question(key, words["questions"][key], empty, words["no_data"].format(columns=", ".join(needed)))
            )
            continue
        best = found.sort_values("value", ascending=False, kind="stable").head(n)
        said = [words["reasons"][key].format(**_shown(row, words)) for row in best.to_dict("records")]
        customers = table.loc[best.index, names].assign(value=best["value"], reason=said).reset_index(drop=True)
        out.append(Question(key, words["questions"][key], customers, "" if len(customers) else words["nobody"]))
    return out


Answer = tuple[list[str], pd.DataFrame | None]


def _most_valuable(table: pd.DataFrame) -> Answer:
    amount = next((name for name in (c.MONETARY_12M, c.MONETARY) if name in table), None)
    if amount is None:
        return [c.MONETARY], None
    value = _float(table[amount])
    found = pd.DataFrame(
        {"value": value, "share": [f"{share:.1%}" for share in value / max(value.sum(), 1e-9)]}
    ).assign(measure=amount)
    return [], found[value > 0]


def _most_loyal(table: pd.DataFrame) -> Answer:
    needed = [c.ORDER_COUNT, c.TENURE_DAYS, c.RECENCY_DAYS, c.MEAN_GAP_DAYS]
    if not set(needed) <= set(table):
        return needed, None
    orders, tenure, recency, gap = (_float(table[name]) for name in needed)
    found = pd.DataFrame({"value": orders, "orders": orders, "tenure": tenure, "recency": recency})
    return [], found[(orders > 1) & (recency <= _OVERDUE * gap.clip(lower=_SHORTEST_GAP))]


def _prospects(table: pd.DataFrame) -> Answer:
    score = next((name for name in _POTENTIAL if name in table), None)
    if score is None:
        return [" / ".join(_POTENTIAL)], None
    value = _float(table[score])
    never = _float(table[c.ORDER_COUNT]) == 0 if c.ORDER_COUNT in table else np.ones(len(table), dtype=bool)
    return [], pd.DataFrame({"value": value}).assign(measure=score)[never & (value > 0)]


def _growing(table: pd.DataFrame) -> Answer:
    span = next((span for span in _SPANS if f"monetary_prev_{span}" in table), None)
    if span is None:
        return [f"monetary_{_SPANS[0]}", f"monetary_prev_{_SPANS[0]}"], None
    now, before = _float(table[f"monetary_{span}"]), _float(table[f"monetary_prev_{span}"])
    found = pd.DataFrame({"value": now - before, "now": now, "before": before}).assign(span=span)
    return [], found[(before > 0) & (now > before)]


def _leaving(table: pd.DataFrame) -> Answer:
    needed = [c.RECENCY_DAYS, c.MEAN_GAP_DAYS, c.MONETARY]
    if not set(needed) <= set(table):
        return needed, None
    recency, gap, value = (_float(table[name]) for name in needed)
    found = pd.DataFrame({"value": value, "recency": recency, "gap": gap})
    return [], found[(recency > _OVERDUE * gap.clip(lower=_SHORTEST_GAP)) & (recency < _GONE_DAYS) & (value > 0)]


_ASKED: Final[dict[str, Callable[[pd.DataFrame], Answer]]] = {
    "most_valuable": _most_valuable,
    "most_loyal": _most_loyal,
    "prospects": _prospects,
    "growing": _growing,
    "leaving": _leaving,
}


def _float(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values).astype("float64")


def _shown(row: Mapping[str, Any], words: Any) -> dict[str, str]:
    """Give what a sentence says of a customer: numbers without decimals, measures and spans in words."""
    shown = {name: f"{value:,.0f}" if isinstance(value, float) else str(value) for name, value in row.items()}
    if "measure" in row:
        shown["measure"] = words["measures"][row["measure"]]
    if "span" in row:
        shown["span"] = words["spans"][row["span"][-1]].format(n=row["span"][:-1])
    return shown
