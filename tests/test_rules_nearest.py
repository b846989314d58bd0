"""The nearest change is true: who makes it gets what it says, and what it says of a calculation can come about."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xifen as xf
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

#: Every pair of whole numbers near zero, or nulls: LEAST(a, b) = 2 may come about with b as empty as it was.
GRID = pd.MultiIndex.from_product([[None, *range(-90, 91)]] * 2, names=["a", "b"]).to_frame(index=False).astype("Int64")

column = st.sampled_from(["a", "b"])
constant = st.integers(-5, 5).map(str)
calculated = st.sampled_from(
    [
        "a + b", "b - a", "a * b", "a * a", "-b", "10 - a", "a % 3", "12 / b", "ABS(a)", "GREATEST(b, 2)", "LEAST(a, b)",
        "COALESCE(a, 1)", "NULLIF(b, 2)", "ROUND(a, -1)", "CASE WHEN a > 2 THEN b ELSE 1 END", "CASE a WHEN b THEN 4 END",
    ]
)  # fmt: skip
comparison = st.builds(
    "{} {} {}".format,
    column | calculated,
    st.sampled_from(["<", "<=", "=", "<>", ">=", ">"]),
    constant | column | calculated,
)
condition = comparison | st.builds("({} {} {})".format, comparison, st.sampled_from(["AND", "OR"]), comparison)
value = st.none() | st.integers(-8, 8)


def near(rules: dict[str, str], row: dict, **options) -> list[str]:
    """The label, and the changes as conditions."""
    frame = pd.DataFrame({name: pd.array([value], "Int64") for name, value in row.items()})
    told = xf.RuleSegmenter(rules, **options).fit(frame).explain(frame).nearest
    return [*told["rule"][:1], *(told["column"] + " " + told["needed"])]


def holds(text: str, frame: pd.DataFrame) -> np.ndarray:
    text = text.replace("just above", ">").replace("just below", "<")
    return xf.RuleSegmenter({"yes": text}, unknown="skip").fit_transform(frame)["segment"].eq("yes").to_numpy(bool)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@example(["a < 0", "(a < 0 OR b <> 0)", "LEAST(a, b) = 2"], "skip", 1, None)
@given(st.lists(condition, min_size=1, max_size=3), st.sampled_from(["stop", "skip"]), value, value)
def test_a_change_does_what_it_says(conditions: list[str], unknown: str, a: int | None, b: int | None) -> None:
    rules = {f"rule {place}": text for place, text in enumerate(conditions)}
    frame = pd.DataFrame({"a": pd.array([a], "Int64"), "b": pd.array([b], "Int64")})
    segmenter = xf.RuleSegmenter(rules, unknown=unknown).fit(frame)
    told = segmenter.explain(frame).nearest
    if told.empty:
        return
    changed, label = told["column"].tolist(), told["rule"][0]
    calculates = [name for name in changed if name not in ("a", "b")]
    cells = GRID
    for name, own in (("a", a), ("b", b)):
        if name not in changed and not any(name in text for text in calculates):
            cells = cells.assign(**{name: pd.array([own] * len(cells), "Int64")})
    keeps = np.ones(len(cells), bool)
    for name, needed in zip(changed, told["needed"], strict=True):
        keeps &= holds(f"{name} {needed}", cells)
    found = segmenter.transform(cells[keeps])["segment"].eq(label).to_numpy(bool)
    assert found.any() if calculates else found.all() and len(found), f"{told.to_dict('list')}"


@pytest.mark.parametrize(
    ("rule", "row", "wanted"),
    [
        ("i <= 5", {"i": None}, ["i <= 5"]),
        ("i >= 5", {"i": None}, ["i >= 5"]),
        ("i BETWEEN 4 AND 5", {"i": None}, ["i = 4"]),
        ("i + j <= 0", {"i": -1, "j": None}, ["j = -1"]),
        ("10 - j > i", {"i": 3, "j": 20}, ["10 - j >= 4"]),
        ("m / n > 100", {"m": 50, "n": None}, ["m / n > 100"]),
        ("m / n > 100 AND n >= 2", {"m": 50, "n": 1}, ["n >= 2", "m / n > 100"]),
        ("LEAST(i, j) > 3", {"i": None, "j": 1}, ["LEAST(i, j) >= 4"]),
        ("i * i < 26", {"i": 9}, ["i * i <= 25"]),
        ("ABS(i) < -1", {"i": 3}, []),
        ("i * i < 0", {"i": 3}, []),
        ("i * i = 2", {"i": 3}, []),
        ("GREATEST(i, 5) < 3", {"i": 9}, []),
        ("i % 2 = 0", {"i": 5}, ["i % 2 = 0"]),
        ("i * 1.5 = 6.0", {"i": 5}, ["i * 1.5 = 6.0"]),
        ("i * 1.5 = 7.0", {"i": 5}, []),
    ],
)
def test_what_a_calculation_can_become(rule: str, row: dict, wanted: list[str]) -> None:
    assert near({"A": rule}, row)[1:] == wanted


def test_a_calculation_needs_values_that_leave_the_other_rules_alone() -> None:
    """Through `a` it is always rule one; only `b` makes `a + b` large and the row not the first one's."""
    assert near({"one": "a > 5", "two": "a + b > 20"}, {"a": 1, "b": 2}) == ["one", "a >= 6"]
    assert near({"one": "a > 5", "two": "a + b > 20"}, {"a": 6, "b": 2}) == ["two", "a <= 5", "a + b >= 21"]
    assert near({"one": "a > 5", "two": "a * 2 > 20"}, {"a": 6, "b": 2}) == []


def test_texts_and_dates_of_a_calculation() -> None:
    frame = pd.DataFrame({"channel": ["shop"], "day": [pd.Timestamp("2024-01-01")], "x": [1.5]})
    rule = "CASE channel WHEN 'web' THEN 5 WHEN 'app' THEN 9 ELSE 1 END >= 9"
    assert xf.RuleSegmenter({"a": rule}).fit(frame).explain(frame).nearest["needed"].tolist() == [">= 9"]
    rule = "day + INTERVAL '1' MONTH >= DATE '2024-03-01'"
    for unit in ("s", "us", "ns"):
        days = frame.assign(day=frame["day"].astype(f"datetime64[{unit}]"))
        told = xf.RuleSegmenter({"a": rule}).fit(days).explain(days).nearest
        wanted = ["day + INTERVAL '1' MONTH", ">= TIMESTAMP '2024-03-01 00:00:00'"]
        assert told[["column", "needed"]].to_numpy().tolist() == [wanted]
    rule = "ROUND(x, 1) = 2.25"
    assert xf.RuleSegmenter({"a": rule}).fit(frame).explain(frame).nearest.empty
