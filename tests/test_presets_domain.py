"""What each preset's coverage says, one test per contradiction of practice, and who gets which label."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import pytest
import xifen as xf

SCORES = ("recency_score", "frequency_score", "monetary_score")


def customers(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


#: One customer with everything the type lists read; tests change what they are about.
TYPED = {
    "recency_score": 3, "frequency_score": 3, "monetary_score": 3, "order_count_30D": 0, "order_count_90D": 1,
    "service_feedback": "neutral", "matrix_cell": "mainstay",
}  # fmt: skip


def typed(name: str, *changes: dict[str, Any]) -> list[str | None]:
    frame = pd.DataFrame([{**TYPED, **change} for change in changes])
    labels = xf.load_preset(name).fit_transform(frame)["customer_type"]
    return [None if pd.isna(label) else label for label in labels]


def covered(name: str, frame: pd.DataFrame, **parameters: Any) -> Any:
    return xf.load_preset(name, **parameters).fit(frame).coverage()


# 1. One text uses high R as good and as long ago: rules use window counts, scores are 5 = best.


def test_clocks_are_window_counts_and_scores_are_best_at_5():
    listed = xf.list_presets().set_index("name")
    for name in ("types.published", "types.practice"):
        assert "order_count_30D, order_count_90D" in listed.loc[name, "inputs"]
        assert "recency_days" not in listed.loc[name, "inputs"]
        rules = xf.load_preset(name).table().set_index("label")["rule"]
        assert "recency_score >= :high" in rules["high_value_loyal"]
        assert "recency" not in rules["churn_risk"]


def test_no_preset_mixes_directions():
    for name in ("types.published", "types.practice", "types.three"):
        assert "direction" not in set(covered(name, pd.DataFrame([TYPED])).findings["finding"])
    mixed = xf.RuleSegmenter({"lately": "recency_score <= 2 AND recency_days <= 30"})
    assert "direction" in set(mixed.fit(customers(recency_score=[1], recency_days=[9])).coverage().findings["finding"])


# 2 and 3. The gaps of the published types.


def gaps_of_published() -> tuple[pd.DataFrame, Any]:
    """Every combination of what the published rules ask, and the label it gets; and the coverage."""
    levels = {
        "recency_score": [3, 4], "frequency_score": [2, 3, 4], "monetary_score": [3, 4], "order_count_30D": [0, 1],
        "order_count_90D": [0, 1], "service_feedback": ["negative", "neutral"],
        "matrix_cell": ["cash_cow", "star", "potential", "mainstay"],
    }  # fmt: skip
    frame = pd.MultiIndex.from_product(levels.values(), names=levels.keys()).to_frame(index=False)
    frame = frame[frame["order_count_90D"] >= frame["order_count_30D"]].reset_index(drop=True)
    segmenter = xf.load_preset("types.published").fit(frame)
    return segmenter.transform(frame), segmenter.coverage(frame)


def test_recency_of_30_to_89_days_falls_into_no_published_type():
    out, coverage = gaps_of_published()
    between = (out["order_count_30D"] == 0) & (out["order_count_90D"] > 0)
    named = out["customer_type"].notna()
    top = (out[list(SCORES)] >= 4).all(axis=1)
    by_recency = between & ~top & ~out["matrix_cell"].isin(["cash_cow", "potential"])
    assert by_recency.any()
    assert not named[by_recency].any()
    assert not (out.loc[between, "customer_type"] == "churn_risk").any()
    assert not coverage.complete
    assert coverage.gap_rows == int((~named).sum())
    gaps = coverage.gaps  # the first 1,000 of 2,154
    assert ((gaps["order_count_30D"] == "0") & (gaps["order_count_90D"] != "0")).any()
    assert coverage.summary["status"].tolist() == ["ok"] * 3


def test_stars_belong_to_no_published_type():
    out, coverage = gaps_of_published()
    stars = out[(out["matrix_cell"] == "star") & (out["order_count_90D"] > 0) & (out["order_count_30D"] == 0)]
    assert stars["customer_type"].isna().sum() == (~(stars[list(SCORES)] >= 4).all(axis=1)).sum() > 0
    assert not coverage.summary["rule"].str.contains("star").any()
    assert typed("types.published", {"matrix_cell": "star"}, {"matrix_cell": "cash_cow"}) == [None, "high_value_loyal"]
    assert typed("types.practice", {"matrix_cell": "star"}) == ["high_value_loyal"]


def test_practical_types_have_no_gap_and_published_ones_do():
    frame = pd.DataFrame([TYPED])
    published, practice = (covered(name, frame) for name in ("types.published", "types.practice"))
    assert (published.cells, published.gap_cells, published.unknown_cells) == (31_500, 2_154, 0)
    assert practice.complete
    assert covered("types.three", frame).complete


def test_the_cell_may_be_written_in_either_language():
    for cell in ("cash_cow", "现金牛客户", "Cash cow"):
        assert typed("types.published", {"matrix_cell": cell}) == ["high_value_loyal"]
    assert typed("types.published", {"matrix_cell": "潜力客户"}) == ["potential_to_develop"]


def test_feedback_that_is_not_known():
    left = {"order_count_90D": 0, "frequency_score": 1, "service_feedback": None}
    assert typed("types.published", left, {**left, "service_feedback": "negative"}) == [None, "churn_risk"]
    assert typed("types.practice", left, {**left, "service_feedback": "差评"}) == ["general_value", "churn_risk"]


# 4. A customer buying 3 times a year has F=1 and cannot be "potential to develop".


def test_three_orders_a_year_score_1_and_cannot_be_potential_to_develop():
    rfm = customers(
        recency_days=[5, 5, 5, 5, 5], order_count_12M=[3, 4, 5, 9, 10], monetary=[100.0, 200.0, 300.0, 400.0, 500.0]
    )
    scored = xf.load_preset("rfm.published_scale").fit_transform(rfm)
    assert scored["frequency_score"].tolist() == [1, 1, 3, 3, 5]
    frame = scored.assign(order_count_30D=1, order_count_90D=1, service_feedback="neutral", matrix_cell="mainstay")
    types = xf.load_preset("types.published").fit_transform(frame)["customer_type"]
    assert [None if pd.isna(label) else label for label in types[:4]] == [None, None, *["potential_to_develop"] * 2]


# 5. 60,000 a year is "high" in one text and "ordinary" in another: thresholds are presets.


def test_sixty_thousand_a_year_is_ordinary_until_you_say_otherwise():
    frame = customers(monetary_12M=[60_000])
    assert xf.load_preset("band.purchase").fit_transform(frame)["purchase_band"].tolist() == ["ordinary"]
    mine = xf.load_preset("band.purchase", potential_from=10_000, key_from=50_000)
    assert mine.fit_transform(frame)["purchase_band"].tolist() == ["key"]


# 6. 以上 against >: exactly 500,000.


def test_exactly_500_000_is_the_top_band_and_a_potential_value_tag():
    frame = customers(
        monetary_12M=[500_000, 500_000.01, 500_000, 99_999.99, 100_000],
        gross_margin=[0.5, 0.5, 0.5, 0.1, 0.1],
        order_count_3M=[3, 3, 1, 0, 2],
        order_count_prev_3M=[2, 2, 1, 0, 1],
    )
    bands = xf.load_preset("band.purchase", lang="zh").fit_transform(frame)["purchase_band"]
    assert bands.tolist() == ["重点客户", "重点客户", "重点客户", "普通客户", "潜力客户"]
    tagged = xf.load_preset("tag.value").fit_transform(frame)
    assert tagged["value"].tolist() == ["potential", "high_value", "unclassified", "ordinary", "potential"]


def test_value_tags_leave_a_gap_and_an_unknown_margin_unknown():
    frame = customers(
        monetary_12M=[900_000, 300_000, 900_000],
        gross_margin=[0.3, 0.5, None],
        order_count_3M=[1, 1, 1],
        order_count_prev_3M=[1, 1, 1],
    )
    tagged = xf.load_preset("tag.value", lang="zh").fit_transform(frame)
    assert tagged["价值标签"].tolist()[:2] == ["未分类", "未分类"]
    assert tagged["价值标签"].isna().tolist() == [False, False, True]
    assert tagged["高价值客户"].isna().tolist() == [False, False, True]


def test_a_rise_against_the_same_months_last_year():
    """Spring Festival moves; the way the preset's page describes."""
    crm = xf.datasets.make_crm(500, seed=2)
    before = (pd.Timestamp(crm.as_of) - pd.DateOffset(years=1)).strftime("%Y-%m-%d")
    common = {"order_id": "order_id", "customers": crm.customers}
    now = xf.rfm_table(crm.orders, as_of=crm.as_of, windows=["3M", "12M"], **common)
    then = xf.rfm_table(crm.orders, as_of=before, windows=["3M"], **common)
    then = then[["customer_id", "order_count_3M"]].rename(columns={"order_count_3M": "order_count_3M_last_year"})
    frame = now.merge(then, on="customer_id").merge(crm.customers[["customer_id", "gross_margin"]], on="customer_id")
    columns = {"order_count_prev_3M": "order_count_3M_last_year"}
    tagged = xf.load_preset("tag.value", columns=columns).fit_transform(frame)
    amount = frame["monetary_12M"].between(100_000, 500_000)
    rising = amount & (frame["order_count_3M"] > frame["order_count_3M_last_year"])
    assert 0 < rising.sum() < amount.sum()
    assert (tagged["potential"].fillna(False) == rising).all()


