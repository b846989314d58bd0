"""From types to action: the playbook, owners with their capacity, and the next contact."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from xifen import _columns as c
from xifen.errors import InputError
from xifen.management import management_table
from xifen.plan._check import At
from xifen.plan._tables import LAST_MESSAGE, Customers
from xifen.presets import load_preset

__all__ = ["CHANNEL", "NEXT_CONTACT", "OWNER", "add_actions", "management", "opted_out", "playbook", "types_of"]

OWNER: Final = "owner"
NEXT_CONTACT: Final = "next_contact"
CHANNEL: Final = "contact_channel"
_RENAMED: Final = {"playbook_key": "key", "investment_level": "investment", "contact_days": "contact_interval"}
_PLAYBOOK: Final = [
    "key",
    "label",
    "direction",
    "actions",
    "service_level",
    "investment",
    "channel",
    "contact_interval",
]
_OWNERS: Final = ["type", "industry", "role", "capacity", "assigned"]


def playbook(said: Mapping[str, Any], lang: Literal["zh", "en"], at: At) -> pd.DataFrame:
    """Give the playbook of a plan, a row per type: those of the preset, then the plan's own, which replace them."""
    entries = said.get("entries", {})
    if "preset" not in said and not entries:
        at.refuse("wanted a preset, or entries of your own")
    table = pd.DataFrame(columns=_PLAYBOOK)
    if "preset" in said:
        table = load_preset(said["preset"], lang=lang).rename(columns=_RENAMED)
    own = []
    for type_, entry in entries.items():
        known = (table["label"] == type_) | (_last(table["key"]) == type_)
        row = {
            "key": f"plan.{type_}",
            "label": type_,
            **(table[known].iloc[0].to_dict() if known.any() else {}),
            **entry,
        }
        row["actions"] = "；".join(row["actions"]) if lang == "zh" else "; ".join(row["actions"])
        table = table[~known]
        own.append(row)
    return pd.DataFrame([*table.to_dict("records"), *own], columns=_PLAYBOOK) if own else table[_PLAYBOOK]


