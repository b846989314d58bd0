"""RuleSegmenter: three-valued logic, exactness, every kind of frame, and what it refuses."""

from __future__ import annotations

import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from xifen.errors import ParameterError

FRAME = pd.DataFrame(
    {
        "customer_id": ["001", "002", "003", "004"],
        "amount": [10.0, 600.0, np.nan, 50.0],
        "渠道": ["web", "shop", None, "web"],
        "Order Count": [1, 5, 9, 0],
    }
)
RULES = {"big": "amount > 500", "web": "渠道 = 'web' AND \"Order Count\" >= :few", "rest": "TRUE"}


def label(rule: str, frame, **options) -> list:
    labels = xf.RuleSegmenter({"yes": rule}, default="no", **options).fit_transform(frame)["segment"]
    return labels.to_pylist() if isinstance(labels, pa.ChunkedArray) else labels.to_list()


def three_valued(rule: str, frame) -> list:
    """True, False or None, row by row."""
    found = pd.Series(label(rule, frame), dtype=object)
    return [None if pd.isna(value) else value == "yes" for value in found]


def test_first_true_wins_and_unknown_stops():
    segmenter = xf.RuleSegmenter(RULES, parameters={"few": 1})
    out = segmenter.fit_transform(FRAME)
    assert out["segment"].tolist()[:2] == ["web", "big"]
    assert pd.isna(out["segment"][2])  # the amount is missing: it could be big
    assert out["segment"][3] == "rest"
    assert out["segment"].cat.categories.tolist() == ["big", "web", "rest"]
    skipping = segmenter.set_params(unknown="skip").fit_transform(FRAME)
    assert skipping["segment"].tolist() == ["web", "big", "rest", "rest"]


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "dict", "arrow-backed", "categorical"])
def test_every_kind_of_frame(kind: str):
    frame = {
        "pandas": lambda: FRAME,
        "polars": lambda: pl.from_pandas(FRAME),
        "pyarrow": lambda: pa.Table.from_pandas(FRAME),
        "dict": lambda: {name: FRAME[name].to_numpy() for name in FRAME},
        "arrow-backed": lambda: FRAME.convert_dtypes(dtype_backend="pyarrow"),
        "categorical": lambda: FRAME.astype({"渠道": "category"}),
    }[kind]()
    out = xf.RuleSegmenter(RULES, parameters={"few": 1}).fit_transform(frame)
    column = out.column("segment") if kind == "pyarrow" else out["segment"]
    values = column.to_pylist() if kind == "pyarrow" else pd.Series(column.to_list(), dtype=object).tolist()
    assert [None if pd.isna(value) else value for value in values] == ["web", "big", None, "rest"]
    if kind == "pyarrow":
        assert pa.types.is_dictionary(column.type)


def test_kleene_logic():
    frame = pd.DataFrame({"a": pd.array([True, True, True, False, False, None, None, False, None], dtype="boolean")})
    frame["b"] = pd.array([True, False, None, False, None, None, True, True, False], dtype="boolean")
    a, b = frame["a"].tolist(), frame["b"].tolist()

    def known(value):
        return None if value is pd.NA else value

    expected_and = [known(x & y) for x, y in zip(a, b, strict=True)]
    expected_or = [known(x | y) for x, y in zip(a, b, strict=True)]
    assert three_valued("a AND b", frame) == expected_and
    assert three_valued("a OR b", frame) == expected_or
    assert three_valued("NOT a", frame) == [None if known(x) is None else not x for x in a]
    assert three_valued("a IS NULL", frame) == [known(x) is None for x in a]
    assert three_valued("(a AND b) IS NOT TRUE", frame) == [value is not True for value in expected_and]
    assert three_valued("(a OR b) IS FALSE", frame) == [value is False for value in expected_or]
    assert three_valued("a = b", frame) == [known(x == y) for x, y in zip(a, b, strict=True)]


def test_arithmetic():
    frame = pd.DataFrame({"a": [7, 7, -7, 0], "b": [2, 0, 2, 5]})
    assert three_valued("a / b = 3.5", frame) == [True, None, False, False]
    assert three_valued("a % b = 1", frame) == [True, None, False, False]
    assert three_valued("a % b = -1", frame) == [False, None, True, False]
    assert three_valued("-a + 2 * b - 1 > -5", frame) == [True, False, True, True]
    assert three_valued("a - (b - 1) - 1 = 5", frame) == [True, False, False, False]


