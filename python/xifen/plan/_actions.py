"""From types to action: the playbook, owners with their capacity, and the next contact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from xifen import _columns as c
from xifen.errors import InputError
from xifen.management import management_table
from xifen.presets import load_preset, strategies

if TYPE_CHECKING:
    from xifen.plan._plan import Plan
    from xifen.plan._tables import Customers

__all__ = ["OWNER", "NEXT_CONTACT", "CHANNEL", "add_actions", "management", "playbook"]

OWNER = "owner"
NEXT_CONTACT = "next_contact"
CHANNEL = "contact_channel"


def playbook(plan: Plan) -> pd.DataFrame | None:
    """Give the playbook of a plan, a row per type."""
    said = plan.values.get("playbook")
    if said is None:
        return None
    table = load_preset(said["preset"], lang=plan.lang)
    return table.rename(
        columns={"playbook_key": "key", "investment_level": "investment", "contact_days": "contact_interval"}
    )


def add_actions(result: Any, customers: Customers) -> None:
    """To come."""


def management(result: Any, *, contact: bool, owners: bool) -> pd.DataFrame:
    """Lay out the management table of a result."""
    table = result._rows()
    columns = dict(result.plan.values.get("output", {}).get("columns", {}))
    columns.setdefault(c.CUSTOMER_TYPE, result.segment)
    said = result.plan.block("privacy")
    columns.setdefault(c.OPT_OUT, said["opt_out"])
    book = result.plan.values.get("playbook", {}).get("preset")
    return management_table(table, result.lang, columns=columns, playbook=book, contact=contact)
