"""What clusters are like: held against everyone, in numbers and in words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd

from xifen import _columns as names

__all__ = ["Language", "cluster_names", "described", "profile"]

Language = Literal["en", "zh"]

#: What less and what more of a known measure is called.
_WORDS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    names.RECENCY_DAYS: {"en": ("recent", "long ago"), "zh": ("近期购买", "久未购买")},
    names.ORDER_COUNT: {"en": ("infrequent", "frequent"), "zh": ("购买少", "购买频繁")},
    names.PURCHASE_DAYS: {"en": ("few purchase days", "many purchase days"), "zh": ("购买天数少", "购买天数多")},
    names.MONETARY: {"en": ("low monetary", "high monetary"), "zh": ("金额低", "金额高")},
    names.MEAN_ORDER_VALUE: {"en": ("small orders", "large orders"), "zh": ("单笔小", "单笔大")},
    names.TENURE_DAYS: {"en": ("new", "long-standing"), "zh": ("新客", "老客")},
    names.MEAN_GAP_DAYS: {"en": ("short gaps", "long gaps"), "zh": ("间隔短", "间隔长")},
    names.DISCOUNT_SHARE: {"en": ("few discounts", "many discounts"), "zh": ("少用折扣", "常用折扣")},
}
_TEXTS: Final = {
    "en": {
        "low": "low {}",
        "high": "high {}",
        "is": "{} {}",
        "over": "{} in {}",
        "very": "very {}",
        "between": ", ",
        "average": "average",
        "empty": "empty",
        "numbered": "{} ({})",
        "everyone": "everyone",
        "like": "like everyone",
    },
    "zh": {
        "low": "{}低",
        "high": "{}高",
        "is": "{}为{}",
        "over": "{1}{0}",
        "very": "非常{}",
        "between": "、",
        "average": "平均",
        "empty": "空",
        "numbered": "{}（{}）",
        "everyone": "全部",
        "like": "与全部相近",
    },
}
#: From which effect a trait sets a cluster apart, and from which it does so very much (Cohen 1988: medium is 0.5).
_APART: Final = 0.5
_VERY: Final = 1.5
#: How many traits a name has where they are enough to tell clusters apart.
_FEW: Final = 2


class Trait(NamedTuple):
    """One thing a cluster has: where its column stands, how far it is from everyone's, and the word for it."""

    place: int
    effect: float
    word: str


def profile(
    values: np.ndarray, scaled: np.ndarray, categories: Mapping[str, np.ndarray], codes: np.ndarray, count: int
) -> dict[str, Any]:
    """Sum up every cluster and, last, everyone; an empty cluster counts as like everyone."""
    everyone = np.argsort(codes, kind="stable")
    members = [*np.split(everyone, np.cumsum(np.bincount(codes, minlength=count))[:-1]), everyone]
    sizes = np.asarray([len(rows) for rows in members])
    members = [rows if len(rows) else everyone for rows in members]
    middle, spread = scaled.mean(axis=0), scaled.std(axis=0)
    spread[spread == 0] = 1.0
    largest = np.maximum(np.abs(values).max(axis=0), np.finfo(float).tiny)  # so that no sum overflows
    return {
        "size": sizes,
        "mean": np.asarray([np.mean(values[rows] / largest, axis=0) * largest for rows in members]),
        "median": np.asarray([np.median(values[rows], axis=0) for rows in members]),
        "effect": np.asarray(
            [(scaled[rows].mean(axis=0) - middle) / spread for rows in members[:-1]] + [np.zeros(len(middle))]
        ),
        "categories": {column: _category_profile(texts, members) for column, texts in categories.items()},
    }


def _category_profile(texts: np.ndarray, members: Sequence[np.ndarray]) -> dict[str, Any]:
    """Find what each cluster has more of than everyone: the category, its share, and Cohen's h of that share."""
    known, codes = np.unique(texts.astype(str), return_inverse=True)
    shares = np.asarray([np.bincount(codes[rows], minlength=len(known)) / len(rows) for rows in members])
    effects = 2 * (np.arcsin(np.sqrt(shares)) - np.arcsin(np.sqrt(shares[-1])))
    best = effects.argmax(axis=1)
    best[-1] = shares[-1].argmax()
    each = np.arange(len(members))
    return {
        "category": [str(known[place]) for place in best],
        "share": shares[each, best],
        "effect": effects[each, best],
    }


