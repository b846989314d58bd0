"""The one-page card of a customer: facts, history, tags, why, actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from xifen import _columns as c
from xifen import _core
from xifen._report import wide
from xifen.plan._actions import NEXT_CONTACT, OWNER
from xifen.report._words import Words

__all__ = ["Card", "make", "near_id"]

#: Characters on a line of the text.
_WIDTH: Final = 110


@dataclass(frozen=True)
class Card:
    """What there is to know of one customer.

    Attributes
    ----------
    customer_id : object
    segment : str or None
        The type that carries the strategy.
    facts, history, scores : dict
        The customer's own columns; what the tables made of orders and messages; the scores.
    tags, unknown_tags : list of str
    why : dict of str to str
        Per step that decides by rules, how it decided, in words.
    actions : dict
        Of the playbook direction, actions, service_level, channel; owner, next_contact.
    text : str
        All of it to read; also what `print` shows. Of `why` only the step of the segment.
    """

    customer_id: Any
    segment: str | None
    facts: dict[str, Any]
    history: dict[str, Any]
    scores: dict[str, Any]
    tags: list[str]
    unknown_tags: list[str]
    why: dict[str, str]
    actions: dict[str, Any]
    text: str = field(repr=False)

    def __repr__(self) -> str:
        return self.text


def make(result: Any, row: pd.DataFrame, explained: Mapping[str, str], opted_out: bool) -> Card:
    """Make the card of the one row of a frame."""
    words, plan = result.plan.words["card"], result.plan
    values = {name: _plain(row[name].iloc[0]) for name in row}
    added = {column for step in plan.steps for column in step.adds}
    history = {name: values[name] for name in values if name in result.table_columns and name != c.CUSTOMER_ID}
    acted = (OWNER, NEXT_CONTACT, "contact_channel")
    facts = {name: value for name, value in values.items() if name not in {*history, *added, *acted, c.CUSTOMER_ID}}
    segment = values.get(result.segment) if result.segment else None
    actions = {name: values[name] for name in (OWNER, NEXT_CONTACT) if name in values}
    if result.playbook is not None and segment is not None and not opted_out:
        advice = result.playbook.set_index("label").loc[segment] if segment in set(result.playbook["label"]) else {}
        actions = {
            **{
                name: _plain(advice[name])
                for name in ("direction", "actions", "service_level", "channel")
                if name in advice
            },
            **actions,
        }
    scores = {name: values[name] for name in result.scores}
    tags = [name for name in result.tags if values[name] is True]
    unknown = [name for name in result.tags if values[name] is None]
    decided = next((step.name for step in plan.steps if result.segment in step.adds), "")
    # Columns and codes have no Chinese names of their own; in English they stand as they are.
    say = Words(plan.lang) if plan.lang == "zh" else None
    colon, comma = ("：", "、") if say else (": ", ", ")
    lines = [
        words["title"].format(id=values[c.CUSTOMER_ID], as_of=result.as_of),
        f"{words['type']}{colon}{segment or words['none']}",
        *_section(words["facts"], facts, say),
        *_section(words["history"], history, say),
        *_section(words["scores"], scores, say),
        f"{words['tags']}{colon}{comma.join(tags) or words['nothing']}",
        *([f"{words['unknown_tags']}{colon}{comma.join(unknown)}"] if unknown else []),
        *(
            [words["why"] + colon.rstrip(), *(f"  {line}" for line in explained[decided].splitlines())]
            if decided in explained
            else []
        ),
        *([words["opted_out"]] if opted_out else []),
        *_section(
            words["actions"], {words.get(name, name): value for name, value in _marked(result, actions).items()}, say
        ),
    ]
    return Card(
        values[c.CUSTOMER_ID],
        segment,
        facts,
        history,
        scores,
        tags,
        unknown,
        dict(explained),
        actions,
        "\n".join(lines),
    )


def _marked(result: Any, actions: Mapping[str, Any]) -> dict[str, Any]:
    """Say by a word beside the day of the next contact that it is past."""
    day = actions.get(NEXT_CONTACT)
    if day is None or day >= result.as_of:
        return dict(actions)
    late = result.plan.words["management"]["overdue"]
    return {**actions, NEXT_CONTACT: f"{day}（{late}）" if result.lang == "zh" else f"{day} ({late})"}


def _section(title: str, values: Mapping[str, Any], say: Words | None) -> list[str]:
    """Write values below a title, as many on a line as there is room for."""
    lines: list[str] = []
    for name, value in values.items():
        if value is None:
            continue
        shown = f"{say.column(name)}：{_shown(value, say)}" if say else f"{name}: {_shown(value, say)}"
        if lines and wide(lines[-1]) + wide(shown) + 3 <= _WIDTH:
            lines[-1] += f" | {shown}"
        else:
            lines.append(f"  {shown}")
    return [f"{title}{'：' if say else ':'}", *lines] if lines else []


def _shown(value: Any, say: Words | None) -> str:
    if say and isinstance(value, bool):
        return say.value(value)
    if say and isinstance(value, str):
        return str(say.known(value))
    return f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    """Give a value as plain Python has it; missing is None, a day without a time a date."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.date() if value == value.normalize() else value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value


def near_id(customer_id: Any, ids: pd.Series) -> str:
    """Say which id could be meant: the same in another kind, as ids of files are text, or one that is written alike."""
    written = ids.astype(str)
    same = ids[written == str(customer_id)]
    if len(same):
        kind = "text" if isinstance(same.iloc[0], str) else "numbers"
        return f"; ids are {kind} here: {same.tolist()[0]!r}"
    return _core.did_you_mean(str(customer_id), written.head(100_000).tolist())
