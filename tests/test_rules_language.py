"""What a rule can say: texts, choices, functions, dates, parameters, references; and what it is told when it errs."""

from __future__ import annotations

import datetime as dt
import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf

FRAME = pd.DataFrame(
    {
        "amount": [10.0, 600.0, np.nan],
        "count": [1, 5, 9],
        "name": ["老客户", "web_shop", None],
        "bought": pd.to_datetime(["2024-01-31 10:00", "2024-02-29 00:00", None]),
        "flag": [True, False, True],
    }
)


def three_valued(rule: str, frame=FRAME, **options) -> list:
    """True, False or None, row by row."""
    labels = xf.RuleSegmenter({"yes": rule}, default="no", **options).fit_transform(frame)["segment"]
    found = pd.Series(labels.to_pylist() if isinstance(labels, pa.ChunkedArray) else labels.to_list(), dtype=object)
    return [None if pd.isna(value) else value == "yes" for value in found]


@pytest.mark.parametrize("kind", ["object", "string", "category", "polars"])
def test_like(kind: str):
    frame = pd.DataFrame({"x": ["客户", "老客户群", "a%b", "a_b", "", None, "𝄞"]})
    frame = pl.from_pandas(frame) if kind == "polars" else frame.astype(kind)
    assert three_valued("x LIKE '%客户%'", frame) == [True, True, False, False, False, None, False]
    assert three_valued("x LIKE '客%'", frame) == [True, False, False, False, False, None, False]
    assert three_valued("x LIKE '_'", frame) == [False, False, False, False, False, None, True]
    assert three_valued("x LIKE '__'", frame) == [True, False, False, False, False, None, False]
    assert three_valued("x LIKE 'a!%_' ESCAPE '!'", frame) == [False, False, True, False, False, None, False]
    assert three_valued("x NOT LIKE 'a__'", frame) == [True, True, False, False, True, None, True]
    assert three_valued("x || '!' LIKE '%!'", frame) == [True, True, True, True, True, None, True]
    assert three_valued("x LIKE ''", frame) == [False, False, False, False, True, None, False]


def test_case_and_functions_of_every_kind():
    assert three_valued("CASE WHEN flag THEN amount ELSE 0 END = 10") == [True, False, None]
    assert three_valued("CASE count WHEN 1 THEN 'one' WHEN 5 THEN 'five' END = 'five'") == [False, True, None]
    assert three_valued("CASE WHEN flag THEN NULL ELSE flag END") == [None, False, None]
    assert three_valued("CASE WHEN amount > 100 THEN DATE '2024-01-01' ELSE bought END < DATE '2024-01-02'") == [
        False, True, None,
    ]  # fmt: skip
    assert three_valued("COALESCE(amount, count) = 9") == [False, False, True]
    assert three_valued("COALESCE(name, '?') IN ('?', '老客户')") == [True, False, True]
    assert three_valued("NULLIF(count, 5) > 0") == [True, None, True]
    assert three_valued("LEAST(amount, count, 7) = 7 OR GREATEST(amount, 20) = 20") == [True, False, True]
    assert three_valued("GREATEST(name, '客') = '客'") == [False, True, True]
    assert three_valued("ABS(count - 5) = 4") == [True, False, True]
    assert three_valued("coalesce(flag, FALSE) AND abs(count) = 1") == [True, False, False]
    assert three_valued("'<' || name || '>' = '<老客户>'") == [True, False, None]


def test_round_half_away_from_zero():
    frame = pa.table(
        {
            "real": [0.5, -0.5, 2.675, 1250.0],
            "whole": pa.array([15, -25, 14, None], pa.int64()),
            "money": pa.array([Decimal("0.125"), Decimal("-0.125"), Decimal("0.115"), Decimal("9.995")]),
        }
    )
    assert three_valued("ROUND(real) = 1", frame) == [True, False, False, False]
    assert three_valued("ROUND(real) = -1", frame) == [False, True, False, False]
    assert three_valued("ROUND(real, 2) = 2.68", frame) == [False, False, True, False]  # as SQL engines and people do
    assert three_valued("ROUND(real, -2) = 1300", frame) == [False, False, False, True]
    assert three_valued("ROUND(whole, -1) IN (20, -30)", frame) == [True, True, False, None]
    assert three_valued("ROUND(money, 2) IN (0.13, -0.13, 0.12, 10)", frame) == [True] * 4


