"""The published segment maps: what each of the 125 score cells is called, and what a preset accepts."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf

SCORES = ["recency_score", "frequency_score", "monetary_score"]
CELLS = pd.DataFrame(list(itertools.product(range(1, 6), repeat=3)), columns=SCORES)


def named(name: str = "rfm.named", **options) -> pd.Series:
    return xf.load_preset(name, **options).fit_transform(CELLS)["segment"]


def by_hand(recency: int, frequency: int, monetary: int) -> str:
    """The published rules, read top down."""
    r, f, m = recency, frequency, monetary
    rules = {
        "champions": r >= 4 and f >= 4 and m >= 4,
        "cant_lose": r <= 2 and f >= 4 and m >= 4,
        "loyal": r >= 3 and (f >= 4 or (f == 3 and m >= 3)),
        "new": r == 5 and f == 1,
        "promising": r == 4 and f == 1,
        "potential_loyalist": r >= 4,
        "need_attention": r == 3 and (f == 3 or m >= 3),
        "about_to_sleep": r == 3,
        "at_risk": f >= 3 or m >= 4,
        "lost": r == 1 and m <= 2,
        "hibernating": True,
    }
    return next(label for label, holds in rules.items() if holds)


def test_named_gives_every_cell_its_published_name():
    assert named().tolist() == [by_hand(*cell) for cell in CELLS.itertuples(index=False)]


def test_named_cell_counts():
    coverage = xf.load_preset("rfm.named").fit(CELLS).coverage(CELLS)
    assert coverage.complete
    assert coverage.cells == 125
    assert coverage.summary["cells"].tolist() == [8, 8, 31, 5, 5, 14, 8, 4, 30, 4, 8]
    assert coverage.summary["rows"].tolist() == coverage.summary["cells"].tolist()
    assert set(coverage.summary["status"]) == {"ok", "default"}
    assert len(coverage.gaps) == 0


def test_more_frequency_or_money_never_worsens_the_segment_within_a_recency_level():
    ranks = {
        "new": 0, "promising": 0, "potential_loyalist": 1, "loyal": 2, "champions": 3,
        "about_to_sleep": 0, "need_attention": 1,
        "lost": 0, "hibernating": 1, "at_risk": 2, "cant_lose": 3,
    }  # fmt: skip
    rank = {tuple(cell): ranks[label] for cell, label in zip(CELLS.to_numpy().tolist(), named(), strict=True)}
    for (r, f, m), place in rank.items():
        for more in ((r, f + 1, m), (r, f, m + 1)):
            assert rank.get(more, 9) >= place, (r, f, m, more)


def test_six_is_the_merge_of_eleven():
    merge = {
        "champions": "core", "loyal": "core", "potential_loyalist": "growth", "promising": "growth", "new": "new",
        "need_attention": "warning", "about_to_sleep": "warning", "at_risk": "win_back", "cant_lose": "win_back",
        "hibernating": "dormant", "lost": "dormant",
    }  # fmt: skip
    assert named("rfm.named_six").tolist() == [merge[label] for label in named()]


def test_eight_cells_merge_to_six():
    merge = {"general_value": "general_active", "general_develop": "general_active"}
    merge |= {"general_keep": "general_lapsed", "general_win_back": "general_lapsed"}
    eight, six = named("rfm.eight_cell"), named("rfm.eight_cell_six")
    assert six.tolist() == [merge.get(label, label) for label in eight]


def test_labels_in_two_languages():
    english = ["Champions", "Can't Lose Them", "Loyal Customers", "New Customers", "Promising", "Potential Loyalists"]
    english += ["Need Attention", "About To Sleep", "At Risk", "Lost", "Hibernating"]
    chinese = [
        "冠军客户",
        "不能流失客户",
        "忠诚客户",
        "新客户",
        "有望客户",
        "潜在忠诚客户",
        "需关注客户",
        "即将沉睡客户",
    ]
    chinese += ["风险客户", "已流失客户", "沉睡客户"]
    assert named(lang="en").cat.categories.tolist() == english
    assert named(lang="zh").cat.categories.tolist() == chinese
    assert (named(lang="zh").cat.codes == named().cat.codes).all()
    eight = named("rfm.eight_cell", lang="zh").cat.categories.tolist()
    assert eight == [
        "重要价值客户", "重要发展客户", "重要保持客户", "重要挽留客户",
        "一般价值客户", "一般发展客户", "一般保持客户", "一般挽留客户",
    ]  # fmt: skip
    six = named("rfm.named_six", lang="zh").cat.categories.tolist()
    assert set(six) == {"核心客群", "成长客群", "新客群", "预警客群", "挽回客群", "沉睡客群"}


def test_table_shows_key_labels_and_rule():
    table = xf.load_preset("rfm.named", lang="zh").table()
    assert table.columns.tolist() == ["label", "key", "zh", "en", "rule"]
    assert table.iloc[0][["label", "key", "en"]].tolist() == ["冠军客户", "champions", "Champions"]
    assert table.iloc[-1][["key", "rule"]].tolist() == ["hibernating", ""]


EIGHT = {
    "HHH": "important_value", "HLH": "important_develop", "LHH": "important_keep", "LLH": "important_win_back",
    "HHL": "general_value", "HLL": "general_develop", "LHL": "general_keep", "LLL": "general_win_back",
}  # fmt: skip


@pytest.mark.parametrize("reference", ["mean_score", "mean", "median", "fixed"])
def test_eight_cells_against_their_definition(reference: str):
    rng = np.random.default_rng(8)
    scores = pd.DataFrame(rng.integers(1, 6, (500, 3)), columns=SCORES)
    amounts = pd.DataFrame(
        {
            "recency_days": rng.integers(0, 400, 500),
            "order_count": rng.integers(1, 12, 500),
            "monetary": rng.gamma(2, 200, 500).round(2),
        }
    )
    cuts = {"recency_days": 90, "order_count": 3, "monetary": 500}
    frame = scores if reference == "mean_score" else amounts
    if reference in ("mean_score", "mean"):
        cut = frame.mean()
    else:
        cut = frame.median() if reference == "median" else pd.Series(cuts)
    good = frame >= cut
    if reference != "mean_score":
        good["recency_days"] = frame["recency_days"] <= cut["recency_days"]
    expected = ["".join("H" if high else "L" for high in row) for row in good.to_numpy().tolist()]
    segmenter = xf.load_preset("rfm.eight_cell", reference=cuts if reference == "fixed" else reference).fit(frame)
    assert segmenter.transform(frame)["segment"].tolist() == [EIGHT[cell] for cell in expected]
    assert segmenter.coverage().complete
    assert segmenter.coverage().summary["status"].eq("ok").all()


def test_identical_customers_are_all_on_the_good_side():
    same = pd.DataFrame({"recency_days": [30] * 10, "order_count": [2] * 10, "monetary": [9.9] * 10})
    for reference in ("mean", "median", {"recency_days": 30, "order_count": 2, "monetary": 9.9}):
        labels = xf.load_preset("rfm.eight_cell", reference=reference).fit_transform(same)["segment"]
        assert set(labels) == {"important_value"}


def test_columns_stand_in_for_inputs():
    frame = CELLS.rename(columns={"frequency_score": "F 12M"})
    renamed = xf.load_preset("rfm.named", columns={"frequency_score": "F 12M"}).fit_transform(frame)
    assert renamed["segment"].tolist() == named().tolist()
    amounts = pd.DataFrame({"recency_days": [1, 99], "order_count": [5, 1], 'a "b"': [10.0, 1.0]})
    eight = xf.load_preset("rfm.eight_cell", reference="mean", columns={"monetary": 'a "b"'})
    assert eight.fit_transform(amounts)["segment"].tolist() == ["important_value", "general_win_back"]


def test_scores_outside_the_domain_name_column_and_row():
    segmenter = xf.load_preset("rfm.named").fit(CELLS)
    for kind in (lambda f: f, pl.from_pandas):
        frame = CELLS.copy()
        frame.loc[77, "frequency_score"] = 6
        with pytest.raises(xf.errors.InputError, match=r"'frequency_score' is 6 in row 77"):
            segmenter.transform(kind(frame))
    large = pd.concat([CELLS] * 5000, ignore_index=True)
    large.loc[600_001, "monetary_score"] = 0
    with pytest.raises(xf.errors.InputError, match=r"'monetary_score' is 0 in row 600001"):
        segmenter.transform(large)


def test_missing_scores_are_missing_unless_they_cannot_matter():
    frame = pd.DataFrame(
        {"recency_score": [None, 5, 1], "frequency_score": [1, None, 1], "monetary_score": [1, 1, None]}
    )
    labels = xf.load_preset("rfm.named").fit_transform(frame)["segment"]
    # R missing: champions and cant_lose are false (F = 1), so is loyal, but "new" cannot be decided.
    # R = 5, F missing, M = 1: loyal cannot be decided. R = 1, F = 1: at_risk needs M.
    assert labels.isna().tolist() == [True, True, True]
    certain = frame.assign(frequency_score=[4, 1, 5], monetary_score=[1, None, 1])
    assert xf.load_preset("rfm.named").fit_transform(certain)["segment"].tolist()[1:] == ["new", "at_risk"]


def test_list_presets():
    table = xf.list_presets()
    columns = ["name", "title_zh", "title_en", "operation", "inputs", "optional", "parameters", "published", "ours"]
    assert table.columns.tolist() == columns
    assert table["name"].is_monotonic_increasing
    rows = table.set_index("name")
    assert rows.loc["rfm.named"].tolist()[2:6] == ["rules", ", ".join(SCORES), "", ""]
    assert "order_count_3M_last_year" in rows.loc["tag.value", "ours"]
    assert rows.loc["rfm.eight_cell", "parameters"] == "reference=mean_score"
    assert rows.loc["churn.watch", "inputs"] == "order_count, frequency_score, order_count_90D"
    assert rows.loc["tag.value", ["optional", "parameters"]].tolist() == [
        "gross_margin", "high_amount=500000, high_margin=0.3, potential_amount=100000, recent_months=3"
    ]  # fmt: skip
    assert not table[["title_zh", "title_en"]].eq("").any(axis=None)


def test_wrong_names_are_answered_with_the_nearest():
    refusals = [
        (lambda: xf.load_preset("rfm.nmaed"), "did you mean 'rfm.named'"),
        (lambda: xf.load_preset("rfm.named", lang="fr"), "wanted 'en', 'zh'"),
        (lambda: xf.load_preset("rfm.named", columns={"recency": "r"}), "did you mean 'recency_score'"),
        (lambda: xf.load_preset("rfm.named", reference="mean"), "no parameter of rfm.named 'reference'"),
        (lambda: xf.load_preset("rfm.eight_cell", reference="means"), "did you mean 'mean'"),
        (lambda: xf.load_preset("rfm.eight_cell", reference="fixed"), "there is: mean_score, mean, median"),
        (
            lambda: xf.load_preset("rfm.eight_cell", reference={"recency_days": 90}),
            "wanted 'recency_days', 'order_count'",
        ),
        (lambda: xf.load_preset("band.size", large_form=9), "did you mean 'large_from'"),
        (lambda: xf.load_preset("band.size", large_from=9.5), "is 9.5; wanted a finite integer \\(persons\\), 500 by"),
        (lambda: xf.load_preset("band.size", large_from=True), "is True; wanted a finite integer"),
        (lambda: xf.load_preset("band.size", large_from=0), "is 0; wanted 1 or more"),
        (lambda: xf.load_preset("band.purchase", key_from=float("nan")), "is nan; wanted a finite number"),
        (lambda: xf.load_preset("band.purchase", key_from="mean(monetary)"), "wanted a finite number"),
        (lambda: xf.load_preset("band.purchase", currency="USD"), "currency 'CNY', your amounts have 'USD'"),
        (lambda: xf.load_preset("band.purchase", basis="signed"), "basis 'invoiced, with tax'"),
        (lambda: xf.load_preset("rfm.named", currency="USD"), "no parameter of rfm.named 'currency'"),
        (lambda: xf.load_preset("types.practice", churn_days="60"), "wanted a finite integer"),
        (lambda: xf.load_preset("rfm.named", columns=["r"]), "columns is \\['r'\\]; wanted a mapping"),
        (
            lambda: xf.load_preset("rfm.named", columns={"recency_score": 3}),
            "columns calls 'recency_score' 3; wanted the",
        ),
        (lambda: xf.load_preset("rfm.named", columns={"recency_score": ""}), "columns calls 'recency_score' ''"),
        (
            lambda: xf.load_preset("rfm.named", columns={"recency_score": "frequency_score"}),
            "gives 'recency_score' and 'frequency_score' of rfm.named the same column 'frequency_score'",
        ),
        (
            lambda: xf.load_preset("rfm.eight_cell", reference={"recency_days": "x", "order_count": 1, "monetary": 1}),
            "reference cuts 'recency_days' at 'x'; wanted a finite number, or one of mean_score, mean, median",
        ),
        (
            lambda: xf.load_preset("band.size", large_from=10),
            "medium_from of band.size is 50, more than large_from, which",
        ),
        (
            lambda: xf.load_preset("types.practice", churn_days=14),
            "active_days of types.practice is 30, more than churn_",
        ),
    ]
    for call, message in refusals:
        with pytest.raises(xf.errors.ParameterError, match=message):
            call()


def test_options_reach_the_segmenter():
    frame = CELLS.assign(segment="mine")
    out = xf.load_preset("rfm.named", output="named", n_jobs=1).fit_transform(frame)
    assert out["named"].tolist() == named().tolist()


def test_inputs_may_change_names_with_each_other_and_clocks_may_be_equal():
    swapped = {"recency_score": "frequency_score", "frequency_score": "recency_score"}
    frame = CELLS.rename(columns=swapped)
    assert xf.load_preset("rfm.named", columns=swapped).fit_transform(frame)["segment"].tolist() == named().tolist()
    one_clock = xf.load_preset("state.development", stopped_days=365)
    states = pd.DataFrame({"order_count": [3], "tenure_days": [400], "order_count_365D": [0]})
    assert one_clock.fit_transform(states)["customer_state"].tolist() == ["lost"]


def test_amounts_of_the_same_kind_are_welcome():
    assert xf.load_preset("band.size", large_from=np.int64(300)).parameters["large_from"] == 300
    bands = xf.load_preset("band.purchase", currency="CNY", basis="invoiced, with tax")
    assert bands.fit_transform({"monetary_12M": [1.0]})["purchase_band"].tolist() == ["ordinary"]


@pytest.mark.parametrize(
    "kind", [lambda f: f, pl.from_pandas, pa.Table.from_pandas], ids=["pandas", "polars", "pyarrow"]
)
def test_an_absent_optional_input_counts_as_missing_with_one_warning(kind):
    frame = pd.DataFrame({"order_count": [0, 2, 2], "order_count_180D": [0, 1, 0]})
    segmenter = xf.load_preset("state.purchase")
    with pytest.warns(UserWarning, match="the frame has no 'tenure_days': optional, and now missing") as seen:
        out = segmenter.fit_transform(kind(frame))
    assert len(seen) == 1
    assert seen[0].filename == __file__  # the line that called, not one of ours
    states = pl.from_arrow(out)["customer_state"] if isinstance(out, pa.Table) else out["customer_state"]
    assert [None if state != state else state for state in list(states)] == ["prospect", None, "dormant"]  # noqa: PLR0124
    again = segmenter.transform(kind(frame))  # said at fit
    assert list(again.columns if not isinstance(again, pa.Table) else again.column_names) == [
        *frame.columns, "customer_state"
    ]  # fmt: skip
    assert "missing: tenure_days" in str(segmenter.explain(kind(frame), ids=None))
    whole = frame.assign(tenure_days=[None, 10.0, 400.0])
    assert list(segmenter.fit_transform(kind(whole)))
    with pytest.warns(UserWarning, match="no 'tenure_days'"):
        segmenter.transform(kind(frame))
    with pytest.raises(xf.errors.RuleError, match="no column 'order_count'"):
        xf.load_preset("state.purchase").fit(kind(frame.drop(columns="order_count")))
    with pytest.warns(UserWarning, match="no 'tenure_days'"):
        late = xf.load_preset("state.purchase").fit(kind(frame))
    assert list(late.transform(kind(whole)))  # there at last
    for wrong in ("tenure_days", ["a", "a"], 3):
        with pytest.raises(xf.errors.ParameterError, match="optional"):
            segmenter.set_params(optional=wrong).transform(kind(frame))
    segmenter.set_params(optional=["tenure_days"])
    restored = xf.RuleSegmenter.from_json(segmenter.to_json())
    with pytest.warns(UserWarning, match="no 'tenure_days'"):
        restored.transform(kind(frame))


def test_a_scorecard_counts_absent_optional_inputs_as_missing():
    frame = pd.DataFrame({"growth_rate": [0.3, None], "industry_outlook": [5, 1]})
    with pytest.warns(UserWarning, match="no 'expansion_size', 'expansion_speed', 'new_product_need', 'competitor"):
        out = xf.load_preset("score.potential").fit_transform(frame)
    assert out["potential_score"].tolist() == [72.5, 40.0]  # 0.2 and 0.25 of 100, the rest 50; then 0 and 50
    with pytest.raises(xf.errors.InputError, match="no columns 'monetary_12M' and 'order_count_12M'"):
        xf.load_preset("score.value").fit(frame)


def test_grades_are_a_scorecard_and_rules_on_its_score():
    leads = xf.datasets.make_crm(2_000, seed=3).leads
    graded = xf.load_preset("lead.grade", lang="zh").fit_transform(leads)
    assert set(graded["lead_grade"]) == {"高价值线索", "中价值线索", "低价值线索"}
    cuts = pd.cut(
        graded["lead_score"], [-1, 40, 70, 101], right=False, labels=["低价值线索", "中价值线索", "高价值线索"]
    )
    assert (cuts.astype(str) == graded["lead_grade"].astype(str)).all()
    for name in ("lead.grade", "credit.grade"):
        pipeline = xf.load_preset(name)
        frame = leads if name == "lead.grade" else pd.DataFrame(
            {"phone_call_count_12M": [1], "monetary_12M": [5], "payment_days": [9], "open_invoice_share": [0.0],
             "response_rate_3M": [0.4]}
        )  # fmt: skip
        pipeline.fit(frame)
        report = xf.ladder_check(pipeline["grade"], pipeline["scorecard"])
        assert set(report["status"]) == {"ok"}
    weighted = xf.load_preset("credit.grade", weights=[0, 0, 1, 0, 0], columns={"payment_days": "days"}, high_from=70)
    late = pd.DataFrame(
        {"phone_call_count_12M": [1] * 3, "monetary_12M": [5] * 3, "days": [30, 60, 91],
         "open_invoice_share": [0.0] * 3, "response_rate_3M": [0.4] * 3}
    )  # fmt: skip
    assert weighted.fit_transform(late)["credit_grade"].tolist() == ["highest", "high", "low"]


def test_value_and_potential_scores_make_the_matrix():
    crm = xf.datasets.make_crm(2_000, seed=3)
    rfm = xf.rfm_table(crm.orders, as_of=crm.as_of, order_id="order_id", customers=crm.customers, windows=["12M"])
    frame = rfm.merge(crm.customers, on="customer_id")
    scored = xf.load_preset("score.potential").fit_transform(xf.load_preset("score.value").fit_transform(frame))
    matrix = xf.load_preset(
        "matrix.value_potential", lang="zh", columns={"value": "value_score", "potential": "potential_score"},
        bins={"value_score": ["< 30", "< 60"], "potential_score": ["< 40", "< 60"]},
    )  # fmt: skip
    out = matrix.fit_transform(scored)
    assert out["matrix_cell"].nunique() == 9
    assert out["matrix_cell"].notna().all()


def test_keywords_are_for_keyword_table():
    crm = xf.datasets.make_crm(500, seed=3)
    table = xf.keyword_table(crm.messages.dropna(subset="text"), keywords=xf.load_preset("keywords.need"))
    assert (table[["lead_time_count", "quality_count", "price_count", "complaint_count"]].sum() > 0).all()


def test_an_unknown_preset_is_answered_in_one_sentence():
    with pytest.raises(
        xf.errors.ParameterError, match=r"no preset 'rfm.nmed'; did you mean 'rfm.named'\? there is: band"
    ):
        xf.load_preset("rfm.nmed")
    with pytest.raises(xf.errors.ParameterError, match="no preset '###'; there is: band"):
        xf.load_preset("###")
