"""Scorecards against decimal.Decimal, pandas and the scorecards of sales practice; every way to be wrong."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

CARD = {
    "income": {
        "edges": ["< 300000", "<= 500000"],
        "points": [0, 20.5, "60"],
        "special": {-999: 10, -1: None},
        "missing": 5,
        "zh": "年收入",
    },
    "city": {"categories": {"上海": Decimal("40.25"), "昆明": 15}, "default": 1, "special": {"无": None}},
    "vip": {"column": "is_vip", "categories": {True: 3, False: 0}},
}
LEADS = pd.DataFrame(
    {
        "income": [299_999.99, 300_000, 500_000, 500_001, -999, -1, None],
        "city": ["上海", "昆明", "北京", "上海", "无", "昆明", "昆明"],
        "is_vip": pd.array([True, False, True, True, False, None, True], dtype="boolean"),
    }
)


def decimals(draw_sign=True):
    low = -999 if draw_sign else 0
    return st.builds(lambda units, places: Decimal(units).scaleb(-places), st.integers(low, 999), st.integers(0, 4))


numbers = st.one_of(st.integers(-99, 99), decimals(), decimals().map(str), decimals().map(float))


@st.composite
def cards(draw):
    indicators = {}
    for place in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            edges = draw(st.lists(st.integers(-5, 5), min_size=1, max_size=4, unique=True).map(sorted))
            signs = [draw(st.sampled_from(["< ", "<= ", ">= ", "> ", ""])) for _ in edges]
            fields = {
                "edges": [f"{sign}{edge}" if sign else edge for sign, edge in zip(signs, edges, strict=True)],
                "points": [draw(numbers) for _ in range(len(edges) + 1)],
            }
        else:
            fields = {"categories": {key: draw(numbers) for key in (-2, 0, 2)}, "default": draw(numbers)}
        if draw(st.booleans()):
            fields["missing"] = draw(numbers)
        if draw(st.booleans()):
            fields["special"] = {-999: draw(st.one_of(st.none(), numbers))}
        indicators[f"i{place}"] = {"column": f"x{place}", **fields}
    weights = None
    if draw(st.booleans()):
        parts = [draw(st.integers(0, 9)) for _ in indicators]
        parts[0] += 1
        weights = [float(part / sum(parts)) for part in parts]
    rows = draw(st.integers(1, 12))
    value = st.one_of(st.none(), st.sampled_from([-999.0, 0.0, -0.0, 2.0, -2.0]), st.integers(-6, 6).map(float))
    frame = {f"x{place}": [draw(value) for _ in range(rows)] for place in range(len(indicators))}
    return indicators, weights, frame


def exact(number) -> Decimal:
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def by_hand(fields, value):
    """Points of one value by the words of the documentation; None is unknown."""
    missing = None if fields.get("missing") is None else exact(fields["missing"])
    if value is None:
        return missing
    if value in fields.get("special", {}):
        points = fields["special"][value]
        return missing if points is None else exact(points)
    if "categories" in fields:
        return exact(fields["categories"].get(int(value), fields["default"]))
    band = 0
    for edge in fields["edges"]:
        sign, number = edge.split() if isinstance(edge, str) else ("<=", edge)
        band += value >= int(number) if sign in ("<", ">=") else value > int(number)
    return exact(fields["points"][band])


@settings(max_examples=150, deadline=None)
@given(cards())
def test_totals_equal_a_decimal_oracle(drawn):
    indicators, weights, frame = drawn
    exact_weights = [exact(weight) for weight in weights] if weights else [Decimal(1)] * len(indicators)
    table = pd.DataFrame(frame, dtype=float)
    card = xf.Scorecard(indicators, weights)
    try:
        out = card.fit_transform(table)
    except xf.errors.ParameterError as failure:
        assert "same total" in str(failure)  # noqa: PT017
        return
    divisor = sum(map(Fraction, exact_weights)) if weights else 1
    low, high = (
        sum(Fraction(weight) * Fraction(side(points)) for weight, points in zip(exact_weights, reachable, strict=True))
        for reachable in [[known(fields) for fields in indicators.values()]]
        for side in (min, max)
    )
    for row in range(len(table)):
        points = [by_hand(fields, frame[fields["column"]][row]) for fields in indicators.values()]
        for name, each in zip(indicators, points, strict=True):
            found = out[f"{name}_points"][row]
            assert pd.isna(found) if each is None else float(found) == float(each)
        if None in points:
            assert math.isnan(out["total_points"][row])
            assert math.isnan(out["score"][row])
        else:
            total = sum(Fraction(weight) * Fraction(each) for weight, each in zip(exact_weights, points, strict=True))
            assert out["total_points"][row] == float(total / divisor)
            assert out["score"][row] == float(100 * (total - low) / (high - low))
            if not weights:
                assert out["total_points"][row] == float(sum(points))


def known(fields):
    given = [*fields.get("points", ()), *fields.get("categories", {}).values(), *fields.get("special", {}).values()]
    given += [fields.get("default"), fields.get("missing")]
    return [exact(points) for points in given if points is not None]


def test_points_total_score_and_reasons():
    out = xf.Scorecard(CARD, reason="zh").fit_transform(LEADS)
    assert out["income_points"].tolist() == [0, 20.5, 20.5, 60, 10, 5, 5]
    assert out["city_points"].tolist()[:4] == [40.25, 15, 1, 40.25]
    assert out["city_points"].isna().tolist() == [False] * 4 + [True, False, False]
    assert out["total_points"].tolist()[:4] == [43.25, 35.5, 24.5, 103.25]
    assert out["total_points"].isna().tolist() == [False] * 4 + [True, True, False]
    # From 0 + 1 + 0 to 60 + 40.25 + 3.
    assert out["score"].tolist()[:2] == [float(Fraction("42.25") / Fraction("102.25") * 100), 100 * 34.5 / 102.25]
    assert out["score_reason"].tolist()[:4] == [
        "年收入 < 300000：0/60分",
        "年收入 [300000, 500000]：20.5/60分；city 昆明：15/40.25分；vip false：0/3分",
        "年收入 [300000, 500000]：20.5/60分；city 其他：1/40.25分",
        "各项满分",
    ]
    assert out["score_reason"].tolist()[4:] == [
        "无法评分，缺少city",
        "无法评分，缺少vip",
        "年收入 缺失：5/60分；city 昆明：15/40.25分",
    ]
    english = xf.Scorecard(CARD, reason="en").fit_transform(LEADS)["score_reason"]
    assert english[0] == "income < 300000: 0 of 60"
    assert english[5] == "unknown, missing vip"


@pytest.mark.parametrize("kind", [pl.from_pandas, pa.Table.from_pandas, lambda f: dict(f.items())])
def test_any_kind_of_frame_gives_the_same(kind):
    wanted = xf.Scorecard(CARD, reason="en").fit_transform(LEADS)
    out = xf.Scorecard(CARD, reason="en").fit(LEADS).transform(kind(LEADS))
    table = (
        out
        if isinstance(out, pd.DataFrame)
        else pd.DataFrame({n: out[n].to_pylist() for n in out.column_names})
        if isinstance(out, pa.Table)
        else out.to_pandas()
    )
    for name in ("income_points", "city_points", "vip_points", "total_points", "score"):
        np.testing.assert_array_equal(table[name].to_numpy(float, na_value=np.nan), wanted[name].to_numpy(float))
    assert table["score_reason"].tolist() == wanted["score_reason"].tolist()


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["a", "b", None, "c"], dtype="string"),
        pd.Series(["a", "b", None, "c"], dtype="category"),
        pd.Series(["a", "b", None, "c"], dtype=object),
        pd.Series(["a", "b", None, "c"], dtype="large_string[pyarrow]"),
    ],
)
def test_text_of_any_kind(column: pd.Series):
    card = xf.Scorecard({"x": {"categories": {"a": 1, "b": 2}, "default": 0, "missing": -1}})
    out = card.fit_transform(pd.DataFrame({"x": column}))
    assert out["x_points"].tolist() == [1, 2, -1, 0]
    assert out["x_points"].dtype == "Int16"
    strict = xf.Scorecard({"x": {"categories": {"a": 1, "b": 2}}})
    with pytest.raises(xf.errors.InputError, match=r"in row 3, which indicator 'x' gives no points"):
        strict.fit(pd.DataFrame({"x": column}))


@pytest.mark.parametrize("dtype", ["int8", "int64", "UInt16", "float32", "Int64", "decimal128"])
def test_bands_of_any_kind_of_number_are_those_of_a_binner(dtype: str):
    values = pd.Series([0, 24, 25, 26, 45, 46])
    values = values.astype(pd.ArrowDtype(pa.decimal128(30, 2)) if dtype == "decimal128" else dtype)
    frame = pd.DataFrame({"age": values})
    edges = ["< 25", "<= 45"]
    points = xf.Scorecard({"age": {"edges": edges, "points": [1, 2, 3]}}).fit_transform(frame)["age_points"]
    assert points.tolist() == xf.Binner(edges=edges).fit_transform(frame)["age"].tolist() == [1, 1, 2, 2, 2, 3]


def test_row_order_threads_and_chunks_do_not_matter():
    rng = np.random.default_rng(4)
    frame = LEADS.iloc[rng.integers(0, len(LEADS), 150_000)].reset_index(drop=True)
    wanted = xf.Scorecard(CARD, reason="en", n_jobs=1).fit_transform(frame)
    for n_jobs in (2, 7):
        pd.testing.assert_frame_equal(xf.Scorecard(CARD, reason="en", n_jobs=n_jobs).fit_transform(frame), wanted)
    order = rng.permutation(len(frame))
    shuffled = xf.Scorecard(CARD, reason="en").fit_transform(frame.iloc[order])
    pd.testing.assert_frame_equal(shuffled.sort_index(), wanted)


# -- sales practice ------------------------------------------------------------------------------------


def grade(card: xf.Scorecard, frame: pd.DataFrame, edges, labels) -> list[str]:
    grades = xf.Binner(columns=["total_points"], edges=edges, labels=labels)
    return make_pipeline(card, grades).fit_transform(frame)["total_points"].tolist()


def test_car_maker_leads():
    # High: annual income > 500,000 yuan, one purchase a year and age 25 to 45; the points are ours.
    card = xf.Scorecard(
        {
            "annual_income": {"edges": ["<= 200000", "<= 500000"], "points": [0, 30, 50]},
            "purchases_a_year": {"edges": ["< 1"], "points": [0, 25]},
            "age": {"edges": ["< 25", "<= 45"], "points": [0, 25, 0]},
        }
    )
    leads = pd.DataFrame(
        {
            "annual_income": [500_001, 500_000, 500_001, 600_000, 100_000],
            "purchases_a_year": [1, 1, 0, 2, 0],
            "age": [25, 45, 45, 46, 60],
        }
    )
    assert card.fit_transform(leads)["total_points"].tolist() == [100, 80, 75, 75, 0]
    assert grade(card, leads, ["< 50", "< 100"], ["low", "medium", "high"]) == ["high", *["medium"] * 3, "low"]
    assert xf.ladder_check(
        xf.Binner(edges=["< 50", "< 100"], labels=["low", "medium", "high"], columns=["total_points"]).fit(
            card.fit_transform(leads)
        ),
        card,
    )["status"].tolist() == ["ok", "ok", "ok"]


def test_home_furnishing_leads():
    # High: income > 300,000 yuan, high brand awareness, willing to pay for quality.
    card = xf.Scorecard(
        {
            "income": {"edges": ["<= 300000"], "points": [0, 1]},
            "brand_awareness": {"categories": {"high": 1, "middle": 0, "low": 0}},
            "pays_for_quality": {"categories": {True: 1, False: 0}},
        }
    )
    leads = pd.DataFrame(
        {
            "income": [300_001, 300_000, 900_000],
            "brand_awareness": ["high", "high", "middle"],
            "pays_for_quality": [True, True, True],
        }
    )
    assert card.fit_transform(leads)["total_points"].tolist() == [3, 2, 2]


def test_credit_is_a_weighted_score():
    # Highest, high, middle, low from calls, consumption data and communication records; weights and cuts are ours.
    card = xf.Scorecard(
        {
            "calls": {"edges": ["< 3"], "points": [40, 100], "missing": 0},
            "consumption": {"edges": ["< 1000", "< 5000"], "points": [20, 60, 100]},
            "communication": {"categories": {"good": 100, "middling": 50, "bad": 0}},
        },
        weights={"calls": 0.2, "consumption": 0.5, "communication": 0.3},
    )
    frame = pd.DataFrame(
        {
            "calls": [5, 1, None, 0],
            "consumption": [8000, 3000, 3000, 10],
            "communication": ["good", "good", "middling", "bad"],
        }
    )
    assert card.fit_transform(frame)["total_points"].tolist() == [100, 68, 45, 18]
    grades = grade(card, frame, ["< 40", "< 60", "< 80"], ["low", "middle", "high", "highest"])
    assert grades == ["highest", "high", "middle", "low"]


def test_potential_turns_closeness_to_competitors_round():
    # Industry outlook, expansion, growth, need for new products; closeness to competitors counts against a customer.
    level = {"categories": {"high": 100, "middle": 50, "low": 0}}
    against = {"categories": {"high": 0, "middle": 50, "low": 100}}
    names = ["outlook", "expansion", "growth", "need"]
    weights = dict.fromkeys(names, Decimal("0.2")) | {"competitors": "0.2"}
    card = xf.Scorecard(dict.fromkeys(names, level) | {"competitors": against}, weights)
    frame = pd.DataFrame({name: ["high", "low"] for name in names} | {"competitors": ["low", "low"]})
    assert card.fit_transform(frame)["total_points"].tolist() == [100, 20]


# -- one definition, many copies -----------------------------------------------------------------------


def test_dict_json_and_clone_are_the_same_card():
    card = xf.Scorecard(CARD, {"income": "0.5", "city": Decimal("0.3"), "vip": 0.2}, reason="zh").fit(LEADS)
    wanted = card.transform(LEADS)
    definition = json.loads(json.dumps(json.loads(card.to_json())["parameters"]))
    for twin in (
        xf.Scorecard.from_json(card.to_json()),
        xf.Scorecard.from_dict(definition).fit(LEADS),
        clone(card).fit(LEADS),
    ):
        pd.testing.assert_frame_equal(twin.transform(LEADS), wanted, check_exact=True)
        pd.testing.assert_frame_equal(twin.table(), card.table())
    assert xf.Scorecard.from_json(card.to_json()).to_json() == card.to_json()
    with pytest.raises(xf.errors.ParameterError, match="did you mean 'weights'"):
        xf.Scorecard.from_dict({"indicators": CARD, "wieghts": None})
    with pytest.raises(xf.errors.ParameterError, match="has no 'indicators'"):
        xf.Scorecard.from_dict({})


def test_table_shows_everything_the_card_can_see():
    table = xf.Scorecard(CARD).table()
    income = table[table["indicator"] == "income"]
    assert income["kind"].tolist() == ["band"] * 3 + ["special", "special", "missing"]
    assert income["value"].tolist() == ["< 300000", "[300000, 500000]", "> 500000", "-999", "-1", ""]
    assert income["points"].fillna(-7).tolist() == [0, 20.5, 60, 10, -7, 5]
    assert table.loc[table["indicator"] == "vip", "column"].tolist() == ["is_vip"] * 3


def test_added_columns_may_be_renamed_but_not_collide():
    card = xf.Scorecard(CARD, output={"total_points": "总分", "score": "百分"})
    assert card.fit(LEADS).get_feature_names_out().tolist()[-2:] == ["总分", "百分"]
    with pytest.raises(xf.errors.InputError, match="already has a column 'score'"):
        xf.Scorecard(CARD).fit_transform(LEADS.assign(score=1))
    with pytest.raises(xf.errors.ParameterError, match="did you mean 'total_points'"):
        xf.Scorecard(CARD, output={"total_point": "t"}).fit(LEADS)
    with pytest.raises(TypeError, match="expects 'income', 'city', 'is_vip'"):
        xf.Scorecard(CARD).fit(np.ones((2, 3)))


def one(**fields):
    return {"x": fields}


BANDS = {"edges": ["< 5"], "points": [0, 1]}


@pytest.mark.parametrize(
    ("indicators", "weights", "words"),
    [
        ({}, None, "needs at least one"),
        ({"": {"column": "x", **BANDS}}, None, "an indicator has no name"),
        (one(), None, "neither edges nor categories"),
        (one(**BANDS, categories={"a": 1}), None, "both edges and categories"),
        (one(edges=[5], points=[1]), None, "1 entries, but its edges make 2 bands"),
        (one(edges=[5]), None, "has none, but its edges make 2 bands"),
        (one(edges=[5, 3], points=[0, 1, 2]), None, "go down from 5 to 3"),
        (one(edges=["< five"], points=[0, 1]), None, 'holds "< five"'),
        (one(edges="< 5", points=[0, 1]), None, "wanted a list"),
        (one(edges=[], points=[0]), None, "is empty"),
        (one(edges=[5, 5], points=[0, 1, 2]), None, r"band \(5, 5\] of 'x' holds no value; give each edge once"),
        (one(**BANDS, range=[5, 9]), None, "band < 5 of 'x' holds no value of its range"),
        (one(**BANDS, range=[9, 5]), None, "the smallest and the largest"),
        (one(**BANDS, default=0), None, "only categories take one"),
        (one(**BANDS, mising=0), None, "did you mean 'missing'"),
        (one(edges=[5], points=[0, "one"]), None, r"the points of 'x' for > 5 is \"one\""),
        (one(edges=[5], points=[0, None]), None, "for > 5 is null"),
        (one(edges=[5], points=[0, True]), None, "for > 5 is true"),
        (one(edges=[5], points=[0, float("inf")]), None, 'for > 5 is "inf"'),
        (one(edges=[5], points=[0, 1e30]), None, "at most 28 digits"),
        (one(edges=[5], points=[1, 1]), None, "the same total"),
        (one(categories={}), None, "categories of 'x' is empty"),
        (one(categories=["a"]), None, "wanted a mapping"),
        (one(categories={1: 1, "1": 2}), None, "'1' twice"),
        (one(categories={"a": 1}, range=[0, 1]), None, "has categories and range"),
        (one(categories={"a": 1}, special={"a": 0}), None, "a category and a special value"),
        (one(**BANDS, column=3), None, "column names, which are text"),
        (one(**BANDS), {"x": 0.5}, "sum to 0.5; wanted a sum of 1"),
        (one(**BANDS), {"x": -1}, "is -1; wanted 0 or more"),
        (one(**BANDS), {}, "weights has none for 'x'"),
        (one(**BANDS), {"x": 1, "y": 0}, "weights names 'y'"),
        (one(**BANDS), [0.5, 0.5], "the length of weights is 2, the number of indicators 1"),
        (one(**BANDS), {"x": None}, "the weight of 'x' is null"),
        (one(**BANDS), 1, "wanted a list"),
        (one(edges=[5], points=["0." + "1" * 28, 1]), ["0." + "9" * 27], "more digits than can be summed"),
    ],
)  # fmt: skip
def test_a_wrong_card_is_a_sentence_at_fit(indicators, weights, words: str):
    with pytest.raises(xf.errors.ParameterError, match=words):
        xf.Scorecard(indicators, weights).fit(pd.DataFrame({"x": [1.0, 9.0]}))


@pytest.mark.parametrize(
    ("fields", "values", "words"),
    [
        (BANDS, ["a"], "holds text, but indicator 'x' cuts a measure"),
        (BANDS, [True], "holds true or false, but indicator 'x' cuts"),
        (BANDS, pd.to_datetime(["2024-01-01"]), "holds timestamps"),
        (BANDS, [1, math.inf], "infinity in row 1"),
        (BANDS | {"range": [0, 10]}, [1, 3, -4], "'x' is -4 in row 2, outside the range 0 to 10"),
        (BANDS | {"special": {"none": 1}}, [1], "names 'none'; wanted a number"),
        ({"categories": {"a": 1, "b": 0}}, [1.0], "names 'a'; wanted a number"),
        ({"categories": {"shop": 1, "web": 0}}, ["web", "shoop"], "'shoop' in row 1.*shop, web; did you mean 'shop'"),
        ({"categories": {1: 1, 2: 0}}, [1, 3], "'3' in row 1"),
        ({"categories": {1: 1}, "default": 0}, [1, -math.inf], "infinity in row 1"),
        ({"categories": {1: 1, 0: 0}}, [True], "has a category '1'"),
        ({"categories": {True: 1, "perhaps": 0}}, [True], "has a category 'perhaps'"),
    ],
)
def test_a_value_that_cannot_be_scored_is_named_at_fit(fields, values, words: str):
    with pytest.raises(xf.errors.InputError, match=words):
        xf.Scorecard({"x": fields}).fit(pd.DataFrame({"x": values}))


def test_wrong_kinds_of_object():
    for indicators, words in [(["x"], "must be a mapping"), ({"x": [1]}, "must map text"), ({1: {}}, "must map text")]:
        with pytest.raises(TypeError, match=words):
            xf.Scorecard(indicators).fit(LEADS)
    with pytest.raises(xf.errors.ParameterError, match="reason is 'fr'"):
        xf.Scorecard(CARD, reason="fr").fit(LEADS)
    with pytest.raises(xf.errors.InputError, match="did you mean 'income'"):
        xf.Scorecard({"incom": BANDS}).fit(LEADS)


# -- ladders -------------------------------------------------------------------------------------------


def test_the_gym_ladder_says_all_of_it():
    # Best first: VIP pays over 2,000 US dollars a year and joins events; loyal takes 5 classes a month; active takes
    # 3 a week, about 13 a month; entry has just joined. An old member under 5 classes has no grade.
    members = pd.DataFrame({"annual_fee": [1], "joins_events": [True], "classes_a_month": [1], "just_joined": [True]})
    ladder = xf.RuleSegmenter(
        {
            "VIP": "annual_fee > 2000 AND joins_events",
            "loyal": "classes_a_month >= 5",
            "active": "classes_a_month >= 13",
            "entry": "just_joined",
        }
    ).fit(members)
    report = xf.ladder_check(ladder).set_index("grade")
    assert report["status"].tolist() == ["ok", "asks for less", "never reached", "ok", "gap"]
    assert "less than 'active'" in report.loc["loyal", "finding"]
    assert "'loyal'" in report.loc["active", "finding"]
    assert "classes_a_month below 5" in report.loc["", "finding"]


def test_grades_are_tried_on_every_total_there_can_be():
    card = xf.Scorecard({"x": {"edges": [0, 1], "points": [0, 30, 80]}, "y": {"edges": [0], "points": [0, 10]}})
    frame = pd.DataFrame({"x": [0.0, 1.0, 2.0], "y": [0.0, 1.0, 2.0]})
    assert card.totals()["total_points"].tolist() == [0, 10, 30, 40, 80, 90]
    scored = card.fit_transform(frame)
    grades = xf.Binner(columns=["total_points"], edges=["< 20", "< 50", "< 80", "< 95"], labels=list("EDCBA"))
    report = xf.ladder_check(grades.fit(scored), card)
    assert report["grade"].tolist() == list("ABCDE")
    assert report["status"].tolist() == ["never reached", "ok", "never reached", "ok", "ok"]
    assert report["lowest"].fillna(-1).tolist() == [-1, 80, -1, 30, 0]
    assert "run from 0 to 90" in report["finding"][0]
    rules = xf.RuleSegmenter({"A": "score > 30 AND score < 90", "B": "score >= 90"}).fit(scored)
    report = xf.ladder_check(rules, card)
    assert report["status"].tolist() == ["asks for less", "ok", "gap"]
    assert report.loc[2, "finding"] == "no grade for 2 of 6 totals, for example score 0"


def test_ladders_that_cannot_be_checked():
    card = xf.Scorecard(CARD)
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    binner = xf.Binner(2, columns=["x"]).fit(frame)
    with pytest.raises(xf.errors.ParameterError, match="give the scorecard too"):
        xf.ladder_check(binner)
    with pytest.raises(xf.errors.ParameterError, match="the grades read 'x'; wanted one of 'total_points'"):
        xf.ladder_check(binner, card)
    with pytest.raises(TypeError, match="wanted a fitted Binner or RuleSegmenter"):
        xf.ladder_check(xf.RFMScorer.__new__(xf.Scorecard).__class__(CARD).fit(LEADS))
    many = {f"i{n}": {"column": "x", "edges": [0], "points": [0, str(Decimal(2) ** n)]} for n in range(25)}
    with pytest.raises(xf.errors.ParameterError, match="more than 1000000 different totals"):
        xf.Scorecard(many).totals()


def test_decimals_cut_as_their_nearest_floats():
    frame = pd.DataFrame({"x": [0.1, 0.2, 0.3]})
    bands = {"x": {"edges": [Decimal("0.2")], "points": [1, 2]}}
    card = xf.Scorecard(bands).fit(frame)
    assert card.transform(frame)["x_points"].tolist() == [1, 1, 2]
    assert xf.Scorecard.from_json(card.to_json()).transform(frame)["x_points"].tolist() == [1, 1, 2]
    assert xf.Binner(edges={"x": [Decimal("0.2")]}).fit_transform(frame)["x"].tolist() == [1, 1, 2]