def test_decimals_are_calculated_exactly():
    cents = pa.table({"x": pa.array([Decimal("0.10"), Decimal("0.30"), None], pa.decimal128(10, 2)), "n": [1, 3, 3]})
    assert three_valued("x + 0.2 = 0.3", cents) == [True, False, None]
    assert three_valued("x * 3 = 0.9", cents) == [False, True, None]
    assert three_valued("x = n * 0.1", cents) == [True, True, None]
    assert three_valued("x % 0.03 = 0", cents) == [False, True, None]
    assert three_valued("n * 0.1 = 0.3", cents) == [False, True, True]  # in floats 0.30000000000000004
    large = pa.table({"x": pa.array([Decimal(10) ** 37 * 9, Decimal(1)], pa.decimal128(38, 0))})
    with pytest.warns(UserWarning, match="1 result of whole-number or decimal calculation"):
        assert three_valued("x + x > 0", large) == [None, True]
    assert three_valued("x * 1e0 = 1.0", large) == [False, True]


def test_dates_and_intervals():
    assert three_valued("bought >= DATE '2024-02-01'") == [False, True, None]
    assert three_valued("bought = TIMESTAMP '2024-01-31 10:00'") == [True, False, None]
    assert three_valued("bought + INTERVAL '1' MONTH = TIMESTAMP '2024-02-29 10:00:00'") == [True, False, None]
    assert three_valued("bought - INTERVAL '1' YEAR < DATE '2023-03-01'") == [True, True, None]
    assert three_valued("bought > DATE '2024-03-30' - INTERVAL '2 months'") == [True, True, None]
    assert three_valued("DATE '2024-03-01' - bought = 30") == [True, False, None]
    assert three_valued("bought BETWEEN DATE '2024-02-29' AND DATE '2024-12-31'") == [False, True, None]
    assert three_valued("bought IN (DATE '2024-02-29', TIMESTAMP '2024-01-31 10:00:00')") == [True, True, None]
    days = pa.table({"d": pa.array([dt.date(2024, 2, 29), dt.date(2023, 2, 28), None])})
    assert three_valued("d + INTERVAL '12' MONTH = DATE '2025-02-28'", days) == [True, False, None]
    assert three_valued("d > TIMESTAMP '2024-02-28 23:59:59.999999'", days) == [True, False, None]
    assert three_valued("d < TIMESTAMP '2024-02-29 00:00:00.000001'", days) == [True, True, None]
    assert three_valued("d - DATE '2023-02-28' = 366", days) == [True, False, None]
    last = pa.table({"d": pa.array([2**31 - 1, 0], pa.int32()).cast(pa.date32())})
    with pytest.warns(UserWarning, match="1 result of"):
        assert three_valued("d + INTERVAL '1' DAY > DATE '1970-01-01'", last) == [None, True]


def test_a_time_zone_is_read_as_its_own_wall_clock():
    moments = pd.to_datetime(["2024-10-27T00:30Z", "2024-10-27T01:30Z", "2024-06-30T16:00Z"])
    berlin = pd.DataFrame({"t": moments.tz_convert("Europe/Berlin")})
    # Half past two twice: the clocks went back at three.
    assert three_valued("t = TIMESTAMP '2024-10-27 02:30:00'", berlin) == [True, True, False]
    assert three_valued("t < DATE '2024-07-01'", berlin) == [False, False, True]
    shanghai = pd.DataFrame({"t": moments.tz_convert("Asia/Shanghai"), "u": moments.tz_localize(None)})
    assert three_valued("t = DATE '2024-07-01'", shanghai) == [False, False, True]
    assert three_valued("t - u = 1", shanghai) == [False, False, True]
    odd = pa.table({"t": pa.array([0], pa.timestamp("s", "Mars/Olympus"))})
    with pytest.raises(xf.errors.XifenError, match="Mars/Olympus"):
        three_valued("t = DATE '2024-07-01'", odd)


