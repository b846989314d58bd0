"""The published segment maps: what each of the 125 score cells is called, and what a preset accepts."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import polars as pl
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
    rules = ["rfm.eight_cell", "rfm.named", "rfm.named_six"]
    assert table["name"].tolist() == ["matrix.importance_urgency", "matrix.value_potential", *rules]
    assert table.columns.tolist() == ["name", "title_zh", "title_en", "operation", "inputs"]
    assert table["operation"].tolist() == ["matrix"] * 2 + ["rules"] * 3


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
    ]
    for call, message in refusals:
        with pytest.raises(xf.errors.ParameterError, match=message):
            call()


def test_options_reach_the_segmenter():
    frame = CELLS.assign(segment="mine")
    out = xf.load_preset("rfm.named", output="named", n_jobs=1).fit_transform(frame)
    assert out["named"].tolist() == named().tolist()