def test_integer_overflow_is_missing_counted_and_warned():
    frame = pd.DataFrame({"a": [2**62, 3, -(2**63)]})
    with pytest.warns(UserWarning, match="2 results of whole-number or decimal calculation beyond 64 bits"):
        assert three_valued("a * 2 > 0", frame) == [None, True, None]
    assert three_valued("a * 2.0 > 0", frame) == [True, True, False]


def test_numbers_are_compared_exactly():
    large = pd.DataFrame({"x": np.array([2**53 - 1, 2**53, 2**53 + 1])})
    assert three_valued("x > 9007199254740992", large) == [False, False, True]
    assert three_valued("x >= 9007199254740991.5", large) == [False, True, True]
    cents = pa.table({"x": pa.array([Decimal("0.10"), Decimal("0.30"), None], pa.decimal128(10, 2))})
    assert three_valued("x = 0.1", cents) == [True, False, None]
    assert three_valued("x < 0.3000000001", cents) == [True, True, None]
    small = pd.DataFrame({"x": np.array([-128, 127], dtype=np.int8)})
    assert three_valued("x < 200", small) == [True, True]
    assert three_valued("x IN (-128, 1000)", small) == [True, False]
    natural = pd.DataFrame({"x": np.array([0, 2**64 - 1], dtype=np.uint64), "y": np.array([-1, 5])})
    assert three_valued("x > 18446744073709551614", natural) == [False, True]
    assert three_valued("x > y", natural) == [True, True]
    single = pd.DataFrame({"x": np.array([0.1, 0.5], dtype=np.float32)})
    assert three_valued("x = 0.1", single) == [True, False]


def test_text_is_compared_by_code_point():
    frame = pd.DataFrame({"x": ["a", "B", "é", "客户", None, "it's"]})
    assert three_valued("x > 'a'", frame) == [False, False, True, True, None, True]
    assert three_valued("x IN ('客户', 'it''s')", frame) == [False, False, False, True, None, True]
    assert three_valued("x BETWEEN 'B' AND 'a'", frame) == [True, True, False, False, None, False]


def test_column_names_of_every_sort():
    frame = pd.DataFrame({"last": [1], "date": [2], "客户 名": [3], 'a"b': [4], "AND": [5], "Amount": [6], "年_1": [7]})
    rule = 'last = 1 AND date = 2 AND "客户 名" = 3 AND "a""b" = 4 AND "AND" = 5 AND Amount = 6 AND 年_1 = 7'
    assert label(rule, frame) == ["yes"]
    with pytest.raises(xf.errors.RuleError, match="no column 'amount'; did you mean 'Amount'"):
        label("amount = 6", frame)


def test_missing_in_every_form():
    frame = pd.DataFrame({"x": [np.nan, 1.0], "y": [None, "a"], "z": [None, None]})
    assert three_valued("x IS NULL", frame) == [True, False]
    assert three_valued("y = 'a'", frame) == [None, True]
    assert three_valued("z > 5", frame) == [None, None]
    assert three_valued("z = 'text'", frame) == [None, None]
    assert three_valued("x > 0", pl.DataFrame({"x": [float("nan"), 1.0, None]})) == [None, True, None]
    dates = pd.DataFrame({"d": pd.to_datetime(["2024-01-01", None])})
    assert three_valued("d IS NOT NULL", dates) == [True, False]


def test_learned_and_given_parameters():
    frame = pd.DataFrame({"x": [1.0, 2.0, np.nan, 6.0], "y": ["a", "b", "c", "d"]})
    segmenter = xf.RuleSegmenter(
        {"a": "x >= :mean", "b": "y = :letter", "c": "x = :middle AND :on"},
        default="z",
        unknown="skip",
        parameters={"mean": "mean(x)", "letter": "a", "middle": ' Median ( "x" )', "on": True},
    )
    assert segmenter.fit_transform(frame)["segment"].tolist() == ["b", "c", "z", "a"]
    assert segmenter.parameters_ == {"mean": 3.0, "letter": "a", "middle": 2.0, "on": True}
    assert segmenter.transform(frame.iloc[:1])["segment"].tolist() == ["b"]  # the mean stays as learned
    with pytest.raises(xf.errors.InputError, match="no value to learn :m"):
        xf.RuleSegmenter({"a": "x > :m"}, parameters={"m": "mean(x)"}).fit(frame.iloc[2:3])
    with pytest.raises(xf.errors.InputError, match="column 'y' holds text"):
        xf.RuleSegmenter({"a": "x > :m"}, parameters={"m": "mean(y)"}).fit(frame)
    with pytest.raises(xf.errors.InputError, match="no column 'xx'"):
        xf.RuleSegmenter({"a": "x > :m"}, parameters={"m": "mean(xx)"}).fit(frame)


