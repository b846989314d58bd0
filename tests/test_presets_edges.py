"""Who gets what at the very cut, just beside it, and when an input is missing or unheard of: every number of the presets."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import xifen as xf

LISTED = xf.list_presets().set_index("name")

#: A customer per preset, with the column that answers; then what changes and the answer. None is missing.
LABELS: dict[str, tuple[str, dict[str, Any], list[tuple[dict[str, Any], Any]]]] = {
    "band.size": ("size_band", {"employees": 50}, [
        ({"employees": 0}, "small"), ({"employees": 49}, "small"), ({"employees": 49.9}, "small"), ({}, "medium"),
        ({"employees": 499}, "medium"), ({"employees": 500}, "large"), ({"employees": None}, None),
    ]),
    "band.purchase": ("purchase_band", {"monetary_12M": 100_000.0}, [
        ({"monetary_12M": -1.0}, "ordinary"), ({"monetary_12M": 99_999.99}, "ordinary"), ({}, "potential"),
        ({"monetary_12M": 499_999.99}, "potential"), ({"monetary_12M": 500_000.0}, "key"), ({"monetary_12M": None}, None),
    ]),
    "band.industry": ("industry_band", {"industry": "制造业"}, [
        ({}, "manufacturing"), ({"industry": "F"}, "retail"), ({"industry": "O80"}, "services"), ({"industry": "A"}, "other"),
        ({"industry": ""}, "other"), ({"industry": None}, None),
    ]),
    "band.region": ("region_band", {"province": "山东"}, [
        ({}, "east"), ({"province": "海南省"}, "south"), ({"province": "Paris"}, "other"), ({"province": None}, None),
        ({"province": "华东"}, "east"), ({"province": "northwest"}, "northwest"),
    ]),
    "band.city_tier": ("city_tier_band", {"city": "广州"}, [
        ({}, "first"), ({"city": "重庆市"}, "hub"), ({"city": "无锡"}, "other"), ({"city": None}, None),
    ]),
    "band.industry_stage": ("industry_stage_band", {"industry_stage": "朝阳"}, [
        ({}, "rising"), ({"industry_stage": "mature"}, "mature"), ({"industry_stage": "夕阳"}, None),
        ({"industry_stage": None}, None),
    ]),
    "band.ownership": ("ownership_band", {"ownership": "国企"}, [
        ({}, "state"), ({"ownership": "民营企业"}, "private"), ({"ownership": "foreign"}, "foreign"), ({"ownership": "?"}, None),
        ({"ownership": None}, None),
    ]),
    "need.type": ("need_type_label", {"need_type": "解决问题"}, [
        ({}, "solve_problem"), ({"need_type": "Raise efficiency"}, "raise_efficiency"), ({"need_type": "增长"}, "seek_growth"),
        ({"need_type": "other"}, None), ({"need_type": None}, None),
    ]),
    "need.urgency": ("need_urgency_label", {"need_urgency": "高"}, [
        ({}, "high"), ({"need_urgency": "middle"}, "middle"), ({"need_urgency": "不急"}, "low"), ({"need_urgency": ""}, None),
    ]),
    "need.preference": ("need_preference_label", {"need_preference": "品牌"}, [
        ({}, "brand"), ({"need_preference": "features"}, "features"), ({"need_preference": "价格"}, "price"),
        ({"need_preference": "服务"}, "service"), ({"need_preference": "x"}, None),
    ]),
    "need.form": ("need_form_label", {"need_form": "定制"}, [
        ({}, "customised"), ({"need_form": "标准化"}, "standard"), ({"need_form": "x"}, None),
    ]),
    "need.core": ("need_core_label", {"need_core": "成本"}, [
        ({}, "cost"), ({"need_core": "quality"}, "quality"), ({"need_core": "效率"}, "efficiency"),
        ({"need_core": "Innovation"}, "innovation"), ({"need_core": "x"}, None),
    ]),
    "contact.role": ("contact_role_label", {"contact_role": "技术"}, [
        ({}, "technical"), ({"contact_role": "采购"}, "purchasing"), ({"contact_role": "executive"}, "executive"),
        ({"contact_role": "x"}, None),
    ]),
    "contact.influence": ("contact_influence_label", {"contact_influence": "决策者"}, [
        ({}, "decision_maker"), ({"contact_influence": "influencer"}, "influencer"), ({"contact_influence": "使用者"}, "user"),
        ({"contact_influence": "x"}, None),
    ]),
    "types.published": ("customer_type", {
        "recency_score": 4, "frequency_score": 4, "monetary_score": 4, "order_count_30D": 0, "order_count_90D": 1,
        "service_feedback": "neutral", "matrix_cell": "mainstay",
    }, [
        ({}, "high_value_loyal"), ({"recency_score": 3}, None), ({"frequency_score": 3}, None), ({"monetary_score": 3}, None),
        ({"recency_score": 3, "order_count_30D": 1}, "potential_to_develop"),
        ({"recency_score": 3, "order_count_30D": 1, "frequency_score": 3}, "potential_to_develop"),
        ({"recency_score": 3, "order_count_30D": 1, "frequency_score": 2}, None),
        ({"frequency_score": 2, "order_count_90D": 0, "service_feedback": "negative"}, "churn_risk"),
        ({"frequency_score": 3, "order_count_90D": 0, "service_feedback": "negative"}, None),
        ({"frequency_score": 2, "order_count_90D": 1, "service_feedback": "negative"}, None),
        ({"frequency_score": 2, "order_count_90D": 0}, None), ({"recency_score": None}, None),
        ({"frequency_score": 2, "matrix_cell": "cash_cow"}, "high_value_loyal"),
        ({"frequency_score": 2, "matrix_cell": "no such cell"}, None),
    ]),
    "types.practice": ("customer_type", {
        "recency_score": 4, "frequency_score": 4, "monetary_score": 4, "order_count_30D": 0, "order_count_90D": 1,
        "service_feedback": "neutral", "matrix_cell": "mainstay",
    }, [
        ({}, "high_value_loyal"), ({"monetary_score": 3}, "general_value"),
        ({"monetary_score": 3, "matrix_cell": "星"}, "general_value"), ({"monetary_score": 3, "matrix_cell": None}, "general_value"),
        ({"monetary_score": 3, "matrix_cell": "Star"}, "high_value_loyal"),
        ({"frequency_score": 2, "order_count_90D": 0, "service_feedback": "负面", "matrix_cell": "star"}, "churn_risk"),
        ({"monetary_score": 3, "matrix_cell": "potential"}, "potential_to_develop"), ({"order_count_90D": None}, "high_value_loyal"),
        ({"order_count_90D": None, "frequency_score": 2, "service_feedback": "负面"}, None),
    ]),
    "types.three": ("customer_type", {"frequency_score": 2, "monetary_score": 4, "order_count_90D": 0}, [
        ({}, "churn_risk"), ({"frequency_score": 3}, "high_value"), ({"order_count_90D": 1}, "high_value"),
        ({"frequency_score": 3, "monetary_score": 3}, "general_value"), ({"monetary_score": None}, "churn_risk"),
        ({"frequency_score": 3, "monetary_score": None}, None),
    ]),
    "tag.need_dominant": ("dominant_need", {
        "discount_share": 0.4, "lead_time_messages_with": 3, "message_count": 10, "quality_messages_with": 0,
    }, [
        ({}, "unclassified"), ({"discount_share": 0.41}, "cost_sensitive"), ({"lead_time_messages_with": 4}, "efficiency_first"),
        ({"quality_messages_with": 1}, "quality_oriented"), ({"message_count": None}, None), ({"message_count": 0}, None),
    ]),
    "importance.value": ("importance", {"monetary_12M": 400_000.0, "indirect_value": 100_000.0}, [
        ({}, "important"), ({"indirect_value": 99_999.99}, "ordinary"), ({"indirect_value": None}, "ordinary"),
        ({"indirect_value": -300_000.01}, "unimportant"), ({"indirect_value": -300_000.0}, "ordinary"),
        ({"monetary_12M": None}, None),
    ]),
    "importance.relation": ("importance", {
        "order_count": 1, "relationship_score": 4, "monetary_score": 4, "frequency_score": 4, "potential_score": 60.0,
    }, [
        ({}, "key"), ({"relationship_score": 3}, "general"), ({"monetary_score": 3}, "general"), ({"frequency_score": 3}, "general"),
        ({"relationship_score": None}, None), ({"order_count": 0}, "prospect"), ({"order_count": 0, "potential_score": 59.99}, None),
        ({"order_count": 0, "potential_score": None}, None),
    ]),
    "lead.car_maker": ("lead_grade", {"annual_income": 500_000.01, "purchases_per_year": 1, "age": 25}, [
        ({}, "high"), ({"annual_income": 500_000.0}, "medium"), ({"age": 24}, "medium"), ({"age": 45}, "high"),
        ({"age": 46}, "medium"), ({"purchases_per_year": 0}, "medium"), ({"annual_income": 5e5, "age": 24}, "low"),
        ({"annual_income": None}, None), ({"annual_income": None, "age": 24}, None),
    ]),
    "lead.home_furnishing": ("lead_grade", {"annual_income": 300_000.01, "brand_awareness": "high", "pays_for_quality": True}, [
        ({}, "high"), ({"annual_income": 300_000.0}, "medium"), ({"brand_awareness": "高"}, "high"),
        ({"brand_awareness": "unheard of"}, "medium"), ({"annual_income": 3e5, "pays_for_quality": False}, "low"),
        ({"pays_for_quality": None}, None), ({"annual_income": 3e5, "brand_awareness": "低", "pays_for_quality": None}, "low"),
    ]),
    "lead.online_retail": ("value_grade", {"annual_spend_usd": 5_000.0}, [
        ({}, "high"), ({"annual_spend_usd": 4_999.99}, "middle"), ({"annual_spend_usd": 500.01}, "middle"),
        ({"annual_spend_usd": 500.0}, "low"), ({"annual_spend_usd": None}, None),
    ]),
    "lead.education": ("learner_grade", {"tenure_days": 30, "course_count": 1}, [
        ({"tenure_days": 0}, "new"), ({}, "new"), ({"tenure_days": 31}, None), ({"tenure_days": 89}, None),
        ({"tenure_days": 90}, "active"), ({"tenure_days": 365}, "active"), ({"tenure_days": 366}, None),
        ({"tenure_days": 366, "course_count": 2}, "loyal"), ({"tenure_days": None}, None),
        ({"tenure_days": 366, "course_count": None}, None), ({"tenure_days": 365, "course_count": None}, "active"),
    ]),
    "lead.gym": ("member_grade", {"annual_fee_usd": 2_000.01, "joins_events": True, "classes_per_month": 4, "tenure_days": 30}, [
        ({}, "vip"), ({"annual_fee_usd": 2_000.0}, "entry"), ({"joins_events": False}, "entry"),
        ({"joins_events": False, "tenure_days": 31}, None), ({"joins_events": False, "classes_per_month": 5}, "loyal"),
        ({"joins_events": False, "classes_per_month": 13}, "loyal"), ({"joins_events": None}, None),
    ]),
    "state.purchase": ("customer_state", {"order_count": 1, "tenure_days": 89, "order_count_180D": 1}, [
        ({"order_count": 0, "tenure_days": None, "order_count_180D": 0}, "prospect"), ({}, "new"), ({"tenure_days": 90}, "established"),
        ({"order_count_180D": 0, "tenure_days": 180}, "dormant"), ({"order_count": None}, None),
    ]),
    "state.development": ("customer_state", {
        "order_count": 5, "tenure_days": 89, "order_count_180D": 1, "order_count_365D": 1,
    }, [
        ({}, "initial"), ({"tenure_days": 90}, "developing"), ({"tenure_days": 364}, "developing"), ({"tenure_days": 365}, "stable"),
        ({"tenure_days": 365, "order_count_180D": 0}, "stopped"),
        ({"tenure_days": 365, "order_count_180D": 0, "order_count_365D": 0}, "lost"), ({"tenure_days": None}, None),
        ({"order_count": 0, "tenure_days": None}, "initial"),
    ]),
    "state.cooperation": ("customer_state", {"order_count": 2, "tenure_days": 365}, [
        ({}, "long_term"), ({"tenure_days": 364}, "cooperating"), ({"order_count": 1}, "first_deal"),
        ({"order_count": 0, "tenure_days": None}, "prospect"), ({"tenure_days": None}, None),
    ]),
    "state.maturity": ("customer_state", {
        "order_count": 20, "tenure_days": 90, "order_count_90D": 7, "order_count_prev_90D": 10,
    }, [
        ({}, "mature"), ({"tenure_days": 89}, "new"), ({"order_count_90D": 6}, "declining"), ({"order_count": 0}, None),
        ({"order_count_prev_90D": 0, "order_count_90D": 0}, "declining"), ({"tenure_days": None}, None),
    ]),
    "state.usage": ("user_state", {"tenure_days": 30, "login_count_3M": 0}, [
        ({}, "new"), ({"tenure_days": 31}, None), ({"tenure_days": 31, "login_count_3M": 1}, "active"),
        ({"tenure_days": 365, "login_count_3M": 12}, "active"), ({"tenure_days": 366, "login_count_3M": 12}, "loyal"),
        ({"tenure_days": 366, "login_count_3M": 11}, "active"), ({"login_count_3M": None}, "new"),
        ({"tenure_days": 31, "login_count_3M": None}, None),
    ]),
    "tag.value": ("value", {
        "monetary_12M": 500_000.01, "gross_margin": 0.31, "order_count_3M": 2, "order_count_prev_3M": 1,
    }, [
        ({}, "high_value"), ({"gross_margin": 0.3}, "unclassified"), ({"monetary_12M": 500_000.0}, "potential"),
        ({"monetary_12M": 100_000.0}, "potential"), ({"monetary_12M": 100_000.0, "order_count_3M": 1}, "unclassified"),
        ({"monetary_12M": 99_999.99}, "ordinary"), ({"gross_margin": None}, None),
        ({"monetary_12M": 5e5, "gross_margin": None}, "potential"), ({"monetary_12M": None}, None),
    ]),
}  # fmt: skip
#: The same for single tags: preset -> a customer, and tag by tag what changes and the answer.
TAGS: dict[str, tuple[dict[str, Any], list[tuple[str, dict[str, Any], Any]]]] = {
    "churn.watch": ({"order_count": 1, "frequency_score": 2, "order_count_90D": 0}, [
        ("churn_watch", {}, True), ("churn_watch", {"frequency_score": 3}, False), ("churn_watch", {"order_count_90D": 1}, False),
        ("churn_watch", {"order_count": 0}, False), ("churn_watch", {"frequency_score": None}, None),
    ]),
    "tag.need_published": ({"discount_share": 0.4, "lead_time_per_message": 5.0, "quality_count": 0}, [
        ("cost_sensitive", {}, False), ("cost_sensitive", {"discount_share": 0.4000001}, True),
        ("efficiency_first", {}, False), ("efficiency_first", {"lead_time_per_message": 5.01}, True),
        ("quality_oriented", {}, False), ("quality_oriented", {"quality_count": 1}, True),
        ("quality_oriented", {"quality_count": None}, None),
    ]),
    "tag.need_practice": ({"discount_share": 0.4, "lead_time_messages_with": 4, "message_count": 10, "quality_count": 0}, [
        ("cost_sensitive", {}, False), ("efficiency_first", {}, True), ("efficiency_first", {"lead_time_messages_with": 3}, False),
        ("efficiency_first", {"message_count": 0}, None), ("quality_oriented", {"quality_count": 1}, True),
    ]),
    "tag.behaviour": ({
        "order_count_12M": 10, "trial_date": pd.Timestamp("2024-01-01"), "first_purchase": pd.Timestamp("2024-03-01 23:59"),
        "login_count_3M": 7, "login_count_prev_3M": 10, "response_rate_3M": 0.4, "response_rate_prev_3M": 0.5,
    }, [
        ("high_frequency", {}, True), ("high_frequency", {"order_count_12M": 9}, False),
        ("trial_converted", {}, True), ("trial_converted", {"first_purchase": pd.Timestamp("2024-03-02")}, False),
        ("trial_converted", {"first_purchase": pd.Timestamp("2023-12-31")}, False), ("trial_converted", {"trial_date": None}, None),
        ("risk_alert", {}, False), ("risk_alert", {"login_count_3M": 6}, True), ("risk_alert", {"response_rate_3M": 0.34}, True),
        ("risk_alert", {"login_count_3M": None}, None), ("risk_alert", {"login_count_3M": None, "response_rate_3M": 0.1}, True),
    ]),
    "tag.risk": ({"order_count_6M": 0, "complaint_rate": 0.11, "payment_days": 90.0}, [
        ("churn_risk", {}, True), ("churn_risk", {"complaint_rate": 0.1}, False), ("churn_risk", {"order_count_6M": 1}, False),
        ("churn_risk", {"complaint_rate": None}, None), ("payment_risk", {}, False), ("payment_risk", {"payment_days": 90.1}, True),
    ]),
    "tag.activation": ({"order_count": 3, "order_count_180D": 0, "order_count_3M": 0, "order_count_prev_3M": 0}, [
        ("dormant_to_activate", {}, True), ("dormant_to_activate", {"order_count": 0}, False),
        ("dormant_to_activate", {"order_count_180D": 2, "order_count_3M": 1, "order_count_prev_3M": 1}, False),
        ("dormant_to_activate", {"order_count_180D": 3, "order_count_3M": 1, "order_count_prev_3M": 2}, True),
    ]),
    "tag.cycle": ({"recency_days": 30, "mean_gap_days": 20.0}, [
        ("overdue", {}, False), ("overdue", {"recency_days": 31}, True), ("overdue", {"mean_gap_days": None}, None),
    ]),
    "tag.history": ({"tenure_days": 364}, [
        ("short_history", {}, True), ("short_history", {"tenure_days": 365}, False), ("short_history", {"tenure_days": None}, None),
    ]),
    "tag.trigger": ({"enquiry_count_3M": 13, "enquiry_count_prev_3M": 10}, [
        ("enquiry_rise", {}, True), ("enquiry_rise", {"enquiry_count_3M": 12}, False),
        ("enquiry_rise", {"enquiry_count_prev_3M": 0}, False), ("enquiry_rise", {"enquiry_count_3M": None}, None),
    ]),
}  # fmt: skip
#: Scorecards: preset -> a customer, and indicator by indicator its value and its points.
POINTS: dict[str, tuple[dict[str, Any], dict[str, tuple[str, list[tuple[Any, Any]]]]]] = {
    "score.value": ({"monetary_12M": 0.0, "order_count_12M": 0, "gross_margin": 0.0}, {
        "amount": ("monetary_12M", [(99_999.99, 0), (1e5, 25), (499_999.99, 25), (5e5, 50), (None, None)]),
        "frequency": ("order_count_12M", [(4, 0), (5, 15), (9, 15), (10, 30), (None, None)]),
        "margin": ("gross_margin", [(-0.1, 0), (0.0, 0), (0.01, 5), (0.15, 5), (0.16, 10), (0.3, 10), (0.31, 20), (None, 0)]),
    }),
    "score.potential": ({
        "industry_outlook": 1, "expansion_size": 1, "expansion_speed": 1, "growth_rate": 0.0, "new_product_need": 1,
        "competitor_closeness": 1,
    }, {
        **{name: (column, [(1, 0), (2, 25), (3, 50), (4, 75), (5, 100), (None, 50)]) for name, column in (
            ("outlook", "industry_outlook"), ("expansion_size", "expansion_size"), ("expansion_speed", "expansion_speed"),
            ("new_products", "new_product_need"),
        )},
        "competitors": ("competitor_closeness", [(1, 100), (2, 75), (3, 50), (4, 25), (5, 0), (None, 50)]),
        "growth": ("growth_rate", [
            (-0.01, 0), (0.0, 25), (0.049, 25), (0.05, 50), (0.1, 75), (0.199, 75), (0.2, 100), (None, 50)
        ]),
    }),
    "credit.grade": ({
        "phone_call_count_12M": 0, "monetary_12M": 0.0, "payment_days": 0.0, "open_invoice_share": 0.0, "response_rate_3M": 0.0,
    }, {
        "phone_calls": ("phone_call_count_12M", [(0, 0), (1, 40), (3, 40), (4, 70), (11, 70), (12, 100), (None, 40)]),
        "purchases": ("monetary_12M", [(99_999.99, 30), (1e5, 60), (5e5, 100), (None, None)]),
        "payment": ("payment_days", [(30.0, 100), (30.1, 70), (60.0, 70), (60.1, 40), (90.0, 40), (90.1, 0), (None, 40)]),
        "open_invoices": ("open_invoice_share", [(0.0, 100), (0.01, 70), (0.2, 70), (0.21, 40), (0.5, 40), (0.51, 0), (None, 40)]),
        "response": ("response_rate_3M", [(0.19, 0), (0.2, 40), (0.49, 40), (0.5, 70), (0.8, 100), (None, 40)]),
    }),
    "lead.grade": ({
        "annual_income": 0.0, "purchases_per_year": 0, "enquiry_count_3M": 0, "age": 30, "occupation": "student",
        "brand_awareness": "low", "pays_for_quality": False,
    }, {
        "income": ("annual_income", [(99_999.0, 0), (1e5, 10), (3e5, 20), (5e5, 20), (500_001.0, 25), (None, 0)]),
        "purchases": ("purchases_per_year", [(0, 0), (1, 10), (2, 10), (3, 15), (None, 0)]),
        "enquiries": ("enquiry_count_3M", [(0, 0), (1, 10), (2, 10), (3, 20), (None, 0)]),
        "age": ("age", [(24, 5), (25, 10), (45, 10), (46, 5), (None, 0)]),
        "occupation": ("occupation", [("manager", 10), ("employee", 6), ("astronaut", 0), (None, 0)]),
        "brand_awareness": ("brand_awareness", [("high", 10), ("中", 5), ("unheard of", 0), (None, 0)]),
        "pays_for_quality": ("pays_for_quality", [(True, 10), (False, 0), (None, 0)]),
    }),
}  # fmt: skip


def rows(base: dict[str, Any], changes: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame([{**base, **change} for change in changes])
    kinds = {int: "Int64", bool: "boolean"}
    # Whole numbers stay whole beside a missing one; a column that also holds fractions is of floats.
    whole = {
        name: kinds[type(value)]
        for name, value in base.items()
        if type(value) in kinds and not any(isinstance(change.get(name), float) for change in changes)
    }
    return frame.astype(whole)


def plain(values: pd.Series) -> list[Any]:
    return [None if pd.isna(value) else value for value in values]


@pytest.mark.parametrize("name", LABELS)
def test_labels_at_their_cuts(name: str):
    column, base, cases = LABELS[name]
    out = xf.load_preset(name).fit_transform(rows(base, [change for change, _ in cases]))
    assert plain(out[column]) == [answer for _, answer in cases]


@pytest.mark.parametrize("name", TAGS)
def test_tags_at_their_cuts(name: str):
    base, cases = TAGS[name]
    out = xf.load_preset(name).fit_transform(rows(base, [change for _, change, _ in cases]))
    assert [plain(out[tag])[row] for row, (tag, _, _) in enumerate(cases)] == [answer for _, _, answer in cases]


@pytest.mark.parametrize("name", POINTS)
def test_points_at_their_cuts(name: str):
    base, indicators = POINTS[name]
    for indicator, (column, cases) in indicators.items():
        frame = rows(base, [{column: value} for value, _ in cases])
        out = xf.load_preset(name).fit_transform(frame)
        assert plain(out[f"{indicator}_points"]) == [points for _, points in cases], indicator


@pytest.mark.parametrize(
    ("name", "column", "cuts"),
    [
        (
            "credit.grade",
            "credit_score",
            [(39.99, "low"), (40, "medium"), (60, "high"), (79.99, "high"), (80, "highest")],
        ),
        ("lead.grade", "lead_score", [(39.99, "low"), (40, "medium"), (69.99, "medium"), (70, "high")]),
    ],
)
def test_grades_at_their_cuts(name: str, column: str, cuts: list[tuple[float, str]]):
    base, _ = POINTS[name]
    grade = xf.load_preset(name).fit(rows(base, [{}]))["grade"]
    frame = pd.DataFrame({**dict.fromkeys(grade.feature_names_in_, 0.0), column: [score for score, _ in cuts]})
    out = grade.transform(frame)
    assert plain(out[grade.output]) == [label for _, label in cuts]


def test_every_preset_with_numbers_stands_here():
    operations = ("rules", "codes", "tags", "scorecard", "grades")
    wanted = set(LISTED.index[LISTED["operation"].isin(operations)])
    elsewhere = {"importance.abc"} | {name for name in wanted if name.startswith("rfm.")}  # test_presets*.py
    assert set(LABELS) | set(TAGS) | set(POINTS) == wanted - elsewhere
