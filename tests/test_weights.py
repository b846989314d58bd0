"""Weights by entropy and by pairwise comparison, on worked examples that others use too.

The books and papers themselves were not at hand. Where others' copies of an example confirm its numbers, the test says which;
every other figure was computed here, by the formula on its own, and stands only to notice a change.
"""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xifen as xf

# -- entropy -------------------------------------------------------------------------------------------

#: Four fighter aircraft, six attributes: known as Hwang and Yoon's (1981) example; no copy of its numbers was found to confirm
#: these.
FIGHTERS = pd.DataFrame(
    {
        "speed": [2.0, 2.5, 1.8, 2.2],
        "range": [1500, 2700, 2000, 1800],
        "payload": [20_000, 18_000, 21_000, 20_000],
        "cost": [5.5, 6.5, 4.5, 5.0],
        "reliability": [5, 3, 7, 5],
        "manoeuvrability": [9, 5, 7, 5],
    }
)


def test_four_fighter_aircraft():
    weights = xf.entropy_weights(FIGHTERS)
    assert list(weights) == list(FIGHTERS)
    computed_here = [0.0642, 0.2061, 0.0134, 0.0813, 0.3587, 0.2763]
    assert [round(weight, 4) for weight in weights.values()] == computed_here
    shares = FIGHTERS / FIGHTERS.sum()
    diversity = 1 + (shares * np.log(shares)).sum() / np.log(4)
    assert list(weights.values()) == pytest.approx(list(diversity / diversity.sum()), rel=1e-9)


def test_the_eleven_wards_on_a_scale_from_worst_to_best():
    # The worked example of Chinese introductions to the entropy method (熵权法赋权实例): 11 hospital wards, nine nursing items.
    # The data are confirmed by several copies of it, for example on blog.csdn.net, article 81221559; the weights were
    # computed here.
    wards = """
        100 90 100 84 90 100 100 100 100
        100 100 78.6 100 90 100 100 100 100
        75 100 85.7 100 90 100 100 100 100
        100 100 78.6 100 90 100 94.4 100 100
        100 90 100 100 100 90 100 100 80
        100 100 100 100 90 100 100 85.7 100
        100 100 78.6 100 90 100 55.6 100 100
        87.5 100 85.7 100 100 100 100 100 100
        100 100 92.9 100 80 100 100 100 100
        100 90 100 100 100 100 100 100 100
        100 100 92.9 100 90 100 100 100 100
    """
    values = np.array(wards.split(), dtype=float).reshape(11, 9)
    frame = pd.DataFrame(values, columns=[f"X{item}" for item in range(1, 10)])
    weights = xf.entropy_weights(frame, scale="range")
    assert [round(weight, 2) for weight in weights.values()] == [0.08, 0.22, 0.27, 0.07, 0.11, 0.07, 0.07, 0.07, 0.07]
    placed = (values - values.min(axis=0)) / (values.max(axis=0) - values.min(axis=0))
    shares = placed / placed.sum(axis=0)
    diversity = 1 + np.where(shares > 0, shares * np.log(np.where(shares > 0, shares, 1)), 0).sum(axis=0) / np.log(11)
    assert list(weights.values()) == pytest.approx(list(diversity / diversity.sum()), rel=1e-9)
    turned = xf.entropy_weights(-frame, scale="range", descending=list(frame))
    assert list(turned.values()) == pytest.approx(list(weights.values()), rel=1e-12)


def test_entropy_weights_are_the_same_bits_anyhow():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.lognormal(3, 2, (100_000, 3)), columns=list("abc"))
    frame.loc[::97, "b"] = np.nan
    wanted = xf.entropy_weights(frame, n_jobs=1)
    assert sum(wanted.values()) == pytest.approx(1, abs=1e-15)
    assert xf.entropy_weights(frame, n_jobs=3) == wanted
    assert xf.entropy_weights(frame.sample(frac=1, random_state=0)) == wanted
    assert xf.entropy_weights(frame.dropna()) == wanted
    assert xf.entropy_weights(pl.from_pandas(frame)) == wanted