@pytest.mark.parametrize("count", [1, 126, 127, 128, 129])
def test_labels_around_the_width_of_a_byte(count: int):
    frame = pd.DataFrame({"x": np.arange(count + 1) + 0.5})
    labels = xf.RuleSegmenter({f"r{i}": f"x < {i + 1}" for i in range(count)}).fit_transform(frame)["segment"]
    assert labels.tolist()[:-1] == [f"r{i}" for i in range(count)]
    assert labels.isna().tolist() == [False] * count + [True]


def test_many_labels_and_a_default_that_is_a_rule():
    frame = pd.DataFrame({"x": np.arange(300)})
    many = xf.RuleSegmenter({f"r{i}": f"x = {i}" for i in range(299)}, default="rest").fit_transform(frame)
    assert many["segment"].tolist() == [f"r{i}" for i in range(299)] + ["rest"]
    again = xf.RuleSegmenter({"a": "x = 1", "b": "x = 2"}, default="a").fit_transform(frame)
    assert again["segment"].cat.categories.tolist() == ["a", "b"]
    assert again["segment"].tolist()[:4] == ["a", "a", "b", "a"]


def test_empty_one_row_and_no_column():
    empty = FRAME.iloc[:0]
    for frame in (empty, pl.from_pandas(empty)):
        out = xf.RuleSegmenter({"a": "amount > 1"}).fit_transform(frame)
        assert len(out) == 0
    assert label("1 = 1", FRAME.iloc[:1]) == ["yes"]
    assert label("TRUE", FRAME) == ["yes"] * 4


def test_index_order_and_frame_are_kept():
    frame = FRAME.set_axis([3, 3, 1, 0])
    before = frame.copy(deep=True)
    out = xf.RuleSegmenter(RULES, parameters={"few": 1}).fit_transform(frame)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(out.drop(columns="segment"), before)


def test_scikit_learn_citizen():
    segmenter = xf.RuleSegmenter(RULES, parameters={"few": 1}, domains={"Order Count": (0, 9), "渠道": ["web", "shop"]})
    segmenter.fit(FRAME)
    assert segmenter.get_feature_names_out().tolist() == [*FRAME.columns, "segment"]
    expected = segmenter.transform(FRAME)
    restored = xf.RuleSegmenter.from_json(segmenter.to_json())
    assert restored.get_params() == segmenter.get_params()
    for same in (pickle.loads(pickle.dumps(segmenter)), restored, clone(segmenter).fit(FRAME)):
        pd.testing.assert_frame_equal(same.transform(FRAME), expected)
    pipeline = make_pipeline(clone(segmenter), xf.RuleSegmenter({"both": "segment = 'web'"}, output="second"))
    assert pipeline.fit_transform(FRAME)["second"].astype(object).where(lambda x: x.notna(), None).tolist() == [
        "both", None, None, None,
    ]  # fmt: skip


def test_explain_names_rules_values_and_what_is_missing():
    segmenter = xf.RuleSegmenter(RULES, parameters={"few": 2}).fit(FRAME)
    told = segmenter.explain(FRAME, ids=["003", "001"])
    assert told.text == str(told)
    first, second = told.text.split("customer_id 001")
    assert "no label" in first
    assert "missing: amount" in first
    assert "because 'rest' holds" in second
    assert "Order Count = 1" in second
    rows = told.frame[told.frame["customer_id"] == "003"]
    assert rows[["rule", "condition", "value", "missing"]].to_numpy().tolist() == [
        ["big", "amount > 500", "amount = missing", "amount"]
    ]
    assert rows["decides"].all()
    assert rows["holds"].isna().all()
    assert rows["label"].isna().all()
    assert len(segmenter.explain(FRAME).frame["customer_id"].unique()) == 4
    assert segmenter.explain(FRAME.drop(columns="customer_id")).frame["row"].unique().tolist() == [0, 1, 2, 3]
    polars = segmenter.explain(pl.from_pandas(FRAME), ids="002").frame
    assert isinstance(polars, pl.DataFrame)
    assert polars["label"].to_list() == ["big"]
    with pytest.raises(xf.errors.InputError, match="no row with '009'"):
        segmenter.explain(FRAME, ids=["001", "009"])
    with pytest.raises(xf.errors.InputError, match="no column 'customr_id'; did you mean 'customer_id'"):
        segmenter.explain(FRAME, ids=["001"], id_column="customr_id")