# 7. Two churn clocks, 90 days and 6 calendar months, with different second conditions.


def test_two_churn_clocks():
    frame = customers(
        order_count=[4, 4, 4, 0], frequency_score=[1, 1, 3, 1], order_count_90D=[0, 0, 0, 0],
        order_count_6M=[1, 0, 0, 0], complaint_rate=[0.5, 0.1, 0.2, None], payment_days=[90, 91, None, None],
    )  # fmt: skip
    watch = xf.load_preset("churn.watch").fit_transform(frame)["churn_watch"]
    assert watch.tolist() == [True, True, False, False]
    risk = xf.load_preset("tag.risk").fit_transform(frame)
    assert risk["churn_risk"].tolist() == [False, False, True, pd.NA]
    assert risk["payment_risk"].tolist() == [False, True, pd.NA, pd.NA]


def test_clocks_are_parameters_and_ask_for_the_other_window():
    frame = pd.DataFrame([{**TYPED, "order_count_60D": 0, "frequency_score": 1, "service_feedback": "负面"}])
    segmenter = xf.load_preset("types.practice", churn_days=60).fit(frame)
    assert "order_count_60D" in segmenter.columns_
    assert "order_count_90D" not in segmenter.columns_
    assert segmenter.transform(frame)["customer_type"].tolist() == ["churn_risk"]
    with pytest.raises(
        xf.errors.RuleError, match=r"no column 'order_count_75D'(?s:.*)with windows=\['75D'\]"
    ) as refusal:
        xf.load_preset("types.practice", churn_days=75).fit(frame)
    assert refusal.value.position == 0
    renamed = xf.load_preset("types.practice", churn_days=60, columns={"order_count_60D": "orders_in_two_months"})
    assert renamed.fit_transform(frame.rename(columns={"order_count_60D": "orders_in_two_months"}))[
        "customer_type"
    ].tolist() == ["churn_risk"]


