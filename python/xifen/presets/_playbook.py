"""Playbooks: what to do for each type of customer, and what to think of before doing it."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd

from xifen._frame import as_kind
from xifen._warn import warn
from xifen.errors import InputError
from xifen.presets._files import Lang, names, one_of, read, words

__all__ = ["playbook", "strategies"]

#: How many types with a strategy of their own a sales team can keep apart.
_MOST_TYPES = 6


def playbook(name: str, lang: Lang) -> pd.DataFrame:
    """Read a playbook as a frame, one row per type; without a language its texts stand in both."""
    preset = read(name)
    shared = words("playbook")
    spoken = {
        field: {entry["key"]: entry for entry in shared[field]}
        for field in ("service_level", "investment_level", "channel")
    }
    rows = []
    for entry in preset["entries"]:
        row: dict[str, Any] = {
            "playbook_key": f"{preset['namespace']}.{entry['key']}",
            "label": entry[lang or "key"],
        }
        for one in [lang] if lang else ["zh", "en"]:
            mark = "" if lang else f"_{one}"
            row |= {
                f"direction{mark}": entry["direction"][one],
                f"actions{mark}": {"zh": "；", "en": "; "}[one].join(action[one] for action in entry["actions"]),
                **{
                    f"{field}{mark}": _joined(entry[field], spoken[field], one)
                    for field in ("service_level", "investment_level", "channel")
                },
            }
        rows.append({**row, "contact_days": entry["contact_days"]})
    table = pd.DataFrame(rows)
    _check(table)
    return table


def strategies(given: Any, lang: Literal["en", "zh"]) -> tuple[dict[str, str], dict[str, str]]:
    """Give, for every way to write a type of a playbook, its label in a language and its actions."""
    if isinstance(given, str):
        one_of("playbook", given, [name for name in names() if name.startswith("playbook.")])
        table = playbook(given, lang)
        written = [[entry[kind] for kind in ("key", "zh", "en")] for entry in read(given)["entries"]]
        actions = "actions"
    elif given is None:
        raise TypeError("playbook is None; wanted the name of a preset or a frame such as load_preset makes of one")
    else:
        table = as_kind(given, "pandas")
        actions = f"actions_{lang}" if f"actions_{lang}" in table else "actions"
        for name in ("playbook_key", "label", actions):
            if name not in table:
                raise InputError(f"the playbook has no column '{name}'; edit one that load_preset makes")
        _check(table)
        written = [[key.rpartition(".")[2]] for key in table["playbook_key"]]
    labels: dict[str, str] = {}
    advice: dict[str, str] = {}
    each = zip(table["playbook_key"], table["label"], table[actions], written, strict=True)
    for key, label, text, others in each:
        for way in (key, label, *others):
            labels[way], advice[way] = label, text
    return labels, advice


def _check(table: pd.DataFrame) -> None:
    """Warn of more types than a team can keep apart, and of prices that hang on what a customer is worth."""
    keys = table["playbook_key"].tolist()
    if len(keys) > _MOST_TYPES:
        merges = {
            preset["namespace"]: preset["merge"]
            for preset in map(read, names())
            if preset["operation"] == "playbook" and "merge" in preset
        }
        merge = next((merges[space] for key in keys if (space := key.rpartition(".")[0]) in merges), None)
        advice = f"; {merge} merges them" if merge else ": merge some"
        warn(
            f"{len(keys)} types carry a strategy of their own, more than the {_MOST_TYPES} a sales team can keep apart"
            f"{advice}",
        )
    shared = words("playbook")
    texts = (
        table[[column for column in table if str(column).startswith("actions")]]
        .fillna("")
        .agg(" ".join, axis=1)
        .str.lower()
    )
    priced = texts.str.contains("|".join(shared["price_words"]), regex=True)
    tags = table["playbook_key"].str.startswith(tuple(shared["price_must_not_hang_on"]))
    found = table.loc[priced & tags, "playbook_key"].tolist()
    if found:
        warn(
            f"the playbook gives {', '.join(found)} a price or a coupon because of a value or price-sensitivity tag; "
            "China's Personal Information Protection Law (article 24) forbids unreasonable differences in price "
            "by automated decision: offer it to everyone, or take it out",
        )


def _joined(keys: str | list[str], spoken: dict[str, dict[str, str]], lang: str) -> str:
    listed = [keys] if isinstance(keys, str) else keys
    return {"zh": "、", "en": ", "}[lang].join(spoken[key][lang] for key in listed)
