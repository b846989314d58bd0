"""A fitted preset is a readable JSON file, whatever it is made of."""

from __future__ import annotations

import json

import pandas as pd
import pytest
import xifen as xf
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

LEADS = xf.datasets.make_crm(200, seed=3).leads


@pytest.fixture(scope="module")
def grades() -> Pipeline:
    return xf.load_preset("lead.grade", lang="zh", reason="zh").fit(LEADS)


def test_grades_survive_json(grades: Pipeline):
    text = grades.to_json()
    again = xf.presets.Pipeline.from_json(text)
    pd.testing.assert_frame_equal(again.transform(LEADS), grades.transform(LEADS))
    assert again.to_json() == text
    assert "高价值线索" in text  # readable
    assert set(json.loads(text)) == {"xifen", "class", "parameters", "fitted"}
    assert set(xf.ladder_check(again["grade"], again["scorecard"])["status"]) == {"ok"}


def test_grades_are_a_pipeline_of_scikit_learn(grades: Pipeline):
    assert isinstance(grades, Pipeline)
    copy = clone(grades)
    assert type(copy) is xf.presets.Pipeline
    pd.testing.assert_frame_equal(copy.fit_transform(LEADS), grades.transform(LEADS))
    assert grades.get_feature_names_out().tolist() == grades.transform(LEADS).columns.tolist()


def test_models_that_cannot_be_written_or_read(grades: Pipeline):
    with pytest.raises(xf.errors.ParameterError, match=r"step 'scale' is StandardScaler\(\), which no xifen model"):
        xf.presets.Pipeline([("scale", StandardScaler())]).fit(LEADS[["annual_fee_usd"]]).to_json()
    with pytest.raises(Exception, match="not fitted"):
        xf.load_preset("lead.grade").to_json()
    text = grades.to_json()
    with pytest.raises(xf.errors.InputError, match=r"this model is a Pipeline; read it with Pipeline\.from_json"):
        xf.Scorecard.from_json(text)
    with pytest.raises(xf.errors.InputError, match=r"is a Scorecard; read it with Scorecard\.from_json"):
        xf.presets.Pipeline.from_json(grades["scorecard"].to_json())
    model = json.loads(text)
    for change, words in (
        ({"parameters": {}}, "has steps, each a name and a model"),
        ({"parameters": {"steps": []}}, "has steps"),
        ({"parameters": {"steps": [["a"]]}}, r"\['a'\] is no step; wanted a name and a model"),
        (
            {"parameters": {"steps": [["a", {"class": "Popen"}]]}},
            "step 'a' is no model this xifen knows; wanted Binner",
        ),
        ({"fitted": {"x": 1}}, "and nothing else"),
        ({"xifen": 99}, "has format 99"),
        ({"more": 1}, "'more' is not known in a xifen model"),
    ):
        with pytest.raises(xf.errors.InputError, match=words):
            xf.presets.Pipeline.from_json(json.dumps({**model, **change}))
    with pytest.raises(xf.errors.InputError, match="this is not a xifen model"):
        xf.presets.Pipeline.from_json("{")


# -- ladders -------------------------------------------------------------------------------------------

MEMBERS = pd.DataFrame(
    {"annual_fee_usd": [0.0], "joins_events": [False], "classes_per_month": [4], "tenure_days": [400]}
)


def test_a_chinese_ladder_is_checked_in_chinese():
    gym = xf.load_preset("lead.gym", lang="zh").fit(MEMBERS)
    report = xf.ladder_check(gym).set_index("grade")
    assert report["status"].tolist() == xf.ladder_check(gym, lang="en")["status"].tolist()
    assert report["finding"].tolist() == [
        "",
        "要求低于排在其后的“活跃会员”",
        "能达到的客户都已归入“VIP会员”或“忠诚会员”",
        "",
        report["finding"].tolist()[-1],
    ]
    assert report["finding"].tolist()[-1].startswith("没有等级，例如 annual_fee_usd 低于 2000, joins_events FALSE")
    assert "everyone it would take is already" in xf.ladder_check(gym, lang="en")["finding"].tolist()[2]
    card = xf.Scorecard({"x": {"edges": [5], "points": [0, 10]}}).fit(pd.DataFrame({"x": [1, 9]}))
    totals = pd.DataFrame({"total_points": [0.0, 10.0]})
    rules = {"好": "total_points > 10", "中": "total_points >= 10", "差": "total_points < 0"}
    found = xf.ladder_check(xf.RuleSegmenter(rules).fit(totals), card, lang="zh")["finding"].tolist()
    assert found == [
        "没有 total_points 能达到：取值为 0 至 10",
        "",
        "没有 total_points 能达到：取值为 0 至 10",
        "2 种总分中有 1 种没有等级，例如 total_points 为 0",
    ]
    with pytest.raises(xf.errors.ParameterError, match="lang is 'fr'"):
        xf.ladder_check(gym, lang="fr")


@pytest.mark.parametrize("name", [name for name in xf.list_presets()["name"] if name.startswith("lead.")])
def test_every_ladder_of_leads(name: str):
    """Published ladders as they are, gaps and all; those of ours without a fault."""
    faults = {
        "lead.gym": ["ok", "asks for less", "never reached", "ok", "gap"],
        "lead.education": ["ok", "ok", "ok", "gap"],
    }
    ladder = xf.load_preset(name)
    frame = LEADS if name != "lead.gym" else MEMBERS
    if name == "lead.grade":
        ladder.fit(frame)
        report = xf.ladder_check(ladder["grade"], ladder["scorecard"])
        assert report["highest"].tolist()[0] == 100
    else:
        report = xf.ladder_check(ladder.fit(frame))
    assert report["status"].tolist() == faults.get(name, ["ok"] * 3)