def test_explain_agrees_with_transform():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"customer_id": np.arange(200), "a": rng.integers(0, 5, 200), "b": rng.normal(size=200)})
    frame.loc[::7, "b"] = np.nan
    segmenter = xf.RuleSegmenter({"x": "a > 3 OR b > 1", "y": "NOT (a = 2 AND b < 0)"}, default="z").fit(frame)
    told = segmenter.explain(frame, ids=frame["customer_id"]).frame.groupby("customer_id")["label"].first()
    labels = segmenter.transform(frame)["segment"].astype(object)
    pd.testing.assert_series_equal(told.fillna("?"), labels.fillna("?"), check_names=False, check_dtype=False)


class TestCoverage:
    FRAME = pd.DataFrame({"tenure": [1], "courses": [1], "channel": ["web"], "price": [1.5]})

    def covered(self, rules, **options):
        return xf.RuleSegmenter(rules, **options).fit(self.FRAME).coverage()

    def test_gaps_of_the_published_education_grades(self):
        rules = {
            "new": "tenure <= 1",
            "active": "tenure >= 3 AND tenure <= 12",
            "loyal": "tenure > 12 AND courses >= 2",
        }
        coverage = self.covered(rules, domains={"tenure": (0, 24), "courses": (1, 5)})
        assert not coverage.complete
        # One month (2) at 5 course counts, and 12 months beyond a year with a single course.
        assert coverage.gap_cells == 5 + 12
        gaps = coverage.gaps.astype(int)
        assert set(gaps["tenure"]) == {2, *range(13, 25)}
        assert coverage.cells == 25 * 5
        assert "NOT complete" in repr(coverage)

    def test_open_numbers_are_cut_at_the_rules_own_constants(self):
        coverage = self.covered({"low": "price < 10", "high": "price > 10"})
        assert coverage.cells == 3
        assert coverage.gaps.to_dict("list") == {"price": ["10"]}
        whole = self.covered({"low": "tenure < 10", "high": "tenure > 9"})
        assert whole.complete  # there is no whole number between 9 and 10
        assert not self.covered({"low": "price < 10", "high": "price > 9.5"}, domains={"price": (9.0, 9.4)}).gap_cells
        fraction = self.covered({"low": "tenure <= 2.5", "high": "tenure >= 2.75"})
        assert fraction.complete

    def test_unreachable_shadowed_overlapping(self):
        coverage = self.covered(
            {"a": "tenure >= 10", "b": "tenure >= 20", "c": "tenure > 5 AND tenure < 4", "d": "channel = 'web'"},
            default="e",
        )
        assert coverage.summary["status"].tolist() == ["ok", "shadowed", "unreachable", "ok", "default"]
        assert coverage.complete
        assert coverage.overlaps[["first", "second"]].to_numpy().tolist() == [["a", "b"], ["a", "d"], ["b", "d"]]
        assert "shadowed: 'b'" in repr(coverage)
        assert "unreachable: 'c'" in repr(coverage)

    def test_text_outside_the_rules_and_listed_text(self):
        rules = {"a": "channel = 'web'", "b": "channel IN ('shop', 'phone')"}
        assert self.covered(rules).gaps.to_dict("list") == {"channel": ["another text"]}
        assert self.covered(rules, domains={"channel": ["web", "shop", "phone"]}).complete

    def test_missing_is_a_value_where_rules_ask_for_it(self):
        coverage = self.covered({"a": "price IS NULL", "b": "price > 3"}, default="c")
        assert coverage.summary["cells"].tolist() == [1, 1, 2]

    def test_division_by_zero_is_unknown(self):
        coverage = self.covered(
            {"a": "tenure / courses > 1"}, default="b", domains={"tenure": (0, 3), "courses": (0, 2)}
        )
        assert coverage.unknown_cells == 4
        assert not coverage.complete

    def test_counts_of_rows(self):
        frame = pd.DataFrame({"price": [1.0, 5.0, 20.0, np.nan]})
        coverage = xf.RuleSegmenter({"low": "price < 2", "high": "price > 10"}).fit(frame).coverage(frame)
        assert coverage.summary["rows"].tolist() == [1, 1]
        assert (coverage.rows, coverage.gap_rows, coverage.unknown_rows) == (4, 1, 1)


