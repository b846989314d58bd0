"""Plans and their results, made once for the tests that read them."""

from __future__ import annotations

from functools import cache
from typing import Any

import xifen as xf

CRM = xf.datasets.make_crm(400, seed=7)
#: What each preset plan reads of it.
READS = {
    "sales.zh": ("orders", "customers", "messages"),
    "sales.en": ("orders", "customers", "messages"),
    "retail": ("orders", "customers"),
    "leads": ("leads",),
}


def data(name: str, crm: Any = CRM) -> dict[str, Any]:
    """The frames of a preset plan, as `fit` takes them."""
    return {"customers" if table == "leads" else table: getattr(crm, table) for table in READS[name]}


@cache
def fitted(name: str) -> xf.Segmentation:
    return xf.Plan.preset(name).fit(**data(name))


def small(**blocks: Any) -> xf.Plan:
    """A plan with an order log and nothing else but what is given."""
    return xf.Plan.from_dict({"xifen": 1, "as_of": "2026-06-30", "tables": {}, **blocks})


def orders(**columns: Any) -> dict[str, Any]:
    """Five orders of three customers."""
    log = {
        "customer_id": ["a", "a", "b", "b", "c"],
        "timestamp": ["2026-06-01", "2026-03-01", "2026-01-10", "2025-08-01", "2024-02-29"],
        "amount": [100.0, 50.0, 600.0, 20.0, 5.0],
    }
    return {**log, **columns}
