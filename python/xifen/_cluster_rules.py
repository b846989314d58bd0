"""Clusters replayed as rules: a shallow tree over the raw columns, written as SQL conditions."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from xifen._rule_values import rewritten

__all__ = ["DEEPEST", "grown", "tree_rules"]

#: How deep the trees are grown; deeper rules nobody reads.
DEEPEST: Final = 6
#: So many of a column's categories can be asked for.
_MOST_CATEGORIES: Final = 50
#: Of more rows than this the trees see so many; how accurate they are is counted over all.
_MOST_ROWS: Final = 200_000
#: Values that differ by less than this share are the same but for rounding.
_ROUNDING: Final = 1e-12

#: One test: a column and what it is asked, ``{"column", "at_most"}`` or ``{"column", "is"}``.
Test = Mapping[str, Any]
#: What leads to a leaf: per column the bounds ``above`` and ``at_most``, the category it ``is``, or those it is ``not``.
Box = dict[str, dict[str, Any]]


def grown(
    values: np.ndarray, numbers: Sequence[str], categories: Mapping[str, np.ndarray], codes: np.ndarray, count: int
) -> list[dict[str, Any]]:
    """Grow two trees to `DEEPEST`: to one every row counts alike, to the other every cluster, so that none gets lost.

    Each is plain values: per node a test, its two children (-1: none) and its rows per cluster. The trees see the ranks
    of values, so that no value is rounded; a cut is the shortest number between the two values it parts.
    """
    features: list[np.ndarray] = []
    asked: list[tuple[str, Any]] = []
    for column, raw in zip(numbers, values.T, strict=True):
        ranks, parted = _ranked(raw)
        features.append(ranks)
        asked.append((column, parted))
    for column, texts in categories.items():
        common = _most_common(texts)
        features += [texts != category for category in common]
        asked += [(column, category) for category in common]
    table = np.column_stack(features).astype(np.float32)
    return [_grown(table, asked, len(numbers), codes, count, weight) for weight in (None, "balanced")]


def _ranked(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the rank of each value, and what each two ranks part; what differs by rounding alone has one rank."""
    known, places = np.unique(raw, return_inverse=True)
    with np.errstate(over="ignore"):
        apart = np.flatnonzero(np.diff(known) > _ROUNDING * np.abs(known[1:]))
    return np.searchsorted(apart, places), np.column_stack([known[apart], known[apart + 1]])


def _grown(
    table: np.ndarray, asked: list[tuple[str, Any]], numbers: int, codes: np.ndarray, count: int, weight: str | None
) -> dict[str, Any]:
    model = DecisionTreeClassifier(criterion="entropy", max_depth=DEEPEST, class_weight=weight, random_state=0)
    some = np.random.RandomState(0).permutation(len(codes))[:_MOST_ROWS] if len(codes) > _MOST_ROWS else slice(None)
    tree = model.fit(table[some], codes[some]).tree_
    leaf_of = tree.apply
    rows = np.bincount(leaf_of(table) * count + codes, minlength=tree.node_count * count)
    rows = rows.reshape(tree.node_count, count)
    tests: list[Test | None] = []
    for feature, threshold in zip(tree.feature, tree.threshold, strict=True):
        if feature < 0:
            tests.append(None)
            continue
        column, known = asked[feature]
        if feature < numbers:
            low, high = known[math.floor(threshold)].tolist()
            tests.append({"column": column, "at_most": _between(low, high)})
        else:
            tests.append({"column": column, "is": known})
    for node in reversed(range(tree.node_count)):  # children stand behind their parents
        if tests[node] is not None:
            rows[node] = rows[tree.children_left[node]] + rows[tree.children_right[node]]
    return {"test": tests, "true": tree.children_left.copy(), "false": tree.children_right.copy(), "rows": rows}


def tree_rules(trees: Sequence[Mapping[str, Any]], depth: int, labels: Sequence[str]) -> tuple[dict[str, str], float]:
    """Write a tree, cut off at a depth, as one rule per label, and tell to which share of the rows it gives their own.

    Of the trees the one that has a leaf for more of the labels is taken, then the more accurate.
    """
    found = []
    for tree in trees:
        boxes: dict[int, list[Box]] = {}
        right = 0
        for box, leaf, rows in _leaves(tree, depth):
            boxes.setdefault(leaf, []).append(box)
            right += rows
        found.append((len(boxes), right / int(tree["rows"][0].sum()), boxes))
    _, accuracy, boxes = max(found, key=lambda one: one[:2])
    return rewritten({labels[code]: _condition(_merged(boxes[code])) for code in sorted(boxes)}), accuracy