# 8. The same word for two things is tested in test_presets_files.py.

# 9. Four of nine cells named; "heavy investment" against "hold steady".


def test_four_of_nine_cells_are_named_by_practice():
    cuts = {"value": ["< 1", "< 2"], "potential": ["< 1", "< 2"]}
    frame = customers(value=[0, 1, 2], potential=[0, 1, 2])
    nine = xf.load_preset("matrix.value_potential", bins=cuts).fit(frame).table()
    four = xf.load_preset("matrix.value_potential", bins={"value": [0.5], "potential": [0.5]}).fit(frame).table()
    assert len(nine) == 9
    assert four["key"].tolist() == ["star", "cash_cow", "potential", "long_tail"]
    assert four["investment"].tolist() == ["heaviest", "heavy", "moderate", "none"]
    with pytest.warns(UserWarning, match="9 types"):
        plays = xf.load_preset("playbook.matrix", lang="en").set_index("playbook_key")
    assert plays.loc["matrix.cash_cow", ["direction", "investment_level"]].tolist() == ["Hold steady income", "Heavy"]
    assert plays.loc["matrix.long_tail", "investment_level"] == "No investment"
    again = pd.read_csv(io.StringIO(plays.to_csv()), index_col=0)  # no word of it is one that reads as missing
    assert again["investment_level"].tolist() == plays["investment_level"].tolist()


# 10. The education gaps, the unreachable gym grade. (Template row 002: test_management.py.)


