"""A row per segment: how many customers, how much revenue, what they are like, what to do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xifen import _columns as c
from xifen.plan import privacy

__all__ = ["profile"]

_MEASURES = (
    c.RECENCY_DAYS,
    c.ORDER_COUNT,
    c.ORDER_COUNT_12M,
    c.MONETARY,
    c.MONETARY_12M,
    c.MEAN_ORDER_VALUE,
    c.TENURE_DAYS,
)


def profile(
    table: pd.DataFrame,
    segment: str,
    segments: Sequence[str],
    scores: Sequence[str],
    playbook: pd.DataFrame | None,
    small_cells: int | None,
) -> pd.DataFrame:
    """Describe each segment; with `small_cells` those that are too small, or given away by totals, are left out."""
    codes = pd.Categorical(table[segment].astype(object), segments).codes
    groups = pd.DataFrame({"code": codes}).groupby("code")
    size = groups.size()
    present = [*range(len(segments)), *([-1] if -1 in size.index else [])]
    out = pd.DataFrame({segment: pd.Categorical.from_codes(present, segments)})
    out["customers"] = size.reindex(present, fill_value=0).to_numpy()
    out["share"] = out["customers"] / len(table)
    if c.MONETARY in table:
        money = table[c.MONETARY].astype("float64")
        out["revenue"] = money.groupby(codes).sum().reindex(present, fill_value=0.0).to_numpy()
        total = money.sum()
        out["revenue_share"] = out["revenue"] / total if total else np.nan
    for name in [*_MEASURES, *scores]:
        if name in table:
            values = pd.to_numeric(table[name]).astype("float64")
            out[f"mean_{name}"] = values.groupby(codes).mean().reindex(present).to_numpy()
    if small_cells is not None:
        shown = privacy.suppress(out["customers"], small_cells)
        measured = [name for name in out if name not in (segment, "customers")]
        out.loc[shown.isna().to_numpy(), measured] = np.nan
        out["customers"] = shown
    if playbook is not None:
        advice = playbook.set_index("label").reindex(out[segment].astype(object))
        out["direction"], out["actions"] = advice["direction"].to_numpy(), advice["actions"].to_numpy()
    return out
