"""Every preset file: all of its fields in both languages, no stray one, and no word with two meanings."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
import xifen as xf

FOLDER = files("xifen.presets")
PRESETS = {
    item.name.removesuffix(".json"): json.loads(item.read_text(encoding="utf-8"))
    for item in FOLDER.iterdir()
    if item.name.endswith(".json")
}
WORDS = {
    item.name.removesuffix(".json"): json.loads(item.read_text(encoding="utf-8"))
    for item in (FOLDER / "words").iterdir()
}
every_preset = pytest.mark.parametrize("name", sorted(PRESETS))

#: What every file says, and what the files of an operation say besides: fields it must have, fields it may.
ALL = {"name", "operation", "namespace", "title", "source"}
FIELDS = {
    "rules": ({"labels"}, {"inputs", "choice", "parameters", "ascending", "learned", "output"}),
    "tags": ({"inputs", "labels", "families"}, {"parameters", "ascending"}),
    "codes": ({"inputs", "labels", "output"}, set()),
    "bins": ({"inputs", "labels"}, set()),
    "scores": ({"inputs"}, set()),
    "scorecard": ({"inputs", "indicators", "output"}, {"weights"}),
    "grades": ({"inputs", "indicators", "output", "grade", "labels", "parameters"}, {"weights", "ascending"}),
    "matrix": ({"inputs", "bins", "cells"}, set()),
    "keywords": ({"labels"}, set()),
    "playbook": ({"entries"}, {"merge"}),
}
LABEL = {"key", "zh", "en"}
LABELS = {
    "rules": ({"rule"}, True),  # the field, and whether one label (the default) may lack it
    "tags": ({"rule"}, False),
    "codes": ({"codes"}, True),
    "bins": (set(), False),
    "grades": ({"rule"}, False),
    "keywords": ({"keywords"}, False),
}
INPUT = {"name", "required", "unit"}
INPUT_MAY = {"domain", "currency", "basis", "axis", "edges", "scores"}
PARAMETER = {"name", "type", "default", "unit", "zh", "en"}
ENTRY = LABEL | {"direction", "actions", "service_level", "investment_level", "channel", "contact_days"}
CELL = LABEL | {"code", "playbook"}
MONEY = re.compile(r"yuan|US dollars")
CHINESE = re.compile(r"[\u4e00-\u9fff]|VIP|ABC|RFM")


def in_both_languages(said: dict, where: str) -> None:
    assert CHINESE.search(said["zh"]), f"{where}: {said['zh']!r} is not Chinese"
    assert said["en"], where
    assert not re.search(r"[\u4e00-\u9fff]", said["en"]), f"{where}: {said['en']!r} is not English"
    assert said["zh"] == said["zh"].strip(), where
    assert said["en"] == said["en"].strip(), where


def inputs(preset: dict) -> list[dict]:
    if "choice" in preset:
        return [item for variant in preset["choice"]["variants"].values() for item in variant["inputs"]]
    return preset.get("inputs", [])


@every_preset
def test_every_field_is_there_and_no_stray_one(name: str):
    preset = PRESETS[name]
    must, may = FIELDS[preset["operation"]]
    assert ALL | must <= set(preset) <= ALL | must | may
    assert preset["name"] == name
    in_both_languages(preset["title"], name)
    assert set(preset["title"]) == {"zh", "en"}
    assert set(preset["source"]) == {"section", "published", "ours"}
    assert preset["source"]["section"]
    assert preset["source"]["published"] or preset["source"]["ours"]
    assert ("inputs" in preset) != ("choice" in preset) or preset["operation"] in ("keywords", "playbook")


@every_preset
def test_labels_are_whole(name: str):
    preset = PRESETS[name]
    labels = preset.get("labels", [])
    field, may_lack = LABELS.get(preset["operation"], (set(), False))
    for label in labels:
        assert set(label) in ([LABEL | field, LABEL] if may_lack else [LABEL | field])
        if preset["operation"] != "keywords":
            assert re.fullmatch(r"[a-z_0-9]+", label["key"])
        in_both_languages(label, f"{name}.{label['key']}")
    without = [place for place, label in enumerate(labels) if set(label) == LABEL]
    if may_lack:
        assert without in ([], [len(labels) - 1]), "the default stands last"
    for kind in LABEL:
        said = [label[kind] for label in labels]
        assert len(set(said)) == len(said)


@every_preset
def test_inputs_and_parameters_are_whole(name: str):
    preset = PRESETS[name]
    learned = preset.get("learned", {})
    used = [preset.get("labels"), preset.get("families"), preset.get("inputs"), learned]
    text = json.dumps(used, ensure_ascii=False)
    for item in inputs(preset):
        assert INPUT <= set(item) <= INPUT | INPUT_MAY
        assert isinstance(item["required"], bool)
        assert item["unit"]
        assert ("currency" in item) == ("basis" in item) == bool(MONEY.search(item["unit"])), item
        assert set(item.get("domain", {"whole": 0})) <= {"whole", "interval", "list"}
    for parameter in preset.get("parameters", []):
        assert set(parameter) == PARAMETER
        in_both_languages(parameter, f"{name} {parameter['name']}")
        kind = {"integer": int, "number": (int, float), "text": str}[parameter["type"]]
        assert isinstance(parameter["default"], kind)
        assert re.search(rf"[:{{]{parameter['name']}\b", text), f"{parameter['name']} of {name} is used nowhere"
    declared = {parameter["name"] for parameter in preset.get("parameters", [])}
    if "choice" not in preset:
        rules = " ".join(label.get("rule", "") for label in preset.get("labels", []))
        assert set(re.findall(r":([a-z_]+)", rules)) | set(re.findall(r"\{([a-z_]+)\}", text)) <= declared | set(
            learned
        )
    for names in preset.get("ascending", []):
        defaults = {parameter["name"]: parameter["default"] for parameter in preset["parameters"]}
        assert len(names) >= 2
        assert [defaults[parameter] for parameter in names] == sorted({defaults[parameter] for parameter in names})


@every_preset
def test_no_business_number_hides_in_a_rule(name: str):
    """What a company may want to change is a parameter; 0 and 1 are logic."""
    if PRESETS[name]["namespace"].startswith("rfm"):  # the definition of a score cell
        return
    for label in PRESETS[name].get("labels", []):
        rule = re.sub(r"'[^']*'|\w*[A-Za-z_]\w*|\{\w+\}", "", label.get("rule", ""))
        assert set(re.findall(r"\d+\.?\d*", rule)) <= {"0", "1", "2"}, label


@every_preset
def test_inputs_are_what_the_preset_reads(name: str):
    preset = PRESETS[name]
    if preset["operation"] in ("playbook", "keywords", "scores", "matrix", "bins", "codes"):
        return
    declared = {item["name"] for item in inputs(preset)}
    if preset["operation"] in ("scorecard", "grades"):
        read = {fields.get("column", key) for key, fields in preset["indicators"].items()}
    else:
        rules = " ".join(label.get("rule", "") for label in preset["labels"])
        for variant in preset.get("choice", {"variants": {}})["variants"].values():
            rules += " " + " ".join(variant["conditions"].values())
        rules = re.sub(r"'[^']*'|:\w+", "", rules)
        words = set(re.findall(r"[A-Za-z_][\w{}]*", rules))
        read = {word for word in words if not word.isupper()}
    assert read == declared


def test_playbooks_are_whole():
    shared = WORDS["playbook"]
    for name, preset in PRESETS.items():
        for entry in preset.get("entries", []):
            where = f"{name}.{entry['key']}"
            assert set(entry) == ENTRY, where
            for said in (entry, entry["direction"], *entry["actions"]):
                in_both_languages(said, where)
            assert 1 <= len(entry["actions"]) <= 4
            assert isinstance(entry["contact_days"], int)
            assert entry["contact_days"] >= 1
            for field in ("service_level", "investment_level"):
                assert entry[field] in [word["key"] for word in shared[field]]
            assert entry["channel"]
            assert set(entry["channel"]) <= {word["key"] for word in shared["channel"]}


def test_every_vocabulary_has_its_playbook():
    """Types, cells, states, importance, credit, leads, and the families of tags that ask for something to be done."""
    played = {preset["namespace"] for preset in PRESETS.values() if preset["operation"] == "playbook"}
    spoken = {
        preset["namespace"]
        for preset in PRESETS.values()
        if preset["operation"] in ("rules", "tags", "grades", "matrix") and not preset["namespace"].startswith("band.")
    }
    # Single tags are signs beside the families, not types with a strategy.
    assert spoken - played == {"churn", "activation", "behaviour", "cycle", "history", "trigger"}


def test_playbooks_answer_every_label_they_are_for():
    """Same keys, zh and en as the labels of the presets in their namespace, the defaults of families included."""
    spoken: dict[str, dict[str, tuple[str, str]]] = {}
    for preset in PRESETS.values():
        if preset["operation"] in ("playbook", "keywords"):
            continue
        labels = [*preset.get("labels", []), *preset.get("cells", [])]
        labels += [family["default"] for family in preset.get("families", []) if "default" in family]
        for label in labels:
            spoken.setdefault(preset["namespace"], {})[label["key"]] = (label["zh"], label["en"])
    for name, preset in PRESETS.items():
        if preset["operation"] == "playbook":
            entries = {entry["key"]: (entry["zh"], entry["en"]) for entry in preset["entries"]}
            wanted = spoken[preset["namespace"]]
            assert set(entries) == set(wanted), name
            assert entries == wanted, name


def test_cells_of_matrices_are_whole_and_have_a_play():
    plays = {
        f"{preset['namespace']}.{entry['key']}" for preset in PRESETS.values() for entry in preset.get("entries", [])
    }
    levels = {level["key"] for level in WORDS["playbook"]["investment_level"]}
    for preset in PRESETS.values():
        for cell in preset.get("cells", []):
            assert CELL <= set(cell) <= CELL | {"investment"}
            in_both_languages(cell, cell["key"])
            assert cell["playbook"] == f"{preset['namespace']}.{cell['key']}"
            assert cell["playbook"] in plays
            assert cell.get("investment", "none") in levels


def test_words_are_whole():
    assert set(WORDS) == {"management", "playbook"}
    for listed in ("service_level", "investment_level", "channel"):
        for word in WORDS["playbook"][listed]:
            assert set(word) == LABEL
            in_both_languages(word, listed)
    assert set(WORDS["playbook"]) == {
        "service_level", "investment_level", "channel", "price_words", "price_must_not_hang_on"
    }  # fmt: skip
    assert [len(WORDS["management"][part]) for part in ("columns", "grades")] == [12, 3]
    for part in WORDS["management"].values():
        for word in part:
            assert set(word) == LABEL
            in_both_languages(word, word["key"])


def test_one_key_means_one_thing():
    """The same full key (namespace.key) is the same label wherever it stands; the same word under several keys is kept
    apart: decision 8 of the contradictions in practice."""
    said: dict[str, set[tuple[str, str]]] = {}
    for preset in PRESETS.values():
        if preset["operation"] != "keywords":
            for label in [*preset.get("labels", []), *preset.get("cells", []), *preset.get("entries", [])]:
                said.setdefault(f"{preset['namespace']}.{label['key']}", set()).add((label["zh"], label["en"]))
    assert not {key: labels for key, labels in said.items() if len(labels) > 1}
    potential = {key for key, ((zh, _),) in said.items() if zh in ("潜力客户", "潜在客户")}
    assert {"value.potential", "matrix.potential", "band.purchase.potential", "state.prospect"} <= potential


def test_every_vocabulary_of_practice_has_its_preset():
    assert set(xf.list_presets()["name"]) == set(PRESETS)
    words = {
        "band.size": ["小型企业", "中型企业", "大型企业"],
        "band.purchase": ["普通客户", "潜力客户", "重点客户"],
        "band.industry_stage": ["朝阳行业", "成熟行业"],
        "types.published": ["高价值忠实客户", "潜力开发客户", "流失风险客户"],
        "types.three": ["流失风险客户", "高价值客户", "一般价值客户"],
        "tag.value": ["高价值客户", "潜力客户", "普通客户"],
        "tag.need_published": ["成本敏感型", "效率优先型", "品质导向型"],
        "tag.behaviour": ["高频购买", "试用转化", "风险预警"],
        "tag.risk": ["流失风险", "回款风险"],
        "state.purchase": ["潜在客户", "休眠客户", "新客户", "老客户"],
        "state.development": ["初始态", "流失态", "停止态", "发展态", "稳定态"],
        "state.cooperation": ["潜在客户", "首次成交客户", "长期合作客户", "合作中客户"],
        "state.maturity": ["新客户", "衰退客户", "成熟客户"],
        "state.usage": ["新用户", "忠诚用户", "活跃用户"],
        "importance.relation": ["重要客户", "一般客户", "潜在客户"],
        "importance.value": ["重要客户", "普通客户", "不重要客户"],
        "importance.abc": ["A类", "B类", "C类"],
        "credit.grade": ["最高信用", "高信用", "中信用", "低信用"],
        "lead.gym": ["VIP会员", "忠诚会员", "活跃会员", "入门会员"],
    }
    for name, wanted in words.items():
        assert [label["zh"] for label in PRESETS[name]["labels"]] == wanted


def test_the_readme_names_every_family_of_presets():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    for name in PRESETS:
        assert f"`{name}`" in readme or f"`{name.split('.')[0]}.*`" in readme, name