class TestRefusals:
    @pytest.mark.parametrize(
        ("rule", "position", "message"),
        [
            ("", 0, "the text is empty"),
            ("amount", 0, "is not a condition"),
            ("amount + 1", 0, "is not a condition"),
            ("amount > 1 2", 11, "ends before '2'"),
            ("amount > 1 more", 11, "ends before 'more'"),
            ("qqq > 1", 0, "no column 'qqq'; the frame has: "),
            ("amount > 1 AND", 14, "found the end of the rule"),
            ("score(amount) > 1", 0, "no function 'score'"),
            ("amnt > 1", 0, "no column 'amnt'; did you mean 'amount'"),
            ("amount > 'a'", 9, "cannot be compared"),
            ("渠道 > 1", 5, "cannot be compared"),
            ('渠道 = "web"', 5, "text stands in single quotes"),
            ("渠道 + 1 > 2", 0, "only numbers can be calculated with"),
            ("amount > 1 AND 渠道", 15, "one side of AND or OR is not a condition"),
            ("NOT amount", 4, "what follows NOT is not a condition"),
            ("amount = NULL", 9, "IS NULL"),
            ("1 < amount < 5", 13, "cannot be chained"),
            ("amount > :cut", 9, "the parameter ':cut' has no value"),
            ("amount > AND", 9, "expected a column, a number or 'text', found 'AND'"),
            ("amount > 1 && amount < 5", 11, "there is no '&&' in a rule; write AND"),
            ("amount ≥ 1", 7, "there is no '≥' in a rule; write >="),
            ("o.amount > 1", 1, "a name with a point in it stands in double quotes"),
            ("amount > ?", 9, "a parameter is written :name"),
            ("amount IS DISTINCT FROM 1", 10, "expected NULL, TRUE or FALSE behind IS or IS NOT, found 'DISTINCT'"),
            ("NOT", 3, "expected a column, a number or 'text', found the end of the rule"),
            ("CAST(amount) > 1", 0, "no function 'CAST'; compute it as a column"),
            ("x" * 99 + " > 1", 0, f"no column '{'x' * 40}...'; the frame has: "),
            ("amount > 1 /* c", 11, "the comment that begins here has no ./ at its end"),
            ("amount IN (SELECT 1)", 11, "there is no 'SELECT' in a rule; compute it as a column"),
            ("amount" + " IS NULL" * 500, 0, "nests deeper than 40; cut it into several rules"),
            ("amount > 1) OR 渠道 = 'a'", 10, "ends before '.'; no . was open"),
            ("渠道 ILIKE 'W%'", 3, "LIKE tells capitals from small letters"),
            ("渠道 NOT ILIKE 'W%'", 3, "LIKE tells capitals from small letters"),
            ("amount MOD 2 = 0", 7, "ends before 'MOD'; write %"),
            ("LENGTH(channel) > 3", 0, "no function 'LENGTH'; compute it as a column"),
            ("ifnull(amount, 0) > 1", 0, "no function 'ifnull'; write COALESCE.a, b."),
            ("MOD(amount, 2) = 0", 0, "write a % b"),
            ("IF(amount > 1, 2, 3) > 1", 0, "write CASE WHEN a THEN b ELSE c END"),
            ("LEST(amount, 2) > 1", 0, "no function 'LEST'; did you mean 'LEAST'?"),
            ("amount > 1_000", 10, "write the digits of a number without signs between them"),
            ("channel = E'x'", 11, "a text stands in single quotes alone"),
            ("amount 大于 3", 7, "ends before '大于'; write >"),
            ("amount > 1 且 amount < 3", 11, "write AND"),
            ("if amount > 1", 3, "a rule is a condition without IF"),
            ("amount >\u200b 1", 8, "it cannot be seen .U.200B.: delete it"),
            ("from > 1", 0, 'a column of that name stands in double quotes: "from"'),
            ("amount > １", 9, "there is no '１' in a rule; write '1'"),
            ("amount > 1，amount < 5", 10, "there is no '，' in a rule; conditions are joined with AND or OR"),
            ("amount > 1。", 10, "needs no sign at its end"),
            ("when > DATE '2024-06-30' - INTERVAL 90 DAY", 36, "as in INTERVAL '90' DAY"),
            ("-- amount > 1", 0, "the text is a comment, which -- begins"),
            ("amount = 0x10", 9, "there is no '0x10' in a rule; write a number in decimal digits"),
            ("amount:cut", 6, "a parameter needs a comparison before it"),
            ("amount > 1 || amount < 5", 9, "write OR between conditions"),
            ("amount > 2024-01-01 AND 渠道 > DATE '2024-01-01'", 29, "a date is written DATE"),
            ("amount IN (1, NULL)", 14, "NULL stands behind IS"),
            ("渠道 SIMILAR TO 'w%'", 3, "ends before 'SIMILAR'"),
            ("amount IN (1, 'a')", 14, "cannot be compared"),
            ("amount > 1 AND\n amount < NULL", 25, "IS NULL"),
            ("amount = 'it", 9, "text that begins here has no ' at its end"),
            ("(" * 100_000 + "amount > 1", 40, "nests deeper than 40"),
            (" OR ".join(["amount = 1"] * 200_000), 70_000, "longer than 20000"),
        ],
    )
    def test_rule_text(self, rule: str, position: int, message: str):
        with pytest.raises(xf.errors.RuleError, match=message) as refused:
            xf.RuleSegmenter({"first": "amount > 1", "客户": rule}).fit(FRAME)
        assert refused.value.position == position
        assert "rule '客户'" in str(refused.value)
        assert pickle.loads(pickle.dumps(refused.value)).position == position

    def test_added_column_that_exists(self):
        with pytest.raises(xf.errors.InputError, match="already has a column 'segment'"):
            xf.RuleSegmenter({"a": "amount > 1"}).fit_transform(FRAME.assign(segment=1))
        out = xf.RuleSegmenter({"a": "amount > 1"}, output="mine").fit_transform(FRAME.assign(segment=1))
        assert out["mine"].tolist()[:2] == ["a", "a"]

    def test_infinity_is_never_data(self):
        frame = FRAME.assign(amount=[1.0, np.nan, -np.inf, np.inf])
        with pytest.raises(xf.errors.InputError, match="column 'amount' is infinite in row 2"):
            xf.RuleSegmenter({"a": "amount > 1"}).fit_transform(frame)

    def test_frames_that_changed(self):
        segmenter = xf.RuleSegmenter({"a": "amount > 1"}).fit(FRAME)
        with pytest.raises(xf.errors.InputError, match="no column 'amount'"):
            segmenter.transform(FRAME.drop(columns="amount"))
        with pytest.raises(xf.errors.RuleError, match="cannot be compared"):
            segmenter.transform(FRAME.assign(amount="much"))
        double = pd.concat([FRAME, FRAME[["amount"]]], axis=1)
        with pytest.raises(xf.errors.InputError, match="2 columns named 'amount'"):
            segmenter.transform(double)

    def test_domains_name_column_and_row(self):
        frame = FRAME.assign(渠道=["web", "app", None, "web"])
        for domains, message in (
            ({"渠道": ["web", "shop"]}, "column '渠道' is 'app' in row 1"),
            ({"amount": (0.0, 55.5)}, "column 'amount' is 600 in row 1"),
            ({"Order Count": (0, 5)}, "column 'Order Count' is 9 in row 2"),
        ):
            segmenter = xf.RuleSegmenter(RULES, parameters={"few": 1}, domains=domains)
            with pytest.raises(xf.errors.InputError, match=message):
                segmenter.fit_transform(frame)

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"rules": {}}, xf.errors.ParameterError, "rules is empty"),
            ({"rules": {"": "amount > 1"}}, xf.errors.ParameterError, "a label is empty"),
            ({"rules": "amount > 1"}, TypeError, "must be a mapping"),
            ({"rules": {"a": 1}}, TypeError, "must map text to text"),
            ({"rules": {1: "amount > 1"}}, TypeError, "must map text to text"),
            ({"unknown": "maybe"}, xf.errors.ParameterError, "'stop' or 'skip'"),
            ({"default": 3}, TypeError, "a label or None"),
            ({"output": 3}, TypeError, "name of the added column"),
            ({"parameters": {"x": [1]}}, TypeError, "wanted a number, text, True or False"),
            ({"parameters": {"x": float("nan")}}, xf.errors.ParameterError, "wanted a finite number"),
            ({"domains": {"amount": (5, 1)}}, xf.errors.ParameterError, "the domain of 'amount' is empty"),
            ({"domains": {"amount": (1, 2, 3)}}, xf.errors.ParameterError, "a pair is"),
            ({"domains": {"amount": ["a"]}}, xf.errors.ParameterError, "does not fit"),
            ({"domains": {"amount": "1-5"}}, TypeError, "must be a pair"),
        ],
    )
    def test_parameters(self, options: dict, error: type[Exception], message: str):
        with pytest.raises(error, match=message):
            xf.RuleSegmenter(**{"rules": {"a": "amount > 1"}, **options}).fit(FRAME)

    def test_an_array_is_told_the_columns(self):
        with pytest.raises(TypeError, match="expects 'amount', '渠道', 'Order Count'"):
            xf.RuleSegmenter(RULES, parameters={"few": 1}).fit(np.zeros((3, 3)))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_domain_of_whole_numbers_holds_no_fraction(dtype):
    rules = {"low": "x >= 1 AND x <= 2", "high": "x >= 3"}
    segmenter = xf.RuleSegmenter(rules, domains={"x": (1, 5)}).fit(pd.DataFrame({"x": np.array([1, 2], dtype)}))
    assert segmenter.coverage().complete
    assert segmenter.transform(pd.DataFrame({"x": np.array([1, np.nan, 5], dtype)}))["segment"].tolist()[::2] == [
        "low",
        "high",
    ]
    with pytest.raises(
        xf.errors.InputError, match=r"'x' is 2.5 in row 1, outside its domain: x is a whole number from 1 to 5"
    ):
        segmenter.transform(pd.DataFrame({"x": np.array([1, 2.5], dtype)}))