def types_of(
    book: pd.DataFrame | None, said: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Every way to write a type, to its label: the label itself, its key, its names in both languages."""
    ways: dict[str, str] = {}
    for label, others in labels.items():
        ways |= dict.fromkeys(others.values(), label)
        ways[label] = label
    if book is not None:
        for way, label in zip(_last(book["key"]), book["label"], strict=True):
            ways.setdefault(way, label)
            ways.setdefault(label, label)
        languages: tuple[Literal["zh", "en"], ...] = ("zh", "en") if "preset" in said else ()
        for lang in languages:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # it has been said of this playbook
                other = load_preset(said["preset"], lang=lang)
            for key, label in zip(_last(other["playbook_key"]), other["label"], strict=True):
                if key in ways:
                    ways.setdefault(label, ways[key])
    return ways


def add_actions(plan: Any, customers: Customers) -> None:
    """Add owners and next contacts to the customers, and count them and those who opted out."""
    columns = customers.columns
    out = opted_out(plan, columns)
    customers.counts["opted_out"] = int(out.sum())
    if plan.segment is None:
        return
    if plan.segment not in columns:
        raise InputError(f"[playbook] says that '{plan.segment}' carries the strategy, but the data has no such column")
    types = columns[plan.segment].astype(object)
    if plan.values.get("owners"):
        _add_owners(plan, customers, types)
    if plan.playbook is not None or "contact" in plan.values:
        _add_contacts(plan, customers, types, out)


def opted_out(plan: Any, columns: Mapping[str, pd.Series]) -> np.ndarray:
    """Say who wants no marketing."""
    name = plan.block("privacy")["opt_out"]
    if name not in columns:
        if "opt_out" in plan.values.get("privacy", {}):
            raise InputError(
                f"[privacy] opt_out names '{name}', but the data has no such column: nobody's wish may be lost"
            )
        return np.zeros(len(columns[c.CUSTOMER_ID]), dtype=bool)
    values = columns[name]
    try:
        truths = values.astype("boolean")
    except (TypeError, ValueError):
        raise InputError(
            f"column '{name}' says who wants no marketing and holds {values.dtype}; wanted true or false"
        ) from None
    # Who has not said so is not known to have agreed either; but only a stated wish can be counted as one.
    wishes: np.ndarray = truths.fillna(value=False).to_numpy(dtype=bool)
    return wishes


def _add_owners(plan: Any, customers: Customers, types: pd.Series) -> None:
    """Give every customer the first owner who takes the type and industry and has room; the most valuable first."""
    columns = customers.columns
    worth = next((columns[name] for name in (c.MONETARY_12M, c.MONETARY, *_scores(plan)) if name in columns), None)
    places = np.arange(len(types))
    if worth is not None:
        numbers = pd.to_numeric(worth).astype("float64").fillna(-np.inf).to_numpy()
        places = np.argsort(-numbers, kind="stable")
    owner = np.full(len(types), None, dtype=object)
    lines = []
    for line in plan.values["owners"]:
        free = pd.isna(owner) & types.notna().to_numpy()
        if "type" in line:
            free &= types.isin([plan.types.get(way, way) for way in _listed(line["type"])]).to_numpy()
        if "industry" in line:
            if c.INDUSTRY not in columns:
                raise InputError(f"[[owners]] goes by industry, but the data has no column '{c.INDUSTRY}'")
            free &= columns[c.INDUSTRY].astype(object).isin(_listed(line["industry"])).to_numpy()
        taken = places[free[places]][: line.get("capacity")]
        owner[taken] = line["role"]
        shown = {key: ", ".join(_listed(line[key])) if key in line else None for key in ("type", "industry")}
        lines.append({**shown, "role": line["role"], "capacity": line.get("capacity"), "assigned": len(taken)})
    columns[OWNER] = pd.Series(pd.Categorical(owner, list(dict.fromkeys(line["role"] for line in lines))))
    unassigned = int(pd.isna(owner).sum())
    customers.counts["unassigned"] = unassigned
    last = {"type": None, "industry": None, "role": None, "capacity": None, "assigned": unassigned}
    customers.owners = pd.DataFrame([*lines, last], columns=_OWNERS).astype({"capacity": "Int64"})


def _add_contacts(plan: Any, customers: Customers, types: pd.Series, opted_out: np.ndarray) -> None:
    """Say when and how each customer is contacted next: the last contact and the days of the type; now, where none is known."""
    columns = customers.columns
    said = plan.values.get("contact", {})
    days: dict[str, float] = {}
    channel: dict[str, str] = {}
    if plan.playbook is not None:
        days = dict(zip(plan.playbook["label"], plan.playbook["contact_interval"], strict=True))
        channel = dict(zip(plan.playbook["label"], plan.playbook["channel"], strict=True))
    days |= {plan.types.get(way, way): number for way, number in said.get("days", {}).items()}
    channel |= {plan.types.get(way, way): text for way, text in said.get("channel", {}).items()}
    named = said.get("last", LAST_MESSAGE)
    if "last" in said and named not in columns:
        raise InputError(f"[contact] last names '{named}', but the data has no such column")
    today = pd.Timestamp(customers.as_of)
    last = pd.Series(pd.NaT, index=types.index, dtype="datetime64[s]")
    if named in columns:
        known = pd.to_datetime(columns[named])
        known = known.dt.tz_localize(None) if known.dt.tz is not None else known
        last = known.dt.normalize()
    number = pd.to_numeric(types.map(days)).astype("float64")
    # 0 where there is none (`nobody` leaves these out): pandas before 3 rounds what it never wrote for a missing one.
    due = (last + pd.to_timedelta(number.fillna(0), unit="D")).where(last.notna(), today)
    nobody = opted_out | number.isna().to_numpy()
    columns[NEXT_CONTACT] = due.mask(nobody).astype("datetime64[s]")
    columns[CHANNEL] = types.map(channel).mask(nobody).astype("category")
    customers.counts["contacts_due"] = int((columns[NEXT_CONTACT] <= today).sum())
    customers.counts["contacts_overdue"] = int((columns[NEXT_CONTACT] < today).sum())


def management(result: Any, table: pd.DataFrame, *, contact: bool, owners: bool) -> tuple[pd.DataFrame, dict[str, str]]:
    """Lay out the management table of a result, on request with who and when behind it."""
    plan = result.plan
    columns = dict(plan.values.get("output", {}).get("columns", {}))
    ours = {c.CUSTOMER_TYPE: result.segment, c.OPT_OUT: plan.block("privacy")["opt_out"]}
    columns = {**{name: own for name, own in ours.items() if own in table}, **columns}
    book = pd.DataFrame(columns=_PLAYBOOK) if plan.playbook is None else plan.playbook
    listed = book.rename(columns={"key": "playbook_key"})
    absent = [
        label for label in result.segments if label not in set(book["label"])
    ]  # types nobody wrote a strategy for
    if absent:
        unlisted = [{"playbook_key": label, "label": label, "actions": None} for label in absent]
        listed = pd.DataFrame([*listed.to_dict("records"), *unlisted], columns=listed.columns)
    with warnings.catch_warnings():
        # The playbook's were said when it was loaded, columns that are absent stand in the notes.
        warnings.filterwarnings("ignore", "[0-9]+ types carry|the playbook gives|the frame has no", UserWarning)
        out, notes = management_table(
            table, plan.lang, columns=columns, playbook=listed, contact=contact, return_notes=True
        )
    if owners:
        words = plan.words["management"]
        for name in (OWNER, NEXT_CONTACT, CHANNEL):
            if name in table:
                out[words[name]] = table[name]
            if name == NEXT_CONTACT and name in table:
                days, today = table[name], pd.Timestamp(result.as_of)
                status = pd.Series(None, out.index, "str").mask(days < today, words["overdue"])
                status = status.mask(days == today, words["due"])
                if ours[c.OPT_OUT] in table:
                    status = status.mask(opted_out(plan, table), words["opted_out"])
                out[words["contact_status"]] = status
    return out, notes


def _scores(plan: Any) -> list[str]:
    return [name for step in plan.steps if step.block == "scorecards" for name in step.adds if name.endswith("score")]


def _last(keys: pd.Series) -> pd.Series:
    """Give keys without their namespace."""
    return keys.str.rsplit(".", n=1).str[-1]


def _listed(given: Any) -> list[str]:
    return [given] if isinstance(given, str) else list(given)