def test_parameters_of_every_kind():
    parameters = {
        "day": dt.date(2024, 2, 1), "moment": dt.datetime.fromisoformat("2024-01-31 10:00"), "cut": Decimal("10.0"), "whole": 5,
        "share": 0.5, "who": "老客户", "on": True, "like": "web%", "learned": "mean(amount)", "digits": 1,
    }  # fmt: skip
    rules = {
        "a": "bought < :day AND bought = :moment AND amount = :cut AND name = :who AND :on",
        "b": "count = :whole AND name LIKE :like AND amount > :learned AND ROUND(count * :share, :digits) = 2.5",
    }
    segmenter = xf.RuleSegmenter(rules, unknown="skip", parameters=parameters).fit(FRAME)
    assert segmenter.transform(FRAME)["segment"].tolist()[:2] == ["a", "b"]
    assert segmenter.parameters_ == {**parameters, "learned": 305.0}
    restored = xf.RuleSegmenter.from_json(segmenter.to_json())
    assert restored.parameters_ == segmenter.parameters_
    assert restored.get_params() == segmenter.get_params()
    pd.testing.assert_frame_equal(restored.transform(FRAME), segmenter.transform(FRAME))
    assert "DATE '2024-02-01'" in segmenter.to_sql()


def test_deep_rules_are_read_and_run():
    assert three_valued("CASE WHEN flag THEN " * 39 + "count" + " END" * 39 + " > 0") == [True, None, True]
    assert three_valued("ABS(" * 39 + "count" + ")" * 39 + " > 1") == [False, True, True]
    # What stands before BETWEEN is read once, however deep it stands; as SQL it would double at every step.
    deep = "count"
    for _ in range(30):
        deep = f"CASE WHEN {deep} BETWEEN count AND count THEN count END"
    assert three_valued(f"{deep} > 1") == [False, True, True]
    with pytest.raises(xf.errors.ParameterError, match="longer than 1000000 characters"):
        xf.RuleSegmenter({"a": f"{deep} > 1"}).fit(FRAME).to_sql()


class TestReferences:
    def test_in_any_order_and_three_valued(self):
        rules = {"key": 'large AND NOT "no name"', "large": "amount > 500", "no name": "name IS NULL", "rest": "TRUE"}
        segmenter = xf.RuleSegmenter(rules, unknown="skip").fit(FRAME)
        assert segmenter.transform(FRAME)["segment"].tolist() == ["rest", "key", "no name"]
        assert segmenter.columns_ == ["amount", "name"]
        stopping = xf.RuleSegmenter(rules).fit_transform(FRAME)["segment"]
        assert pd.isna(stopping[2])  # it could be large
        told = segmenter.explain(FRAME.assign(customer_id=[1, 2, 3])).frame
        assert told.loc[told["customer_id"] == 2, "condition"].tolist() == ["large", '"no name"']

    def test_every_step_doubles_without_a_cost(self):
        rules = {f"r{step}": f"(r{step + 1} AND flag) OR (r{step + 1} AND NOT flag)" for step in range(200)}
        segmenter = xf.RuleSegmenter({**rules, "r200": "count > 1"}).fit(FRAME)
        assert segmenter.transform(FRAME)["segment"].isna().tolist() == [True, False, False]
        assert "r0" in segmenter.explain(FRAME, ids=None).frame["rule"].tolist()
        with pytest.raises(xf.errors.ParameterError, match="longer than 1000000 characters"):
            segmenter.to_sql()

    def test_a_circle_is_named(self):
        with pytest.raises(xf.errors.RuleError, match="'b' -> 'c' -> 'b'") as refused:
            xf.RuleSegmenter({"a": "b", "b": "flag AND c", "c": "b OR flag"}).fit(FRAME)
        assert refused.value.position == 9
        with pytest.raises(xf.errors.RuleError, match="refers to itself"):
            xf.RuleSegmenter({"a": "flag OR a"}).fit(FRAME)

    def test_a_name_that_is_both_is_refused(self):
        with pytest.raises(xf.errors.RuleError, match="'flag' is a column of the frame and the label of another rule"):
            xf.RuleSegmenter({"a": "flag", "flag": "count > 1"}).fit(FRAME)
        # A rule cannot be its own condition: the column is meant.
        labels = xf.RuleSegmenter({"flag": "flag", "other": "TRUE"}).fit_transform(FRAME)["segment"]
        assert labels.tolist() == ["flag", "other", "flag"]

    def test_a_rule_is_no_number(self):
        with pytest.raises(xf.errors.RuleError, match="'big' is true or false and '3' is a number") as refused:
            xf.RuleSegmenter({"big": "count > 3", "a": "big > 3"}).fit(FRAME)
        assert refused.value.position == 6