def test_a_column_that_tells_nothing_weighs_nothing():
    frame = FIGHTERS.assign(wings=2, zero=0)
    for scale in ("share", "range"):
        weights = xf.entropy_weights(frame, scale=scale)
        assert weights["wings"] == weights["zero"] == 0


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        ([1, 1, 1], {}, "no column tells one row from another"),
        ([1, -2, 3], {}, "'x' is -2 in row 1; shares of a sum need values of 0 or more"),
        ([1, None, None], {}, "1 of 3 rows have a value in every column"),
        ([1, np.inf, 3], {}, "infinity in row 1"),
        (["a", "b", "c"], {"columns": ["x"]}, "holds text; wanted numbers"),
        (["a", "b", "c"], {}, "no numeric column"),
        ([1, 2, 3], {"columns": ["y"]}, "no column 'y'"),
        ([-1e308, 1e308, 0], {"scale": "range"}, "too large to sum"),
        ([1, 2, 3], {"scale": "z"}, "scale is 'z'"),
        ([1, 2, 3], {"descending": ["y"]}, "descending names 'y'"),
    ],
)
def test_columns_that_cannot_be_weighed(values, options, words: str):
    with pytest.raises(xf.errors.XifenError, match=words):
        xf.entropy_weights(pd.DataFrame({"x": values}), **options)


def test_weights_go_straight_into_a_scorecard():
    weights = xf.entropy_weights(FIGHTERS, columns=["speed", "range", "cost"])
    bands = {"speed": ["< 2"], "range": ["< 1800"], "cost": [5]}
    card = xf.Scorecard({name: {"edges": edges, "points": [60, 60.5]} for name, edges in bands.items()}, weights)
    out = card.fit_transform(FIGHTERS)
    assert out["total_points"].between(60, 60.5).all()
    assert card.totals()["total_points"].iloc[[0, -1]].tolist() == [60, 60.5]  # exactly, whatever the weights' digits


# -- pairwise comparison -------------------------------------------------------------------------------

#: Saaty (1990), "How to make a decision: the analytic hierarchy process", European Journal of Operational Research
#: 48(1): buying a house. The matrix is confirmed by LINDO's model library (AnaHierProc02); all figures were computed here.
HOUSE = [
    [1, 5, 3, 7, 6, 6, "1/3", "1/4"],
    ["1/5", 1, "1/3", 5, 3, 3, "1/5", "1/7"],
    ["1/3", 3, 1, 6, 3, 4, 6, "1/5"],
    ["1/7", "1/5", "1/6", 1, "1/3", "1/4", "1/7", "1/8"],
    ["1/6", "1/3", "1/3", 3, 1, "1/2", "1/5", "1/6"],
    ["1/6", "1/3", "1/4", 4, 2, 1, "1/5", "1/6"],
    [3, 5, "1/6", 7, 5, 5, 1, "1/2"],
    [4, 7, 5, 8, 6, 6, 2, 1],
]
HOUSE_NAMES = ["size", "transport", "neighbourhood", "age", "yard", "facilities", "condition", "financing"]
#: Saaty (2008), "Decision making with the analytic hierarchy process", International Journal of Services Sciences
#: 1(1): which drink is consumed more in the USA. The matrix, the weights to three digits and the consistency ratio are
#: confirmed by the tests of another implementation, AHPy.
DRINKS = {
    "coffee": [1, 9, 5, 2, 1, 1, "1/2"],
    "wine": ["1/9", 1, "1/3", "1/9", "1/9", "1/9", "1/9"],
    "tea": ["1/5", 3, 1, "1/3", "1/4", "1/3", "1/9"],
    "beer": ["1/2", 9, 3, 1, "1/2", 1, "1/3"],
    "sodas": [1, 9, 4, 2, 1, 2, "1/2"],
    "milk": [1, 9, 3, 1, "1/2", 1, "1/3"],
    "water": [2, 9, 9, 3, 2, 3, 1],
}


def test_the_drinks_of_saaty():
    weights = xf.ahp_weights(list(DRINKS.values()), names=list(DRINKS))
    assert [round(weight, 3) for weight in weights.values()] == [0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327]
    assert round(weights.consistency_ratio, 3) == 0.022


