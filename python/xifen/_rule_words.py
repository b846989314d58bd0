"""What the reports on rules share: their language, values in it, and texts that cannot disturb the lines they stand in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from xifen.errors import ParameterError

__all__ = ["LANGUAGES", "language_of", "value_in", "visible"]

LANGUAGES: Final = ("en", "zh")

#: A text as SQL writes it, or anything else.
_ONE = r"('(?:[^']|'')*'|[^']+?(?: '[^']*')?)"
#: How core calls values that are not one value, and what Chinese calls them.
_CHINESE: Final = [
    (re.compile(pattern), words)
    for pattern, words in (
        (r"missing", "缺失"),
        (r"present", "有值"),
        (r"any number", "任意数值"),
        (r"any text", "任意文本"),
        (r"another text", "其他文本"),
        (rf"a text before {_ONE}", r"\1 之前的文本"),
        (rf"a text after {_ONE}", r"\1 之后的文本"),
        (rf"a text between {_ONE} and {_ONE}", r"\1 与 \2 之间的文本"),
        (rf"just after {_ONE}", r"紧接 \1 之后的文本"),
        (rf"just above {_ONE}", r"略高于 \1"),
        (rf"just below {_ONE}", r"略低于 \1"),
        (rf"below {_ONE}", r"低于 \1"),
        (rf"above {_ONE}", r"高于 \1"),
        (rf"before {_ONE}", r"早于 \1"),
        (rf"after {_ONE}", r"晚于 \1"),
        (rf"between {_ONE} and {_ONE}", r"\1 与 \2 之间"),
    )
]
_NUMBERED: Final = re.compile(r"(.*?)( \(\d+\))?", re.DOTALL)
#: What moves to another line or column, and what turns the direction of the text behind it.
_UNSEEN: Final = re.compile("[\\x00-\\x1f\\x7f-\\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def language_of(lang: Any, labels: list[str], aliases: Mapping[str, Mapping[str, str]]) -> str:
    """Give the wanted language; where none is, that of the labels if they have one, or English."""
    if lang is None:
        return "zh" if labels and all(aliases.get(label, {}).get("zh") == label for label in labels) else "en"
    if lang not in LANGUAGES:
        raise ParameterError(f"lang is {lang!r}; wanted 'en', 'zh' or None for the language of the labels")
    return str(lang)


def value_in(lang: str, value: str) -> str:
    """Give a value, or what stands for many, in a language."""
    if lang == "en":
        return value
    name, number = _NUMBERED.fullmatch(value).groups()  # type: ignore[union-attr]  # it matches any text
    for pattern, words in _CHINESE:
        found = pattern.fullmatch(name)
        if found:
            return found.expand(words) + (number or "")
    return value


def visible(text: str) -> str:
    r"""Write line ends, tabs and marks of direction as ``\n``, ``\t`` and ``\u202e``."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
