"""A check of grades on a scorecard: what can never be reached, and where a better grade asks for less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from xifen._rule_words import language_of
from xifen.errors import ParameterError
from xifen.scorecard import Scorecard

__all__ = ["ladder_check"]

_WORDS: Final = {
    "en": {
        "nothing": "nothing can match it",
        "taken": "everyone it would take is already {above}",
        "or": " or ",
        "quoted": "'{grade}'",
        "unreached": "no {column} reaches it: they run from {low:g} to {high:g}",
        "less": "it asks for less than '{grade}', which stands below it",
        "gap": "no grade, for example at {example}",
        "gap?": "possibly no grade, for example at {example}",
        "undecided": "whether all get a grade could not be decided",
        "decided": "where it is true an earlier rule is true or unknown",
        "totals": "no grade for {count} of {all} totals, for example {column} {example:g}",
        "and": "; ",
    },
    "zh": {
        "nothing": "没有客户能达到",
        "taken": "能达到的客户都已归入{above}",
        "or": "或",
        "quoted": "“{grade}”",
        "unreached": "没有 {column} 能达到：取值为 {low:g} 至 {high:g}",
        "less": "要求低于排在其后的“{grade}”",
        "gap": "没有等级，例如 {example}",
        "gap?": "可能没有等级，例如 {example}",
        "undecided": "未能判定是否都有等级",
        "decided": "它成立时，在先的规则已成立或未知",
        "totals": "{all} 种总分中有 {count} 种没有等级，例如 {column} 为 {example:g}",
        "and": "；",
    },
}


def ladder_check(
    grades: Any, scorecard: Scorecard | None = None, *, lang: Literal["en", "zh"] | None = None
) -> pd.DataFrame:
    r"""Say which grade can never be reached, and where a higher rung asks for less than a lower one.

    Parameters
    ----------
    grades : Binner or RuleSegmenter
        Fitted. A `RuleSegmenter`'s rules stand best first; a `Binner` cuts the total or the score of `scorecard`.
    scorecard : Scorecard, optional
        Whose totals are graded. Every total there can be is then tried, taking indicators to be independent; without it
        a `RuleSegmenter` is judged by its `coverage` alone.
    lang : {"en", "zh"}, optional
        The language of the findings; None is that of a preset's labels, English otherwise.

    Returns
    -------
    pandas.DataFrame
        A row per grade, best first, and one more with an empty grade where some get none: `grade`; `status`: "ok",
        "never reached", "asks for less" or "gap"; `lowest` and `highest`, the totals that reach it, where a scorecard
        was given; `finding`, a sentence.

    Raises
    ------
    ParameterError
        The scorecard has too many totals to try, or the grades read none of its columns.
    TypeError
        `grades` is neither.

    Examples
    --------
    >>> import pandas as pd
    >>> import xifen as xf
    >>> members = pd.DataFrame({"classes_a_month": [4, 20]})
    >>> ladder = xf.RuleSegmenter({"loyal": "classes_a_month >= 5", "active": "classes_a_month >= 13"}).fit(members)
    >>> report = xf.ladder_check(ladder)
    >>> report["status"].tolist()
    ['asks for less', 'never reached', 'gap']
    >>> print(*report["finding"], sep="\n")
    it asks for less than 'active', which stands below it
    everyone it would take is already 'loyal'
    no grade, for example at classes_a_month below 5
    """
    check_is_fitted(grades)
    by_rules = hasattr(grades, "coverage") and not hasattr(grades, "families")  # tags are no grades
    if not by_rules and not hasattr(grades, "bin_edges_"):
        raise TypeError(f"grades is a {type(grades).__name__}; wanted a fitted Binner or RuleSegmenter")
    if scorecard is None and not by_rules:
        raise ParameterError("a Binner's grades depend on the totals there can be; give the scorecard too")
    language = language_of(lang, list(getattr(grades, "rules", {})), getattr(grades, "aliases", None) or {})
    rungs = _Rungs(_by_coverage(grades, language) if by_rules else {}, _WORDS[language])
    if scorecard is not None:
        rungs.try_totals(grades, scorecard, by_rules=by_rules)
    return rungs.table()


class _Rungs:
    """Findings per grade, best first."""

    def __init__(self, findings: dict[str, list[tuple[str, str]]], words: Mapping[str, str]) -> None:
        self.findings = findings
        self.words = words
        self.spans: dict[str, tuple[float, float]] = {}

    def try_totals(self, grades: Any, scorecard: Scorecard, *, by_rules: bool) -> None:
        totals = scorecard.totals()
        read = list(grades.columns_ if by_rules else grades.bin_edges_)
        if by_rules and not set(read) <= set(totals):
            return  # rules that ask for more than the total are judged by their coverage
        if not by_rules and (len(read) != 1 or read[0] not in totals):
            raise ParameterError(
                f"the grades read {', '.join(map(repr, read))}; wanted one of {', '.join(map(repr, totals))}"
            )
        column = read[0]
        given = grades.transform(totals)[grades.output if by_rules else column]
        order = list(self.findings) if by_rules else _labels(grades, column)[::-1]
        given = given.astype(object).where(given.notna(), "").map(str)
        reached = totals[column].groupby(given.to_numpy()).agg(["min", "max"])
        self.spans = dict(zip(reached.index, zip(reached["min"], reached["max"], strict=True), strict=True))
        low, high = totals[column].iloc[0], totals[column].iloc[-1]
        for place, grade in enumerate(order):
            found = self.findings.setdefault(grade, [])
            if grade not in self.spans:
                if not found:
                    found.append(("never reached", self.words["unreached"].format(column=column, low=low, high=high)))
                continue
            lower = [other for other in order[place + 1 :] if other in self.spans]
            less = [other for other in lower if self.spans[grade][0] < self.spans[other][0]]
            if less and not found:
                found.append(("asks for less", self.words["less"].format(grade=less[0])))
        if "" in self.spans:
            count = int((given == "").sum())
            said = self.words["totals"].format(count=count, all=len(given), column=column, example=self.spans[""][0])
            self.findings[""] = [("gap", said)]
        else:
            self.findings.pop("", None)  # a gap that no total falls into

    def table(self) -> pd.DataFrame:
        rows = [
            {
                "grade": grade,
                "status": found[0][0] if found else "ok",
                "lowest": self.spans.get(grade, (np.nan, np.nan))[0],
                "highest": self.spans.get(grade, (np.nan, np.nan))[1],
                "finding": self.words["and"].join(text for _, text in found),
            }
            for grade, found in self.findings.items()
        ]
        return pd.DataFrame(rows, columns=["grade", "status", "lowest", "highest", "finding"])


def _by_coverage(grades: Any, lang: str) -> dict[str, list[tuple[str, str]]]:
    """Judge a ladder of rules by the combinations each of them matches."""
    words = _WORDS[lang]
    coverage = grades.coverage(lang=lang)
    summary = coverage.summary.set_index("label")
    matches = summary["matches"].to_dict()
    findings: dict[str, list[tuple[str, str]]] = {label: [] for label in matches}
    pairs = list(zip(*(coverage.overlaps[name] for name in ("first", "second", "cells")), strict=True))
    for label, status in summary["status"].items():
        if status == "unreachable":
            findings[label].append(("never reached", words["nothing"]))
        elif status == "shadowed":
            above = [words["quoted"].format(grade=first) for first, second, _ in pairs if second == label]
            surely = above and "unknown" not in set(coverage.findings["finding"])
            said = words["taken"].format(above=words["or"].join(above)) if surely else words["decided"]
            findings[label].append(("never reached", said))
    for first, second, cells in pairs:
        if cells == matches[second] < matches[first]:
            findings[first].append(("asks for less", words["less"].format(grade=second)))
    gaps = coverage.findings[coverage.findings["finding"] == "gap"]
    for certainty, example in zip(gaps["certainty"], gaps["example"], strict=True):
        said = {"proven": "gap", "possible": "gap?"}.get(certainty, "undecided")
        findings[""] = [("gap", words[said].format(example=example))]
    return findings


def _labels(grades: Any, column: str) -> list[str]:
    """What the bins of a column give, worst to best, each once."""
    table = grades.edges_table()
    table = table[table["column"] == column]
    labels = [*table["score_below"], table["score_above"].iloc[-1]]
    numbers = not any(isinstance(label, str) for label in labels)
    return list(map(str, dict.fromkeys(sorted(labels) if numbers else labels)))