def test_the_house_of_saaty_is_refused_unless_allowed():
    with pytest.raises(
        xf.errors.ParameterError, match=r"ratio is 0.169, more than 0.1.*'neighbourhood' against 'condition'"
    ):
        xf.ahp_weights(HOUSE, names=HOUSE_NAMES)
    weights = xf.ahp_weights(HOUSE, names=HOUSE_NAMES, allow_inconsistent=True)
    computed_here = [0.173, 0.054, 0.188, 0.018, 0.031, 0.036, 0.167, 0.333]
    assert [round(weight, 3) for weight in weights.values()] == computed_here
    assert round(weights.lambda_max, 3) == 9.669
    assert round(weights.consistency_ratio, 2) == 0.17
    assert weights.consistency_index == (weights.lambda_max - 8) / 7


def test_weights_are_the_principal_eigenvector():
    matrix = np.array([[float(Fraction(entry)) for entry in row] for row in HOUSE], dtype=float)
    values, vectors = np.linalg.eig(matrix)
    vector = np.abs(vectors[:, values.real.argmax()].real)
    found = xf.ahp_weights(matrix, names=HOUSE_NAMES, allow_inconsistent=True)
    assert list(found.values()) == pytest.approx(list(vector / vector.sum()), rel=1e-12)


def test_comparisons_come_in_several_forms():
    wanted = xf.ahp_weights([[1, 3, 5], ["1/3", 1, 3], ["1/5", "1/3", 1]], names=["a", "b", "c"])
    half = [[1, 3, 5], [None, 1, 3], [None, None, 1]]
    for weights in (
        xf.ahp_weights({("a", "b"): 3, ("a", "c"): 5, ("b", "c"): 3}),
        xf.ahp_weights({("b", "a"): "1/3", ("a", "c"): 5, ("b", "c"): 3}, names=["a", "b", "c"]),
        xf.ahp_weights(half, names=["a", "b", "c"]),
        xf.ahp_weights(pd.DataFrame(half, columns=["a", "b", "c"], index=["a", "b", "c"])),
        xf.ahp_weights(np.array([[1, 3, 5], [1 / 3, 1, 3], [1 / 5, 1 / 3, 1]]), names=["a", "b", "c"]),
        pickle.loads(pickle.dumps(wanted)),
    ):
        assert dict(weights) == pytest.approx(dict(wanted), rel=1e-12)
        assert weights.consistency_ratio == pytest.approx(wanted.consistency_ratio, rel=1e-9)
    card = xf.Scorecard({name: {"edges": [0], "points": [0, 100], "column": "x"} for name in "abc"}, wanted)
    assert card.fit_transform(pd.DataFrame({"x": [1, -1]}))["total_points"].tolist() == [100, 0]


@pytest.mark.parametrize(
    ("comparisons", "names", "words"),
    [
        ([[1, 3], [3, 1]], None, "the other way round it is 3; wanted 1/3"),
        ([[1, -3], [None, 1]], None, "'a' against 'b' is -3"),
        ([[1, 0], [None, 1]], None, "'a' against 'b' is 0"),
        ([[1, "x"], [None, 1]], None, 'is "x"'),
        ([[1, "1/0"], [None, 1]], None, "1/0"),
        ([[1, None], [None, 1]], None, "nothing compares 'a' against 'b'"),
        ([[2, 3], [None, 1]], None, "'a' against 'a' is 2"),
        ([[1, 3, 5], [None, 1, 3]], None, "no square of 2 by 2"),
        ([[1] * 16] * 16, [f"n{n}" for n in range(16)], "16 indicators are compared; wanted 1 to 15"),
        ({("a", "b", "c"): 1}, None, "wanted pairs of names"),
        ({("a", "b"): 3, ("b", "c"): 3}, ["a", "b", "c"], "nothing compares 'a' against 'c'"),
        ({("a", "d"): 3}, ["a", "b"], "comparisons names 'd'"),
        (5, None, "wanted a square of numbers"),
    ],
)
def test_comparisons_that_cannot_be_used(comparisons, names, words: str):
    with pytest.raises(xf.errors.ParameterError, match=words):
        xf.ahp_weights(comparisons, names=names or ["a", "b"])
