"""ABC classes: cumulative shares, learned as the amounts at which the classes begin."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from hypothesis import given
from hypothesis import strategies as st


def test_abc_classes_by_cumulative_share():
    sales = pd.DataFrame({"monetary_12M": [5.0, 15.0, 70.0, 10.0, 0.0, -20.0, None]})
    preset = xf.load_preset("importance.abc", lang="zh").fit(sales)
    # 70 and 15 are the first to have 80 % of 100, with 10 they have 95 %.
    assert preset.parameters_ == {"a_from": 15.0, "b_from": 10.0}
    classes = preset.transform(sales)["abc_class"]
    assert [None if pd.isna(x) else x for x in classes] == ["C类", "A类", "A类", "B类", "C类", "C类", None]
    assert preset.coverage().complete
    rng = np.random.default_rng(1)
    amounts = pd.Series(rng.pareto(1.2, 2_000).round(2))  # with ties
    above = amounts.map(lambda amount: amounts[amounts > amount].sum()) / amounts.sum()
    wanted = np.select([above < 0.7, above < 0.9], ["a", "b"], "c")
    frame = pd.DataFrame({"mine": amounts})
    own = xf.load_preset("importance.abc", a_share=0.7, b_share=0.9, columns={"monetary_12M": "mine"})
    assert own.fit_transform(frame)["abc_class"].tolist() == wanted.tolist()
    shuffled = own.fit(frame.sample(frac=1, random_state=0))
    assert shuffled.transform(frame)["abc_class"].tolist() == wanted.tolist()
    same = pd.DataFrame({"monetary_12M": [3, 3]})
    assert xf.load_preset("importance.abc").fit_transform(same)["abc_class"].tolist() == ["a", "a"]
    again = xf.RuleSegmenter.from_json(preset.to_json())
    assert again.transform(pd.DataFrame({"monetary_12M": [12.0, 9.0]}))["abc_class"].tolist() == [
        "B类",
        "C类",
    ]  # next quarter


@pytest.mark.parametrize(
    ("amounts", "options", "words"),
    [
        ([0.0, -1.0], {}, "holds nothing above 0, of which top_share"),
        (["3", "4"], {}, "'monetary_12M'.*text"),
        ([1.0, float("inf")], {}, "is infinite in row 1"),
        ([1.0], {"a_share": 0.96}, "a_share of importance.abc is 0.96, more than b_share, which is 0.95"),
        ([1.0], {"b_share": 95}, "asks for the share 95; wanted one above 0 and up to 1"),
    ],
)
def test_abc_classes_that_cannot_be(amounts: list, options: dict, words: str):
    with pytest.raises(xf.errors.XifenError, match=words):
        xf.load_preset("importance.abc", **options).fit(pd.DataFrame({"monetary_12M": amounts}))


def test_top_share_is_a_parameter_of_any_rule():
    frame = pd.DataFrame({"the (amount)": [1, 2, 3, 4], "m": [1.5, 2.5, None, 4.0]})
    rules = {"top": '"the (amount)" >= :few AND m >= :least'}
    learned = {"few": 'top_share("the (amount)", 0.4)', "least": "Top_Share( m , 1 )"}
    for kind in (lambda f: f, pl.from_pandas, pa.Table.from_pandas):
        segmenter = xf.RuleSegmenter(rules, parameters=learned).fit(kind(frame))
        assert segmenter.parameters_ == {"few": 4.0, "least": 1.5}
    tagger = xf.RuleTagger({"top": "m >= :least"}, parameters={"least": "top_share(m, .5)"}).fit(frame)
    assert tagger.parameters_ == {"least": 4.0}
    for wrong, words in (
        ("top_share(m, 0)", "asks for the share 0; wanted one above 0"),
        ("top_share(m, lots)", "asks for the share lots"),
        ("top_share(n, 0.5)", "no column 'n'"),
    ):
        with pytest.raises(xf.errors.XifenError, match=words):
            xf.RuleSegmenter({"top": "m >= :least"}, parameters={"least": wrong}).fit(frame)


@given(
    cents=st.lists(st.integers(1, 400), min_size=1, max_size=8),
    share=st.sampled_from(["0.5", "0.7", "0.8", "0.95", "1"]),
)
def test_sums_are_exact_whatever_the_kind(cents: list[int], share: str):
    values = sorted((Decimal(cent) / 100 for cent in cents), reverse=True)
    above = [sum((other for other in values if other > value), Decimal(0)) for value in values]
    wanted = min(
        value for value, sum_above in zip(values, above, strict=True) if sum_above < Decimal(share) * sum(values)
    )
    arrow = pa.table({"m": pa.array(values, pa.decimal128(8, 2))})
    for frame in (pd.DataFrame({"m": [float(value) for value in values]}), pd.DataFrame({"m": values}), arrow):
        rule = xf.RuleSegmenter({"top": "m >= :p"}, parameters={"p": f"top_share(m, {share})"}).fit(frame)
        assert rule.parameters_["p"] == float(wanted)


def test_the_mean_of_decimals_is_rounded_once():
    frame = pd.DataFrame({"m": [Decimal("0.10"), Decimal("0.20"), Decimal("0.30"), None]})
    rule = xf.RuleSegmenter({"above": "m > :p"}, default="not", parameters={"p": "mean(m)"}).fit(frame)
    assert rule.parameters_ == {"p": 0.2}
    assert rule.transform(frame)["segment"].tolist()[:3] == ["not", "not", "above"]
    many = pd.DataFrame({"m": [Decimal("9" * 38)] * 3})  # the sum has too many digits to be exact
    assert rule.fit(many).parameters_ == {"p": 1e38}
    thirds = pa.table({"m": pa.array([Decimal(1), Decimal(1), Decimal(0)], pa.decimal128(4, 2))})
    assert rule.fit(thirds).parameters_ == {"p": 2 / 3}
