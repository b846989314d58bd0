"""Playbooks: what to do for each type, and the two warnings before doing it."""

from __future__ import annotations

import warnings

import pandas as pd
import polars as pl
import pytest
import xifen as xf

PLAYBOOKS = [name for name in xf.list_presets()["name"] if name.startswith("playbook.")]
MERGED = {
    "playbook.rfm_named": (11, "rfm.named_six merges them"),
    "playbook.rfm_eight_cell": (8, "rfm.eight_cell_six merges them"),
    "playbook.matrix": (9, r"matrix.value_potential with bins=2 \(its four corners\) merges them"),
}


def test_a_playbook_is_a_frame_to_merge_onto_types_or_cells():
    for name in PLAYBOOKS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tables = {lang: xf.load_preset(name, lang=lang) for lang in ("zh", "en", None)}
        said = ["direction", "actions", "service_level", "investment_level", "channel"]
        assert tables["zh"].columns.tolist() == ["playbook_key", "label", *said, "contact_days"]
        both = [f"{part}_{lang}" for lang in ("zh", "en") for part in said]
        assert tables[None].columns.tolist() == ["playbook_key", "label", *both, "contact_days"]
        for lang in ("zh", "en"):
            assert (tables[None][[f"{part}_{lang}" for part in said]].to_numpy() == tables[lang][said].to_numpy()).all()
        assert tables[None]["playbook_key"].is_unique
        assert not tables["zh"].eq("").any(axis=None)
    matters = pd.DataFrame({"importance": [9, 1], "urgency": [1, 9]})
    cells = xf.load_preset("matrix.importance_urgency", lang="zh").fit_transform(matters)
    plays = xf.load_preset("playbook.matter", lang="zh")
    assert cells.merge(plays, on="playbook_key")["direction"].tolist() == ["排期推进", "快速转交"]


def test_the_published_strategies():
    types = xf.load_preset("playbook.types", lang="en").set_index("playbook_key")
    assert "spend-and-save coupon" in types.loc["types.potential_to_develop", "actions"]
    assert "account manager" in types.loc["types.high_value_loyal", "actions"]
    assert "return gift" in types.loc["types.churn_risk", "actions"]
    with pytest.warns(UserWarning, match="9 types"):
        cells = xf.load_preset("playbook.matrix", lang="en").set_index("playbook_key")
    assert cells.loc["matrix.star", "direction"] == "Strategic partnership"
    assert "with restraint" in cells.loc["matrix.cash_cow", "actions"]
    assert types.loc["types.high_value_loyal", "service_level"] == "24x7 response"
    assert cells.loc["matrix.long_tail", "service_level"] == "Simplified process"


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_more_than_six_types_with_a_strategy_are_warned_about(name: str):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        table = xf.load_preset(name, lang="zh")
    if name in MERGED:
        count, advice = MERGED[name]
        assert len(table) == count
        assert len(seen) == 1
        with pytest.warns(UserWarning, match=f"{count} types carry a strategy of their own.*{advice}"):
            xf.load_preset(name)
        assert seen[0].filename == __file__
    else:
        assert len(table) <= 6
        assert not seen


CUSTOMERS = pd.DataFrame(
    {
        "customer_id": ["1"], "name": ["n"], "industry": ["i"], "last_purchase": ["2024-01-15"],
        "order_count_12M": [3], "mean_order_value": [9.0], "need_type": ["x"], "value_grade": ["high"],
        "customer_type": ["cost_sensitive"],
    }
)  # fmt: skip


@pytest.mark.parametrize("to", [lambda f: f, pl.from_pandas], ids=["pandas", "polars"])
def test_a_price_that_hangs_on_a_tag_is_warned_about(to):
    plays = xf.load_preset("playbook.need", lang="zh")
    assert xf.management_table(CUSTOMERS, playbook=to(plays))["策略建议"][0].startswith("提供全生命周期")
    plays.loc[0, "actions"] = "发放满减券"
    with pytest.warns(
        UserWarning, match=r"need.cost_sensitive a price or a coupon .*article 24\).*offer it to everyone"
    ):
        table = xf.management_table(CUSTOMERS, playbook=to(plays))
    assert table["策略建议"].tolist() == ["发放满减券"]
    english = xf.load_preset("playbook.value", lang="en")
    english.loc[0, "actions"] = "Give them a Discount"
    with pytest.warns(UserWarning, match="value.high_value a price"):
        xf.management_table(CUSTOMERS.assign(customer_type="High value"), "en", playbook=english)