def test_the_gaps_of_the_education_grades():
    learners = customers(tenure_days=[0, 30, 31, 89, 90, 365, 366, 366], course_count=[0, 5, 5, 5, 0, 9, 1, 2])
    segmenter = xf.load_preset("lead.education").fit(learners)
    grades = segmenter.transform(learners)["learner_grade"]
    wanted = ["new", "new", None, None, "active", "active", None, "loyal"]
    assert [None if pd.isna(grade) else grade for grade in grades] == wanted
    gaps = segmenter.coverage().gaps.drop_duplicates("tenure_days")
    assert gaps["tenure_days"].tolist()[0] == "between 30 and 90"
    beyond = segmenter.coverage().gaps
    beyond = beyond[beyond["tenure_days"] != "between 30 and 90"]
    assert beyond["course_count"].tolist()  # over a year with fewer than 2 courses
    assert not set(beyond["course_count"]) & {"2", "between 2 and 1000000000"}
    report = xf.ladder_check(segmenter)
    assert report["status"].tolist() == ["ok", "ok", "ok", "gap"]


def test_the_gym_grade_nobody_reaches():
    members = customers(
        annual_fee_usd=[2_001, 2_000, 0, 0, 0],
        joins_events=[True, True, False, False, False],
        classes_per_month=[0, 4, 13, 4, 4],
        tenure_days=[400, 10, 400, 30, 31],
    )
    segmenter = xf.load_preset("lead.gym").fit(members)
    grades = segmenter.transform(members)["member_grade"]
    assert [None if pd.isna(grade) else grade for grade in grades] == ["vip", "entry", "loyal", "entry", None]
    report = xf.ladder_check(segmenter).set_index("grade")
    assert report.loc["active", "status"] == "never reached"
    assert report.loc["active", "finding"] == "everyone it would take is already 'vip' or 'loyal'"
    assert report.loc["loyal", "status"] == "asks for less"
    assert report.loc["", "status"] == "gap"
    assert "classes_per_month" in report.loc["", "finding"]


# What else coverage finds: nothing.

#: Presets that leave someone without a label, by whose decision: practice's gaps, or those who have no such label.
INCOMPLETE = {
    "types.published", "lead.education", "lead.gym", "state.usage", "state.maturity", "importance.relation",
    "band.industry_stage", "band.ownership", "contact.influence", "contact.role", "need.core", "need.form", "need.preference",
    "need.type", "need.urgency",
}  # fmt: skip
RULES = xf.list_presets().query("operation in ('rules', 'codes', 'tags')")["name"].tolist()
TEXT = {
    "matrix_cell", "service_feedback", "brand_awareness", "industry", "province", "city", "industry_stage", "ownership",
    "contact_role", "contact_influence", "need_type", "need_urgency", "need_preference", "need_form", "need_core",
}  # fmt: skip
TRUE_OR_FALSE = {"pays_for_quality", "joins_events"}


@pytest.mark.parametrize("name", [name for name in RULES if not name.startswith("rfm.eight")])
def test_every_label_can_be_reached_and_gaps_are_the_known_ones(name: str):
    columns = xf.list_presets().set_index("name").loc[name, ["inputs", "optional"]]
    inputs = [column for listed in columns if listed for column in listed.split(", ")]
    values = {
        column: "x" if column in TEXT else column in TRUE_OR_FALSE or (1 if "count" in column else 1.0)
        for column in inputs
    }
    frame = pd.DataFrame([values] * 3)
    if name == "importance.abc":
        frame["monetary_12M"] = [80.0, 15.0, 5.0]  # one of each class
    coverage = covered(name, frame)
    if not name.startswith(("tag.", "churn.")) or name == "tag.need_dominant":
        assert (coverage.gap_cells == 0) == (name not in INCOMPLETE), coverage
    never = coverage.summary.set_index("label")["status"].isin(["shadowed", "unreachable"])
    assert never[never].index.tolist() == (["active"] if name == "lead.gym" else [])
    assert "direction" not in set(coverage.findings["finding"])


# Bands and code maps.


def test_bands_include_their_lower_bound():
    frame = customers(employees=[0, 49, 50, 499, 500, None])
    bands = xf.load_preset("band.size", lang="zh").fit_transform(frame)["size_band"]
    assert bands.tolist()[:5] == ["小型企业", "小型企业", "中型企业", "中型企业", "大型企业"]
    assert pd.isna(bands[5])
    assert covered("band.size", frame).complete
    assert covered("band.purchase", customers(monetary_12M=[1.0])).complete
    with pytest.raises(xf.errors.InputError, match="'employees' is -3"):
        xf.load_preset("band.size").fit_transform(customers(employees=[-3]))


