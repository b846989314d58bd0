"""What notebooks show: a heading, tables and a badge as plain HTML, without scripts or anything to fetch."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

__all__ = ["Badge", "Part", "shown"]


@dataclass(frozen=True)
class Badge:
    """A short judgement: green when good, red otherwise."""

    text: str
    good: bool


#: A judgement, a table with its caption, or lines of text.
Part: TypeAlias = Badge | tuple[str, pd.DataFrame] | str

#: Longer tables and texts are cut, and say so.
_ROWS: Final = 40
_CHARACTERS: Final = 300
_CELL: Final = "padding:2px 10px 2px 0;border-bottom:1px solid rgba(128,128,128,.35);vertical-align:top"


def shown(title: str, *parts: Part) -> str:
    """Give the HTML of an object.

    Parameters
    ----------
    title : str
        What it is; code.
    parts : Badge, (str, pandas.DataFrame) or str
        Badges, tables with captions, and texts, one after the other.

    Returns
    -------
    str
        One element that works on light and on dark pages.

    Examples
    --------
    >>> import pandas as pd
    >>> "<script>" in shown("x", ("edges", pd.DataFrame({"label": ["<script>"]})))
    False
    """
    body = "".join(_part(part) for part in parts)
    return f'<div style="font-size:13px;overflow-x:auto"><code>{_cut(title)}</code>{body}</div>'


def _part(part: Part) -> str:
    if isinstance(part, Badge):
        colour = "#1a7f43" if part.good else "#d1453b"
        style = (
            f"border:1px solid {colour};color:{colour};border-radius:9px;padding:0 8px;margin-left:8px;font-weight:600"
        )
        return f'<span style="{style}">{"✓" if part.good else "✗"} {escape(part.text)}</span>'
    if isinstance(part, str):
        return f'<pre style="white-space:pre-wrap;margin:6px 0">{escape(part)}</pre>'
    return _table(*part)


def _table(caption: str, table: pd.DataFrame) -> str:
    numeric = [pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype) for dtype in table.dtypes]
    sides = ["right" if number else "left" for number in numeric]
    head = "".join(
        f'<th style="{_CELL};text-align:{side}">{_cut(name)}</th>' for name, side in zip(table, sides, strict=True)
    )
    columns = [table[name].head(_ROWS).astype(object).tolist() for name in table]
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td style="{_CELL};text-align:{side}">{_cell(value)}</td>' for value, side in zip(row, sides, strict=True)
        )
        + "</tr>"
        for row in zip(*columns, strict=True)
    )
    more = f"<div>{len(table) - _ROWS:,} more rows</div>" if len(table) > _ROWS else ""
    line = f'<div style="margin-top:8px;font-weight:600">{_cut(caption)}</div>' if caption else ""
    return f'{line}<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}'


def _cell(value: Any) -> str:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return f"{number:,.0f}" if number.is_integer() and abs(number) < 1e15 else f"{number:,.4g}"
    return _cut(value)


def _cut(value: Any) -> str:
    text = str(value)
    return escape(text if len(text) <= _CHARACTERS else f"{text[: _CHARACTERS - 1]}…")
