"""The tag presets: who gets which tag, at the very edge."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
import xifen as xf


def customers(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_need_tags_as_published_and_for_practice():
    frame = customers(
        discount_share=[0.41, 0.4, None], lead_time_per_message=[5.1, 5.0, 0.1], quality_count=[0, 1, 2],
        lead_time_messages_with=[1, 2, 0], message_count=[5, 5, 0],
    )  # fmt: skip
    published = xf.load_preset("tag.need_published").fit_transform(frame)
    practice = xf.load_preset("tag.need_practice", lang="zh", text_output="需求").fit_transform(frame)
    for tags in (published["cost_sensitive"], practice["成本敏感型"]):
        assert tags.tolist() == [True, False, pd.NA]
    assert published["efficiency_first"].tolist() == [True, False, False]
    assert practice["效率优先型"].tolist() == [False, True, pd.NA]
    assert published["quality_oriented"].tolist() == [False, True, True]
    assert practice["需求"].tolist() == ["成本敏感型", "效率优先型;品质导向型", "品质导向型"]
    assert practice["需求_unknown"].tolist() == ["", "", "成本敏感型;效率优先型"]


def test_the_dominant_need_is_the_largest_excess():
    frame = customers(
        discount_share=[0.9, 0.5, 0.5, 0.1, 0.1, None, 0.5],
        lead_time_messages_with=[6, 9, 5, 0, 1, 9, 5],
        quality_messages_with=[1, 0, 2, 1, 0, 0, 1],
        message_count=[10] * 7,
    )
    needs = xf.load_preset("tag.need_dominant").fit_transform(frame)["dominant_need"]
    excess = pd.DataFrame(
        {
            "cost_sensitive": frame["discount_share"] - 0.4,
            "efficiency_first": frame["lead_time_messages_with"] / 10 - 0.4,
            "quality_oriented": frame["quality_messages_with"] / 10,
        }
    ).round(9)
    wanted = [None if row.isna().any() else row.idxmax() for _, row in excess.iterrows()]
    wanted[4] = "unclassified"
    assert [None if pd.isna(need) else need for need in needs] == wanted
    assert wanted[6] == "cost_sensitive"  # a tie: the first


def test_the_other_tags():
    frame = customers(
        order_count_12M=[10, 9], trial_date=pd.to_datetime(["2024-01-01", "2024-01-01"]),
        first_purchase=pd.to_datetime(["2024-03-01", "2024-03-02"]), login_count_3M=[6, 7], login_count_prev_3M=[10, 10],
        response_rate_3M=[0.5, 0.5], response_rate_prev_3M=[0.5, 0.5], order_count=[5, 0], order_count_180D=[0, 0],
        order_count_3M=[0, 0], order_count_prev_3M=[0, 0], tenure_days=[364, 365], recency_days=[31, 30],
        mean_gap_days=[20.0, 20.0],
    )  # fmt: skip
    for name in ("tag.behaviour", "tag.activation", "tag.history", "tag.cycle"):
        before = set(frame.columns)
        frame = xf.load_preset(name).fit_transform(frame)
        for tag in set(frame.columns) - before:
            assert frame[tag].tolist() == [True, False], tag


@pytest.mark.parametrize("name", [name for name in xf.list_presets()["name"] if name.startswith(("tag.", "churn."))])
def test_tags_survive_json_and_say_their_names(name: str):
    crm = xf.datasets.make_crm(300, seed=1)
    rfm = xf.rfm_table(
        crm.orders, as_of=crm.as_of, order_id="order_id", discount="discount", customers=crm.customers,
        windows=["90D", "180D", "3M", "6M", "12M"],
    )  # fmt: skip
    words = xf.keyword_table(crm.messages.dropna(subset="text"), keywords=xf.load_preset("keywords.need"))
    frame = xf.load_preset("rfm.published_scale").fit_transform(rfm).merge(crm.customers, on="customer_id")
    frame = frame.merge(words, on="customer_id", how="left")
    tagger = xf.load_preset(name, lang="zh").fit(frame)
    out = tagger.transform(frame)
    if hasattr(tagger, "families"):
        added = [column for column in out.columns if column not in frame.columns]
        assert added[: len(tagger.rules)] == tagger.table()["label"].tolist()[: len(tagger.rules)]
        assert out[added[0]].any()
    assert tagger.coverage(frame).rows == 300
    restored = type(tagger).from_json(tagger.to_json())
    pd.testing.assert_frame_equal(restored.transform(frame), out)


@pytest.mark.parametrize(
    ("discount_share", "lead_time", "messages", "quality", "wanted"),
    [
        # Equal excesses of 0.2, which no sum of floats hits.
        (0.0, 3, 5, 1, "efficiency_first"), (0.6, 0, 10, 2, "cost_sensitive"), (0.6, 6, 10, 0, "cost_sensitive"),
        (0.0, 3, 5, 2, "quality_oriented"), (0.59, 6, 10, 0, "efficiency_first"), (0.4, 0, 10, 0, "unclassified"),
    ],
)  # fmt: skip
def test_equal_needs_go_by_the_declared_order(discount_share, lead_time, messages, quality, wanted):
    frame = customers(
        discount_share=[discount_share], lead_time_messages_with=[lead_time], message_count=[messages],
        quality_messages_with=[quality],
    )  # fmt: skip
    assert xf.load_preset("tag.need_dominant").fit_transform(frame)["dominant_need"].tolist() == [wanted]


def test_who_has_not_ordered_for_long_is_not_mature():
    frame = customers(order_count=[1, 9], tenure_days=[1500, 1500], order_count_90D=[0, 2], order_count_prev_90D=[0, 2])
    assert xf.load_preset("state.maturity").fit_transform(frame)["customer_state"].tolist() == ["declining", "mature"]


def test_an_empty_column_of_a_csv_is_missing_and_not_a_number():
    empty = customers(
        recency_score=[5], frequency_score=[5], monetary_score=[5], order_count_30D=[1], order_count_90D=[1],
        service_feedback=[float("nan")], matrix_cell=[float("nan")],
    )  # fmt: skip
    types = xf.load_preset("types.practice").fit(empty)
    assert types.transform(empty)["customer_type"].tolist() == ["high_value_loyal"]
    known = empty.assign(service_feedback="negative")
    assert types.transform(known)["customer_type"].tolist() == types.fit_transform(known)["customer_type"].tolist()
    channel = xf.RuleSegmenter({"web": "channel = 'web'"}, default="other").fit(customers(channel=["web", "shop"]))
    assert channel.transform(customers(channel=[float("nan")] * 2))["segment"].isna().all()


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ({"retail": ["C"]}, "code 'C' stands for 'manufacturing' and for 'retail'"),
        ({"retail": [None]}, r"codes has \[None\]; wanted a list of at least one code, each text or a whole number"),
        ({"retail": [1.5]}, r"codes has \[1.5\]"),
        ({"retail": []}, r"codes has \[\]"),
    ],
)
def test_codes_that_cannot_be_told_apart(codes, words):
    with pytest.raises(xf.errors.ParameterError, match=words):
        xf.load_preset("band.industry", codes=codes)


def test_numbers_of_presets_may_be_decimals():
    frame = customers(
        monetary_12M=[600_000.0, 600_000.0],
        gross_margin=[0.36, 0.35],
        order_count_3M=[1, 1],
        order_count_prev_3M=[1, 1],
    )
    tags = xf.load_preset("tag.value", high_margin=Decimal("0.35")).fit(frame)
    assert tags.transform(frame)["high_value"].tolist() == [True, False]
    assert xf.RuleTagger.from_json(tags.to_json()).transform(frame)["high_value"].tolist() == [True, False]
    with pytest.raises(
        xf.errors.ParameterError, match=r"high_margin of tag.value is Decimal\('NaN'\); wanted a finite"
    ):
        xf.load_preset("tag.value", high_margin=Decimal("NaN"))