def _leaves(tree: Mapping[str, Any], depth: int, node: int = 0) -> list[tuple[Box, int, int]]:
    """List the leaves: what leads to each, the label it gives, and to how many rows that is their own."""
    test = tree["test"][node]
    if test is None or depth == 0:
        counts = tree["rows"][node]
        return [({}, int(counts.argmax()), int(counts.max()))]
    return [
        (_bounded(box, test, answer=answer), leaf, rows)
        for answer in (True, False)
        for box, leaf, rows in _leaves(tree, depth - 1, int(tree["true" if answer else "false"][node]))
    ]


def _bounded(box: Box, test: Test, *, answer: bool) -> Box:
    """Add a test above a box: what the box itself says of the column is narrower."""
    bound = dict(box.get(test["column"], {}))
    if "is" not in test:
        bound.setdefault("at_most" if answer else "above", test["at_most"])
    elif answer:
        bound = {"is": test["is"]}
    elif "is" not in bound:
        bound["not"] = [test["is"], *bound.get("not", [])]
    return {test["column"]: bound, **{column: other for column, other in box.items() if column != test["column"]}}


def _merged(boxes: list[Box]) -> list[Box]:
    """Join boxes of one label that touch along one column and are alike in all others."""
    for first, second in itertools.permutations(boxes, 2):
        differing = [column for column in {**first, **second} if first.get(column) != second.get(column)]
        if len(differing) != 1:
            continue
        column = differing[0]
        below, above = first.get(column, {}), second.get(column, {})
        if "at_most" in below and below["at_most"] == above.get("above"):
            joined = {name: bound for name, bound in below.items() if name == "above"}
            joined |= {name: bound for name, bound in above.items() if name == "at_most"}
            box = {name: joined if name == column else bound for name, bound in first.items()}
            rest = [other for other in boxes if other is not first and other is not second]
            return _merged([{name: bound for name, bound in box.items() if bound}, *rest])
    return boxes


def _condition(boxes: list[Box]) -> str:
    """Write boxes as one condition."""
    each = [
        " AND ".join(part for column, bound in box.items() for part in _parts(column, bound)) or "TRUE" for box in boxes
    ]
    return each[0] if len(each) == 1 else " OR ".join(f"({one})" for one in each)


def _parts(name: str, bound: Mapping[str, Any]) -> Iterator[str]:
    column = '"' + name.replace('"', '""') + '"'
    if "above" in bound:
        yield f"{column} > {bound['above']!r}"
    if "at_most" in bound:
        yield f"{column} <= {bound['at_most']!r}"
    if "is" in bound:
        yield f"{column} = {_literal(bound['is'])}"
    elif len(bound.get("not", [])) == 1:
        yield f"{column} <> {_literal(bound['not'][0])}"
    elif "not" in bound:
        yield f"{column} NOT IN ({', '.join(map(_literal, bound['not']))})"


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, dt.datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    return f"DATE '{value.isoformat()}'" if isinstance(value, dt.date) else str(value)


def _between(low: float, high: float) -> int | float:
    """Give the shortest number in the middle half between two values; any c with low <= c < high parts them alike."""
    quarter = high / 4 - low / 4
    middle = _shortest(low + quarter, high - quarter)
    if middle is None:
        middle = low
    elif low.is_integer() and high.is_integer():
        middle = float(math.floor(middle))
    with np.errstate(over="ignore"):
        # A column of float32 is compared in its own width: the cut has to part the values there too.
        cut = middle if low <= np.float32(middle) < high else low
    return int(cut) if cut.is_integer() and abs(cut) < 2**53 else cut


def _shortest(low: float, high: float) -> float | None:
    middle = low / 2 + high / 2
    for digits in range(1, 17):
        number = float(f"{middle:.{digits}g}")
        if low <= number <= high:
            return number
    return None


def _most_common(texts: np.ndarray) -> list[Any]:
    counts = pd.Series(texts).value_counts()
    each = dict(zip(counts.index.tolist(), counts.tolist(), strict=True))
    return sorted(each, key=lambda value: (-each[value], str(value)))[:_MOST_CATEGORIES]