@pytest.mark.parametrize(
    ("name", "key", "warned"),
    [
        ("playbook.types", "high_value_loyal", True), ("playbook.types", "high_value", True),
        ("playbook.types", "general_value", False), ("playbook.types", "churn_risk", False),
        ("playbook.lead_online_retail", "high", True), ("playbook.lead_car_maker", "low", True),
        ("playbook.importance_abc", "c", True), ("playbook.rfm_eight_cell_six", "important_value", True),
        ("playbook.state_maturity", "declining", False), ("playbook.lead_gym", "entry", False),
    ],
)  # fmt: skip
def test_what_hangs_on_what_a_customer_is_worth(name: str, key: str, warned: bool):
    """Amounts, incomes and monetary scores; not clocks, states and habits."""
    plays = xf.load_preset(name, lang="en")
    own = plays["playbook_key"].str.endswith(f".{key}")
    plays["actions"] = plays["actions"].where(~own, "Offer a rebate").str.replace("coupon", "catalogue")
    customers = CUSTOMERS.assign(customer_type=plays.loc[own, "label"].iloc[0])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        xf.management_table(customers, "en", playbook=plays)
    assert ["price or a coupon" in str(warning.message) for warning in seen] == [True] * warned


def test_a_price_for_a_need_of_another_kind_is_not():
    plays = xf.load_preset("playbook.need", lang="zh")
    plays.loc[1, "actions"] = "发放满减券"  # efficiency first
    xf.management_table(CUSTOMERS, playbook=plays)


def test_a_large_playbook_of_ones_own_names_the_merge():
    with pytest.warns(UserWarning, match="11 types"):
        plays = xf.load_preset("playbook.rfm_named", lang="en")
    with pytest.warns(UserWarning, match="7 types .* rfm.named_six merges them"):
        xf.management_table(CUSTOMERS.assign(customer_type="champions"), playbook=plays[:7])
    mine = plays[:7].assign(playbook_key=[f"mine.{n}" for n in range(7)], label=[f"type {n}" for n in range(7)])
    with pytest.warns(UserWarning, match="can keep apart: merge some"):
        xf.management_table(CUSTOMERS.assign(customer_type="type 3"), playbook=mine)


def test_a_playbook_that_is_none():
    with pytest.raises(xf.errors.ParameterError, match=r"did you mean 'playbook\.types'"):
        xf.management_table(CUSTOMERS, playbook="playbook.type")
    with pytest.raises(xf.errors.InputError, match="the playbook has no column 'actions'"):
        xf.management_table(CUSTOMERS, playbook=xf.load_preset("playbook.need", lang="zh")[["playbook_key", "label"]])
    with pytest.raises(xf.errors.InputError, match="'cost_sensitive' in row 0, which is no type of the playbook"):
        xf.management_table(CUSTOMERS)
    with pytest.raises(TypeError, match="not a frame"):
        xf.management_table(CUSTOMERS, playbook=3)


@pytest.mark.parametrize(
    ("action", "warned"),
    [
        ("打九折", True), ("全场8.5折", True), ("立减100元", True), ("优惠10%", True), ("20% off the next order", True),
        ("Send a promo code", True), ("Offer a price reduction", True), ("优先安排拜访", False), ("曲折的沟通", False),
        ("Visit every month", False),
    ],
)  # fmt: skip
def test_prices_in_the_words_people_use(action: str, warned: bool):
    plays = xf.load_preset("playbook.value", lang="en")
    plays["actions"] = action
    customers = CUSTOMERS.assign(customer_type=plays["label"].iloc[0])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        xf.management_table(customers, "en", playbook=plays)
    assert ["price or a coupon" in str(warning.message) for warning in seen] == [True] * warned


@pytest.mark.parametrize(("key", "warned"), [("champions", True), ("new", False)])
def test_champions_are_those_who_spend_most(key: str, warned: bool):
    with pytest.warns(UserWarning, match="11 types carry"):
        plays = xf.load_preset("playbook.rfm_named", lang="en")
    own = plays[plays["playbook_key"] == f"rfm.named.{key}"].assign(actions="Offer a rebate")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        xf.management_table(CUSTOMERS.assign(customer_type=own["label"].iloc[0]), "en", playbook=own)
    assert ["price or a coupon" in str(warning.message) for warning in seen] == [True] * warned