def test_repr_shows_the_rules_in_their_order_and_few_of_many():
    rules = {"zebra": "amount > 3", "apple": "amount > 1"}
    segmenter = xf.RuleSegmenter(rules, default="rest", aliases={"zebra": {"zh": "斑马"}})
    assert repr(segmenter) == "RuleSegmenter({'zebra': 'amount > 3', 'apple': 'amount > 1'}, default='rest')"
    assert repr(xf.RuleTagger(rules)) == "RuleTagger({'zebra': 'amount > 3', 'apple': 'amount > 1'})"
    preset = repr(xf.load_preset("rfm.named"))
    assert preset.startswith("RuleSegmenter({'champions': '")
    assert ", ... 10 rules}, default='hibernating'" in preset
    assert len(preset) < 700
    assert repr(xf.RuleSegmenter(5)) == "RuleSegmenter(5)"


def test_a_domain_of_no_column_is_refused():
    domains = {"channel": ["web"], "ammount": (0.0, 1.0)}
    with pytest.raises(ParameterError, match=r"domains names 'ammount'.*did you mean 'amount'\?"):
        xf.RuleSegmenter({"big": "amount > 1"}, domains=domains, optional=["channel"]).fit(FRAME)
    read_by_none = xf.RuleSegmenter({"big": "amount > 1"}, domains={"Order Count": (0, 9)}).fit(FRAME)
    assert read_by_none.columns_ == ["amount"]


def test_one_is_not_written_as_several():
    with pytest.warns(UserWarning, match="1 result of whole-number"):
        label("n * 2 > 0", pd.DataFrame({"n": [2**62, 1]}))
    covered = xf.RuleSegmenter({"a": "n > 1", "b": "n > 0"}).fit(pd.DataFrame({"n": [1]})).coverage()
    assert "overlaps: 1 pair, the earlier" in repr(covered)
