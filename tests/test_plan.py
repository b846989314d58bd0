"""Plans: what they say, in which order their steps run, and the presets."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from pathlib import Path
from typing import ClassVar

import jsonschema
import pandas as pd
import pytest
import xifen as xf
from plans import CRM, READS, data, fitted, orders, small
from xifen.plan import _blocks, _plan
from xifen.plan._model_file import plain
from xifen.plan._positions import lines_of

FOLDER = Path(xf.plan.__file__).parent
VALIDATOR = jsonschema.Draft202012Validator(xf.Plan.schema())


# -- presets ---------------------------------------------------------------------------------------


def test_the_presets_are_the_four_of_the_domain():
    assert xf.Plan.presets() == ["leads", "retail", "sales.en", "sales.zh"] == sorted(READS)


@pytest.mark.parametrize("name", sorted(READS))
def test_every_preset_runs_on_make_crm_without_a_warning(name: str):
    result = fitted(name)
    assert len(result.frame) == len(CRM.leads if name == "leads" else CRM.customers)
    assert list(result.model) == [step.name for step in result.plan.steps]
    for step in result.plan.steps:
        assert set(step.adds) <= set(result.frame.columns)
    assert result.profile()["customers"].sum() == len(result.frame)
    assert len(result.management(owners=True)) == len(result.frame)
    assert set(result.coverage()) <= set(result.model)
    assert [question.key for question in result.questions()] == [
        "most_valuable",
        "most_loyal",
        "prospects",
        "growing",
        "leaving",
    ]
    assert len(result.goals()) == len(result.plan.values["goals"])


def test_together_they_use_every_preset_the_data_allows():
    used = {
        entry["preset"]
        for name in READS
        for block in xf.Plan.preset(name).values.values()
        for entry in (block if isinstance(block, list) else [block])
        if isinstance(entry, dict) and "preset" in entry
    }
    listed = xf.list_presets().set_index("name")["operation"]
    computed = set(listed[~listed.isin(["playbook", "keywords"])].index)
    # make_crm has no city, quantity by customer or matters; the others are variants of those that are used.
    elsewhere = {
        "band.city_tier", "band.quantity", "matrix.importance_urgency",
        "rfm.eight_cell_six", "tag.need_published", "types.published", "types.three",
    }  # fmt: skip
    assert computed - used == elsewhere


def test_both_languages_say_the_same_of_everyone():
    zh, en = fitted("sales.zh"), fitted("sales.en")
    assert len(zh.segments) == len(en.segments)
    for ours, theirs in zip(zh.plan.steps, en.plan.steps, strict=True):
        for mine, other in zip(ours.adds, theirs.adds, strict=True):
            left, right = (
                r.frame[name].astype(object).where(r.frame[name].notna(), None) for r, name in ((zh, mine), (en, other))
            )
            assert (pd.factorize(left)[0] == pd.factorize(right)[0]).all(), (mine, other)
    assert zh.goals()["attained"].tolist() == en.goals()["attained"].tolist()


def test_presets_are_commented_and_name_the_schema():
    for name in xf.Plan.presets():
        text = xf.Plan.preset_text(name)
        assert "#:schema plan.schema.json" in text
        assert text.count("#") > 10


def test_three_months_on_30_june_are_what_the_comments_say():
    text = xf.Plan.preset_text("sales.en")
    assert "on 30 June it is 31 March to\n# 30 June (30 March is not in it)" in text
    log = {"customer_id": ["a"] * 3, "timestamp": ["2026-03-30", "2026-03-31", "2026-06-30"], "amount": [1.0] * 3}
    assert small(tables={"windows": ["3M"]}).fit(log).frame["order_count_3M"].tolist() == [2]


# -- the schema ------------------------------------------------------------------------------------


def test_the_shipped_schema_is_that_of_the_blocks():
    assert json.loads((FOLDER / "plan.schema.json").read_text(encoding="utf-8")) == xf.Plan.schema(), (
        "write it again: json.dumps(xf.Plan.schema(), ensure_ascii=False, indent=1)"
    )
    jsonschema.Draft202012Validator.check_schema(xf.Plan.schema())


@pytest.mark.parametrize("name", sorted(READS))
def test_the_schema_takes_the_presets(name: str):
    VALIDATOR.validate(plain(tomllib.loads(xf.Plan.preset_text(name))))


@pytest.mark.parametrize(
    "change",
    [
        {"xifen": 2},
        {"lang": "de"},
        {"as_of": "yesterday"},
        {"as_of": 20260630},
        {"name": ""},
        {"unknown": 1},
        {"tables": {"windows": ["90 days"]}},
        {"tables": {"windows": "90D"}},
        {"tables": {"returns": "nett"}},
        {"tables": {"keywords": {}}},
        {"scores": {}},
        {"scores": [{"n_bins": 1}]},
        {"tags": [{"rules": {}}]},
        {"tags": [{"rules": {"a": 1}}]},
        {"owners": [{}]},
        {"owners": [{"role": "x", "capacity": -1}]},
        {"owners": [{"role": "x", "capacity": True}]},
        {"contact": {"days": {"a": 0}}},
        {"goals": [{"name": "a", "rule": "order_count > 1", "window": "3M"}]},
        {"goals": [{"name": "a", "rule": "order_count > 1", "window": "3M", "target": 1, "count": "old"}]},
        {"privacy": {"contact": "yes"}},
        {"privacy": {"small_cells": 0}},
        {"playbook": {"preset": "playbook.types"}},
        {"sources": {"ordres": {}}},
        {"review": {"every": "month"}},
    ],
)
def test_what_the_schema_refuses_the_plan_refuses_and_the_other_way_round(change: dict):
    plan = {"xifen": 1, "as_of": "2026-06-30", "tables": {"windows": ["90D"]}, **change}
    assert not VALIDATOR.is_valid(plan)
    with pytest.raises(xf.errors.ParameterError):
        xf.Plan.from_dict(plan)


# -- forms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(READS))
def test_a_plan_comes_back_from_toml_and_json(name: str, tmp_path: Path):
    plan = xf.Plan.preset(name)
    for kind, text in (("toml", plan.to_toml()), ("json", plan.to_json())):
        path = tmp_path / f"plan.{kind}"
        path.write_text(text, encoding="utf-8")
        again = xf.Plan.load(path)
        assert again.values == plan.values
        assert [step.name for step in again.steps] == [step.name for step in plan.steps]


def test_toml_writes_odd_texts_so_that_they_come_back():
    odd = 'a "b" \\ \n\t é 中 \x7f \x01 \U0001f600'
    plan = small(name=odd, tags=[{"rules": {odd: "order_count > 1"}}])
    assert xf.Plan.from_dict(tomllib.loads(plan.to_toml())).values == plan.values


def test_values_and_defaults():
    plan = small(privacy={"contact": True})
    assert plan.block("privacy")["small_cells"] == 5
    assert plan.block("privacy")["contact"] is True
    assert (plan.name, plan.lang, plan.as_of) == ("plan", "en", dt.date(2026, 6, 30))
    assert repr(plan) == "Plan('plan', lang='en', as_of='2026-06-30', steps=[])"


@pytest.mark.parametrize("name", sorted(READS))
def test_lines_point_at_the_keys_of_a_plan(name: str):
    text = xf.Plan.preset_text(name)
    rows = text.splitlines()
    lines = lines_of(text, toml=True)

    def walk(value: object, path: tuple) -> None:
        assert path in lines, path
        if path and isinstance(path[-1], str):
            assert path[-1] in rows[lines[path] - 1], path
        for key, item in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            walk(item, (*path, key))

    walk(tomllib.loads(text), ())


def test_lines_of_json_and_of_what_toml_can_write():
    text = '{\n "a": [1,\n  {"b": "x\\"}",\n   "c": -1.5e3}],\n "d": null}'
    assert lines_of(text, toml=False) == {
        (): 1,
        ("a",): 2,
        ("a", 0): 2,
        ("a", 1): 3,
        ("a", 1, "b"): 3,
        ("a", 1, "c"): 4,
        ("d",): 5,
    }
    text = (
        'a.b = """x\n]"""\n"c d" = [ # [\n 2026-06-30 12:00:00,\n 1.5]\n[[e]]\nf = 1\n[e.g]\nh = \'[\'\n[[e]]\nf = 2\n'
    )
    lines = lines_of(text, toml=True)
    assert tomllib.loads(text)["e"][1] == {"f": 2}
    wanted = {
        ("a", "b"): 1,
        ("c d",): 3,
        ("c d", 0): 4,
        ("c d", 1): 5,
        ("e", 0, "f"): 7,
        ("e", 0, "g", "h"): 9,
        ("e", 1, "f"): 11,
    }
    assert wanted.items() <= lines.items()


# -- steps -----------------------------------------------------------------------------------------


def test_steps_run_behind_what_they_read():
    plan = small(
        segments=[
            {"name": "last", "output": "type", "rules": {"good": "rfm_score >= 1 AND loyal"}, "default": "other"}
        ],
        tags=[{"name": "tags", "rules": {"loyal": "order_count > 1"}}],
        scores=[{"name": "rfm", "n_bins": 2}],
    )
    assert [step.name for step in plan.steps] == ["tags", "rfm", "last"]
    result = plan.fit(orders())
    assert result.frame["type"].tolist() == ["good", "good", "other"]
    assert list(result.model) == ["tags", "rfm", "last"]


def test_bands_stand_beside_their_measure():
    plan = small(scores=[{"measure": "monetary", "edges": ["< 100"], "labels": ["low", "high"], "output": "size"}])
    frame = plan.fit(orders()).frame
    assert frame["size"].tolist() == ["high", "high", "low"]
    assert frame["monetary"].tolist() == [150.0, 620.0, 5.0]


def test_cuts_domains_and_parameters_of_ones_own():
    plan = small(
        scores=[{"edges": {"monetary": ["< 100"]}, "n_bins": 2, "output": {"rfm_score": "points"}}],
        segments=[
            {
                "rules": {"top": "monetary_score >= :cut"},
                "domains": {"monetary_score": [1, 2]},
                "parameters": {"cut": 2},
                "default": "rest",
            }
        ],
        scorecards=[{"indicators": {"orders": {"column": "order_count", "edges": ["< 2"], "points": [0, 10]}}}],
        matrix=[{"rows": "monetary", "columns": "order_count", "bins": 2}],
    )
    result = plan.fit(orders())
    assert result.frame["segment"].tolist() == ["top", "top", "rest"]
    assert result.frame["total_points"].tolist() == [10.0, 10.0, 0.0]
    assert result.scores == ["recency_score", "frequency_score", "monetary_score", "score"]
    assert result.matrix == ("monetary", "order_count", "matrix_cell")
    assert result.coverage()["segments 1"].complete


def test_one_more_block_is_one_more_class(monkeypatch: pytest.MonkeyPatch):
    class Doubled(_blocks.Segments):
        key, says = "doubled", "Who bought a lot."
        fields: ClassVar = {"at": _blocks.Field(_blocks.Number(0), "From how much.", required=True)}

        @classmethod
        def make(cls, given: dict) -> xf.RuleSegmenter:
            return xf.RuleSegmenter({"much": f"monetary > {given['at']}"}, default="little", output="doubled")

    blocks = {**_blocks.BLOCKS, "doubled": Doubled}
    kind = _plan.Table({**_plan.KIND.fields, "doubled": _plan.Field(Doubled.kind(), Doubled.says)})
    monkeypatch.setattr(_plan, "BLOCKS", blocks)
    monkeypatch.setattr(_plan, "KIND", kind)
    plan = small(doubled=[{"at": 100}])
    assert plan.fit(orders()).frame["doubled"].tolist() == ["much", "much", "little"]
    assert "doubled" in xf.Plan.schema()["properties"]


# -- sources ---------------------------------------------------------------------------------------


def test_sources_are_read_from_the_plans_own_folder(tmp_path: Path):
    for name in ("orders", "customers", "messages"):
        getattr(CRM, name).to_parquet(tmp_path / f"{name}.parquet")
    text = xf.Plan.preset_text("sales.en").replace('.csv"', '.parquet"')
    (tmp_path / "sales.toml").write_text(text, encoding="utf-8")
    result = xf.Plan.load(tmp_path / "sales.toml").fit()
    given = fitted("sales.en")
    assert result.profile()["customers"].tolist() == given.profile()["customers"].tolist()
    assert result.counts["order_rows"] == len(CRM.orders)


def test_other_names_of_columns_and_other_kinds_of_frames():
    import polars as pl
    import pyarrow as pa

    log = CRM.orders.rename(columns={"customer_id": "client", "timestamp": "when", "amount": "sum"})
    people = CRM.customers.rename(columns={"customer_id": "number", "gross_margin": "margin"})
    said = {
        "sources": {
            "orders": {
                "columns": {"customer_id": "client", "timestamp": "when", "amount": "sum", "order_id": "order_id"}
            },
            "customers": {"columns": {"customer_id": "number", "gross_margin": "margin"}, "drop": ["founded"]},
        },
        "tables": {"windows": ["12M", "3M"]},
        "tags": [{"preset": "tag.value"}],
    }
    plan = small(**said)
    frame = plan.fit(log, people).frame
    assert frame.columns[0] == "customer_id"
    assert "founded" not in frame
    for kind in (pl.from_pandas, lambda f: pa.Table.from_pandas(f, preserve_index=False)):
        other = plan.fit(kind(log), kind(people)).frame
        assert isinstance(other, type(kind(log)))
        there = other.to_pandas()
        kinds = (
            dict(zip(other.columns, other.dtypes, strict=True))
            if isinstance(other, pl.DataFrame)
            else dict(zip(other.column_names, other.schema.types, strict=True))
        )
        assert str(kinds["Value"]).startswith(("Enum", "dictionary"))
        kinds = {name: str(kind).lower() for name, kind in kinds.items()}
        assert kinds["recency_days"] == "int64"
        for name in ("customer_id", "recency_days", "monetary_12M", "High value", "Value"):
            left, right = (f[name].astype(object).where(f[name].notna(), None).tolist() for f in (frame, there))
            assert left == right, name


def data_is_never_changed(name: str) -> None:
    before = {key: frame.copy() for key, frame in data(name).items()}
    xf.Plan.preset(name).fit(**data(name))
    for key, frame in data(name).items():
        pd.testing.assert_frame_equal(frame, before[key])


def test_the_callers_frames_are_never_changed():
    data_is_never_changed("sales.en")