def test_code_maps_have_a_default():
    industries = customers(industry=["C35", "35", "食品制造业", "F52", "零售业", "P83", "教育", "E", None])
    labels = xf.load_preset("band.industry", lang="zh").fit_transform(industries)["industry_band"]
    assert labels.tolist()[:8] == ["制造业"] * 3 + ["批发零售业"] * 2 + ["服务业"] * 2 + ["其他行业"]
    assert pd.isna(labels[8])
    places = customers(
        province=["上海", "广西壮族自治区", "11", "410000", "Sichuan", "新疆", "黑龙江省", "台湾", "东京"]
    )
    regions = xf.load_preset("band.region", lang="zh").fit_transform(places)["region_band"]
    assert regions.tolist() == ["华东", "华南", "华北", "华中", "西南", "西北", "东北", "港澳台", "其他地区"]
    tiers = xf.load_preset("band.city_tier").fit_transform(customers(city=["深圳市", "青岛", "无锡"]))
    assert tiers["city_tier_band"].tolist() == ["first", "hub", "other"]
    for name in ("band.industry", "band.region", "band.city_tier"):
        column = xf.list_presets().set_index("name").loc[name, "inputs"]
        assert covered(name, pd.DataFrame({column: ["x"]})).complete
    assert not covered("band.industry_stage", customers(industry_stage=["x"])).complete


def test_every_province_has_one_region():
    table = xf.load_preset("band.region").table()
    codes = [code for rule in table["rule"] for code in rule.split("'")[1::2]]
    assert len(codes) == len(set(codes))
    assert len([code for code in codes if code.isdigit() and len(code) == 2]) == 34


def test_code_maps_take_other_lists():
    mine = xf.load_preset(
        "band.region", codes={"east": ["甲区"], "south": ["乙'区"]}, columns={"province": 'the "area"'}
    )
    frame = pd.DataFrame({'the "area"': ["甲区", "乙'区", "北京", "上海"]})
    assert mine.fit_transform(frame)["region_band"].tolist() == ["east", "south", "north", "other"]
    numbers = xf.load_preset("band.industry", codes={"manufacturing": [1, 2], "services": [3], "retail": [4]})
    out = numbers.fit_transform(customers(industry=[2, 4, 9]))["industry_band"]
    assert out.tolist() == ["manufacturing", "retail", "other"]
    for codes, words in (
        ({"est": ["x"]}, "did you mean 'east'"),
        ({"east": "x"}, "wanted a list of at least one"),
        ({"other": ["x"]}, "no label of band.region 'other'"),
        (["x"], "wanted a mapping"),
    ):
        with pytest.raises(xf.errors.ParameterError, match=words):
            xf.load_preset("band.region", codes=codes)


def test_bands_without_published_cuts_are_quantiles_or_yours():
    frame = customers(order_count_12M=[0, 1, 2, 5, 9, 30])
    out = xf.load_preset("band.frequency", lang="zh").fit_transform(frame)["order_count_12M"]
    assert out.tolist() == ["低频", "低频", "中频", "中频", "高频", "高频"]
    mine = xf.load_preset("band.frequency", edges=["< 5", "< 10"]).fit_transform(frame)["order_count_12M"]
    assert mine.tolist() == ["low", "low", "low", "middle", "middle", "high"]
    for name, column in (("quantity", "quantity_12M"), ("activity", "login_count_3M"), ("income", "annual_income")):
        given = frame.rename(columns={"order_count_12M": column})
        assert xf.load_preset(f"band.{name}").fit_transform(given)[column].nunique() == 3
        renamed = xf.load_preset(f"band.{name}", columns={column: "mine"})
        assert renamed.fit_transform(frame.rename(columns={"order_count_12M": "mine"}))["mine"].nunique() == 3


# States.


def test_states_of_purchase():
    frame = customers(order_count=[0, 1, 1, 5, 5], tenure_days=[None, 0, 89, 90, 700], order_count_180D=[0, 1, 1, 2, 0])
    states = xf.load_preset("state.purchase", lang="zh").fit_transform(frame)["customer_state"]
    assert states.tolist() == ["潜在客户", "新客户", "新客户", "老客户", "休眠客户"]
    assert covered("state.purchase", frame).complete
    with pytest.warns(UserWarning, match="no 'tenure_days': optional"):
        segmenter = xf.load_preset("state.purchase").fit(frame.drop(columns="tenure_days"))
    states = segmenter.transform(frame.drop(columns="tenure_days"))["customer_state"]  # said once
    assert [None if pd.isna(s) else s for s in states] == ["prospect", None, None, None, "dormant"]


