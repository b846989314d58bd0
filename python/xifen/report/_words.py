"""The words of the report in one language, and the cleaning of every text that comes from data."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import numpy as np
import pandas as pd

from xifen._report import CHINESE_NAMES
from xifen.errors import ParameterError
from xifen.presets import list_presets

__all__ = ["LONGEST", "Words"]

#: Texts of data are cut here, with a notice; rules may be longer.
LONGEST: Final = 200
_LONGEST_RULE: Final = 4000
#: Control characters, direction overrides that reorder the page around them, halves of surrogate pairs.
_HOSTILE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MEASURES: Final = "order_count|monetary|login_count|enquiry_count|response_rate|phone_call_count"
_WINDOW: Final = re.compile(rf"({_MEASURES})(_prev)?_(\d+)([DM])")
#: The ends of columns that are made of something which has a word of its own, and the words for them.
_ENDS: Final = {
    "_points": "points_of",
    "_label": "label_of",
    "_per_message": "per_message",
    "_messages_with": "messages_with",
    "_count": "mentions",
}


@functools.cache
def _read(name: str) -> Any:
    return json.loads(resources.files("xifen.report").joinpath(f"{name}.json").read_text(encoding="utf-8"))


@functools.cache
def _titles(lang: str) -> dict[str, str]:
    presets = list_presets()
    return dict(zip(presets["name"], presets[f"title_{lang}"], strict=True))


class Words:
    """Titles, sentences and numbers in one language.

    Attributes
    ----------
    cut, cleaned : int
        How many texts of data were cut, and how many lost characters that would disturb the page.
    """

    def __init__(self, lang: str) -> None:
        if lang not in ("zh", "en"):
            raise ParameterError(f"lang is {lang!r}; wanted 'zh' or 'en'")
        self.lang = lang
        self.cut = self.cleaned = 0

    def __call__(self, key: str, **values: Any) -> str:
        """Give the sentence of this key."""
        text: str = _read("words")[key][self.lang]
        return text.format(**values) if values else text

    def all(self) -> dict[str, str]:
        """Give every sentence, for the page."""
        return {key: both[self.lang] for key, both in _read("words").items()}

    def text(self, value: Any, *, limit: int = LONGEST) -> str:
        """Give a text of the data as it may stand on the page."""
        text = str(value)
        if len(text) > limit:
            text = text[: limit - 1] + "…"
            self.cut += 1
        clean = _HOSTILE.sub("\ufffd", text)
        self.cleaned += clean != text
        return clean

    def sentence(self, value: Any) -> str:
        """Give a sentence, with the names of columns in words, and in Chinese codes too."""
        text = str(value)
        if self.lang == "zh":  # in English a column's name of one word may be a word of the sentence
            text = re.sub(r"'([^']*)'", lambda found: f"'{self.known(found[1])}'", text)
            columns = _read("columns")["columns"]
            text = re.sub(
                r"\b[a-z]+\b",
                lambda found: self.column(found[0]) if found[0] in columns else found[0],
                text,
                flags=re.ASCII,
            )
        return self.text(
            re.sub(r"[a-zA-Z]\w*_\w*[a-zA-Z0-9]", lambda found: self.column(found[0]), text, flags=re.ASCII)
        )

    def rule(self, value: Any, parameters: Mapping[str, Any] | None = None) -> str:
        """Give a rule's text, with the values of its parameters in their places."""
        known = parameters or {}

        def filled(found: re.Match[str]) -> str:
            if found[1] not in known:
                return found[0]
            value = known[found[1]]
            return (
                f"'{value}'" if isinstance(value, str) else f"{value:.15g}" if isinstance(value, float) else str(value)
            )

        return self.text(re.sub(r"(?<![:\w]):(\w+)", filled, str(value)), limit=_LONGEST_RULE)

    def column(self, name: str) -> str:
        """Give what people call a column; its own name where they have no word for it."""
        known = _read("columns")
        if name in known["columns"]:
            return str(known["columns"][name][self.lang])
        found = _WINDOW.fullmatch(name)
        if found:
            measure, before, number, unit = found.groups()
            windows = known["windows"]
            span = windows[unit][self.lang].format(n=number)
            return str(windows[measure + (before or "")][self.lang].format(span=span))
        for end, key in _ENDS.items():
            base = name.removesuffix(end)
            word = known["parts"].get(base) or (known["columns"].get(base) if end == "_label" else None)
            if base != name and word:
                return self(key, measure=word[self.lang])
        if name.endswith("_band"):
            return self("band", measure=self.column(name.removesuffix("_band")))
        return self.text(name)

    def count(self, key: str) -> str:
        """Name a count of a result; of a conversion ("orders: amount, unit") by its file, its column and what was done."""
        file, _, rest = key.partition(": ")
        column, comma, conversion = rest.rpartition(", ")
        if not comma:
            return self.column(key)
        done = CHINESE_NAMES.get(conversion, conversion) if self.lang == "zh" else conversion.replace("_", " ")
        return self("conversion", file=self(f"file.{file}"), column=self.column(column), done=done)

    def step(self, name: str) -> str:
        """Give what people call a step of the model: the title of its preset, where it is one's."""
        return _titles(self.lang).get(name.partition(" ")[0]) or self.text(name)

    def value(self, value: Any) -> str:
        """Give a value of the data in words."""
        if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
            return self("missing")
        if isinstance(value, (bool, np.bool_)):
            return self("true" if value else "false")
        if isinstance(value, (dt.date, np.datetime64)):
            return f"{pd.Timestamp(value):%Y-%m-%d}"
        if isinstance(value, (int, float, np.number)):
            return self.number(float(value))
        return self.text(self.known(value))

    def known(self, value: Any) -> Any:
        """Give the word for a code; what is none stays as it is."""
        known = _read("columns")["values"].get(value)
        return known[self.lang] if known else value

    def number(self, value: float) -> str:
        """Write a number with as many decimals as it needs."""
        if not np.isfinite(value):
            return "–"
        if value == round(value) or abs(value) >= 1000:
            return f"{value:,.0f}"
        return f"{value:,.{1 if abs(value) >= 100 else 2}f}"

    def short(self, value: float) -> str:
        """Write a large number briefly: 1.2亿, 34.5万; 1.2M, 34.5k."""
        steps = {"zh": ((1e8, "亿"), (1e4, "万")), "en": ((1e9, "bn"), (1e6, "M"), (1e4, "k"))}[self.lang]
        for size, name in steps:
            if abs(value) >= size:
                number = value / (1e3 if name == "k" else size)
                return f"{number:,.{2 if abs(number) < 10 else 1}f}{name}"
        return self.number(value)

    def share(self, value: float) -> str:
        """Write a share as per cent."""
        return f"{value:.1%}" if np.isfinite(value) else "–"