@pytest.mark.parametrize(
    ("rule", "position", "message"),
    [
        ("count LIKE '1%'", 0, "'count' is a number; LIKE compares text"),
        ("name LIKE 3", 10, "'3' is no pattern"),
        ("name LIKE name", 10, "'name' is no pattern"),
        ("name LIKE 'a!' ESCAPE '!'", 10, "escape character '!' stands at the end"),
        ("name LIKE '!a' ESCAPE '!'", 10, "may only stand before %, _ or itself"),
        ("name LIKE 'a' ESCAPE 'ab'", 21, "ESCAPE wants one character"),
        ("name ILIKE 'a'", 5, "ends before 'ILIKE'"),
        ("ROUND(name) = 1", 6, "'name' is text; ROUND wants a number"),
        ("ROUND(amount, 'a') = 1", 14, "how many digits"),
        ("ROUND(amount, 1.5) = 1", 14, "how many digits"),
        ("ROUND(amount, count) = 1", 14, "how many digits"),
        ("ROUND(amount, 1, 2) = 1", 0, "ROUND takes 1 or 2 arguments; got 3"),
        ("ABS() = 1", 0, "ABS takes 1 argument; got 0"),
        ("ABS(flag) = 1", 4, "ABS wants a number"),
        ("NULLIF(count) = 1", 0, "NULLIF takes 2 arguments; got 1"),
        ("NULLIF(count, 'a') = 1", 14, "cannot be compared"),
        ("COALESCE() = 1", 0, "COALESCE takes 1 argument or more; got 0"),
        ("COALESCE(count, 'none') = 1", 16, "COALESCE has different kinds of value: 'count' is a number"),
        ("LEAST(count, bought) = 1", 13, "LEAST has different kinds of value"),
        ("GREATEST(flag, flag)", 9, "true and false have no order"),
        ("COALSCE(count, 1) = 1", 0, "no function 'COALSCE'; did you mean 'COALESCE'"),
        ("median(count) = 1", 0, "no function 'median'; compute it as a column of the frame first"),
        ('"abs"(count) = 1', 5, "ends before"),
        ("CASE WHEN flag THEN 1 ELSE 'a' END = 1", 27, "the branches of CASE give different kinds of value"),
        ("CASE WHEN count THEN 1 END = 1", 10, "what stands between WHEN and THEN is not a condition"),
        ("CASE count WHEN 'a' THEN 1 END = 1", 16, "cannot be compared"),
        ("CASE WHEN flag THEN 1", 21, "found the end of the rule"),
        ("CASE WHEN flag THEN count END", 0, "the rule is not a condition"),
        ("COALESCE(count, NULL) = 1", 16, "IS NULL"),
        ("name || 1 = 'a'", 8, "'1' is a number; || joins text"),
        ("bought > DATE 'tomorrow'", 14, "'tomorrow' is not a day such as DATE '2026-06-30'"),
        ("bought > DATE '2023-02-29'", 14, "is not a day"),
        ("bought > TIMESTAMP '2024-01-01 25:00'", 19, "is not a time such as TIMESTAMP"),
        ("bought > '2024-01-01'", 9, "a date is written DATE"),
        ("bought > 5", 9, "'bought' is a timestamp and '5' is a number"),
        ("bought + INTERVAL '1.5 months' > bought", 18, "wanted a whole number of days, months or years"),
        ("bought + INTERVAL '3' HOUR > bought", 18, "wanted a whole number of days, months or years"),
        ("bought + INTERVAL '999999999 years' > bought", 18, "too many"),
        ("bought + 30 > bought", 9, r"only an interval can be added, as in \+ INTERVAL '30 days'"),
        ("bought * 2 > bought", 9, "only an interval can be added"),
        ("INTERVAL '1 day' + bought > bought", 0, "an interval can only be added"),
        ("bought > INTERVAL '1 day'", 9, "an interval can only be added"),
        ("count + INTERVAL '1 day' > 3", 8, "an interval can only be added"),
        ("5 - bought > 1", 4, "only numbers can be calculated with"),
        ("bought - 'a' > 1", 9, "only an interval can be added"),
        ("(CASE WHEN " * 60 + "flag", 220, "nests deeper than 40"),
        ("amount > :text", 9, r"the parameter ':text' \('abc'\) is text"),
        ("amount > :call", 9, r"\('averag\(x\)'\) is text.*a learned parameter is mean\(column\) or median\(column\)"),
        ("name = :learned", 7, r"the parameter ':learned' \(0.5\) is a number"),
        ("bought > :flag", 9, r"the parameter ':flag' \(TRUE\) is true or false"),
        ("ROUND(amount, :text) = 1", 14, "the parameter ':text'"),
        ("name LIKE :day", 10, r"the parameter ':day' \(DATE '2024-01-01'\) is no pattern"),
    ],
)
def test_refusals(rule: str, position: int, message: str):
    values = {
        "text": "abc", "call": "averag(x)", "learned": "mean(amount)", "flag": True, "day": dt.date(2024, 1, 1)
    }  # fmt: skip
    parameters = {name: value for name, value in values.items() if f":{name}" in rule}
    with pytest.raises(xf.errors.RuleError, match=f"(?s){message}") as refused:
        xf.RuleSegmenter({"first": "amount > 1", "客户": rule}, parameters=parameters).fit(FRAME)
    assert refused.value.position == position
    assert "rule '客户'" in str(refused.value)
    assert pickle.loads(pickle.dumps(refused.value)).position == position


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"cut": 1, "cutt": 2}, xf.errors.ParameterError, "no rule uses the parameter ':cutt'"),
        ({"cut": dt.datetime(2024, 1, 1, tzinfo=dt.UTC)}, xf.errors.ParameterError, "knows its time zone"),
        ({"cut": pd.Timestamp(1)}, xf.errors.ParameterError, "parts of a microsecond"),
        ({"cut": pd.NaT}, xf.errors.ParameterError, "is missing"),
        ({"cut": Decimal("NaN")}, xf.errors.ParameterError, "wanted a finite number"),
        ({"cut": Decimal(10) ** 40}, xf.errors.ParameterError, "the parameter ':cut' cannot be used"),
        ({"cut": np.datetime64("2024-01-01")}, TypeError, "a date or a datetime"),
        ({"cut": None}, TypeError, "a date or a datetime"),
    ],
)
def test_parameters_that_cannot_be_used(parameters, error, message):
    with pytest.raises(error, match=message):
        xf.RuleSegmenter({"a": "amount > :cut"}, parameters=parameters).fit(FRAME)


def test_coverage_calculates_over_listed_values():
    cased = xf.RuleSegmenter(
        {"a": "CASE WHEN count > 2 THEN count ELSE 0 END > 1"}, default="b", domains={"count": (1, 4)}
    )
    assert cased.fit(FRAME.head(1)).coverage().summary["cells"].tolist() == [2, 2]