def test_states_of_development_and_their_advice():
    frame = customers(
        order_count=[0, 1, 9, 9, 9, 9],
        tenure_days=[None, 89, 90, 365, 700, 700],
        order_count_180D=[0, 1, 1, 1, 0, 0],
        order_count_365D=[0, 1, 1, 1, 1, 0],
    )
    states = xf.load_preset("state.development", lang="zh").fit_transform(frame)["customer_state"]
    assert states.tolist() == ["初始态", "初始态", "发展态", "稳定态", "停止态", "流失态"]
    assert covered("state.development", frame).complete
    advice = xf.load_preset("playbook.state_development", lang="en").set_index("label")["direction"]
    assert advice[["Initial", "Developing", "Stable", "Stopped"]].tolist() == [
        "Assess", "Invest heavily", "Retain", "Check fit"
    ]  # fmt: skip


def test_states_of_cooperation():
    frame = customers(order_count=[0, 1, 2, 2, 9], tenure_days=[None, 800, 364, 365, 1])
    states = xf.load_preset("state.cooperation", lang="zh").fit_transform(frame)["customer_state"]
    assert states.tolist() == ["潜在客户", "首次成交客户", "合作中客户", "长期合作客户", "合作中客户"]
    assert covered("state.cooperation", frame).complete


def test_states_of_maturity_and_of_use():
    frame = customers(
        order_count=[0, 1, 9, 9], tenure_days=[None, 10, 400, 400], order_count_90D=[0, 1, 6, 7],
        order_count_prev_90D=[0, 0, 10, 10],
    )  # fmt: skip
    states = xf.load_preset("state.maturity").fit_transform(frame)["customer_state"]
    assert [None if pd.isna(s) else s for s in states] == [None, "new", "declining", "mature"]
    users = customers(tenure_days=[30, 31, 366, 366, 100], login_count_3M=[0, 1, 12, 11, 0])
    used = xf.load_preset("state.usage", lang="zh").fit_transform(users)["user_state"]
    assert [None if pd.isna(s) else s for s in used] == ["新用户", "活跃用户", "忠诚用户", "活跃用户", None]
    assert covered("state.usage", users).gap_cells > 0


# Importance and leads.


def test_importance():
    frame = customers(
        order_count=[9, 9, 0, 0], relationship_score=[4, 3, 3, 3], monetary_score=[4, 5, 1, 1],
        frequency_score=[5, 5, 1, 1], potential_score=[0.0, 0.0, 60.0, 59.9],
    )  # fmt: skip
    by_relation = xf.load_preset("importance.relation", lang="zh").fit_transform(frame)["importance"]
    assert [None if pd.isna(x) else x for x in by_relation] == ["重要客户", "一般客户", "潜在客户", None]
    assert not covered("importance.relation", frame).complete
    amounts = customers(monetary_12M=[400_000, 400_000, 99_999, -5], indirect_value=[100_000, None, 1, 0])
    by_value = xf.load_preset("importance.value", lang="zh").fit_transform(amounts)["importance"]
    assert by_value.tolist() == ["重要客户", "普通客户", "普通客户", "不重要客户"]


def test_grades_of_leads_by_published_rules():
    cars = customers(
        annual_income=[500_001, 500_000, 500_001, 9], purchases_per_year=[1, 1, 0, 0], age=[25, 45, 46, 30]
    )
    assert xf.load_preset("lead.car_maker", lang="en").fit_transform(cars)["lead_grade"].tolist() == [
        "High", "Medium", "Medium", "Low"
    ]  # fmt: skip
    homes = customers(
        annual_income=[300_001, 300_000, 1], brand_awareness=["high", "高", "low"], pays_for_quality=[True, True, True]
    )
    assert xf.load_preset("lead.home_furnishing").fit_transform(homes)["lead_grade"].tolist() == [
        "high", "medium", "low"
    ]  # fmt: skip
    shops = customers(annual_spend_usd=[5_000, 4_999, 501, 500])
    assert xf.load_preset("lead.online_retail").fit_transform(shops)["value_grade"].tolist() == [
        "high", "middle", "middle", "low"
    ]  # fmt: skip
    for name, frame in (("lead.car_maker", cars), ("lead.home_furnishing", homes), ("lead.online_retail", shops)):
        assert covered(name, frame).complete
        assert set(xf.ladder_check(xf.load_preset(name).fit(frame))["status"]) == {"ok"}
    trigger = customers(enquiry_count_3M=[13, 12, 5], enquiry_count_prev_3M=[10, 10, 0])
    assert xf.load_preset("tag.trigger").fit_transform(trigger)["enquiry_rise"].tolist() == [True, False, False]