def cluster_names(
    found: Mapping[str, Any], columns: Sequence[str], numbers: Sequence[str], lang: Language
) -> list[str]:
    """Name each cluster by what sets it apart most; no name twice, and none that is a column's."""
    texts = _TEXTS[lang]
    traits = [_traits(found, columns, numbers, code, lang) for code, _ in enumerate(found["size"][:-1])]

    def named(code: int, chosen: Sequence[Trait], *, very: bool = False) -> str:
        if found["size"][code] == 0:
            return texts["empty"]
        words = [
            texts["very"].format(trait.word) if very and abs(trait.effect) >= _VERY else trait.word
            for trait in sorted(chosen)
        ]
        return texts["between"].join(words) or texts["average"]

    out = [named(code, own[:_FEW]) for code, own in enumerate(traits)]
    for alike in _alike(out):
        # The first trait, and the first that not all of them have.
        shared = set.intersection(*({trait.word for trait in traits[code]} for code in alike))
        for code in alike:
            own = [trait for trait in traits[code][1:] if trait.word not in shared]
            out[code] = named(code, [*traits[code][:1], *own[: _FEW - 1]])
    for alike in _alike(out):
        for code in alike:
            out[code] = named(code, traits[code], very=True)
    taken = set(columns)
    for code, name in enumerate(out):
        number = 1
        while out[code] in taken:
            number += 1
            out[code] = texts["numbered"].format(name, number)
        taken.add(out[code])
    return out


def _alike(each: Sequence[str]) -> list[list[int]]:
    """List the places of each name that several clusters have."""
    often = Counter(each)
    return [[code for code, name in enumerate(each) if name == one] for one, count in often.items() if count > 1]


def described(
    found: Mapping[str, Any], columns: Sequence[str], numbers: Sequence[str], clusters: Sequence[str], lang: Language
) -> pd.DataFrame:
    """Lay the profile out as a table, everyone last."""
    texts = _TEXTS[lang]
    table: dict[str, Any] = {
        "cluster": [*clusters, texts["everyone"]],
        "size": found["size"],
        "share": found["size"] / found["size"][-1],
    }
    for column in columns:
        if column in numbers:
            place = list(numbers).index(column)
            table |= {f"{column}_{what}": found[what][:, place] for what in ("mean", "median", "effect")}
        else:
            table |= {f"{column}_{what}": values for what, values in found["categories"][column].items()}
    words = [
        texts["between"].join(
            f"{trait.word} ({trait.effect:+.1f})" for trait in _traits(found, columns, numbers, code, lang)
        )
        for code, _ in enumerate(clusters)
    ]
    return pd.DataFrame(table | {"apart": [*(word or texts["like"] for word in words), ""]})


def _traits(
    found: Mapping[str, Any], columns: Sequence[str], numbers: Sequence[str], code: int, lang: Language
) -> list[Trait]:
    """List what sets a cluster apart, the most telling first."""
    texts = _TEXTS[lang]
    traits = []
    for place, column in enumerate(columns):
        if column in numbers:
            effect = float(found["effect"][code, list(numbers).index(column)])
            word = _word(column, lang)[effect > 0]
        else:
            one = found["categories"][column]
            effect, word = float(one["effect"][code]), texts["is"].format(column, one["category"][code])
        if abs(effect) >= _APART:
            traits.append(Trait(place, effect, word))
    return sorted(traits, key=lambda trait: -abs(trait.effect))


def _word(column: str, lang: Language) -> tuple[str, str]:
    """Give the words for less and for more of a measure; one over a window, "monetary_12M", says which."""
    texts = _TEXTS[lang]
    measure, window = re.fullmatch(r"(.*?)(?:_(\d+[DM]))?", column, re.DOTALL).groups()  # type: ignore[union-attr] # matches any
    if measure not in _WORDS:
        return texts["low"].format(column), texts["high"].format(column)
    low, high = _WORDS[measure][lang]
    return (low, high) if window is None else (texts["over"].format(low, window), texts["over"].format(high, window))
