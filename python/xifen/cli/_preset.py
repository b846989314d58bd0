"""What a preset says, to read: its inputs, its parameters, and its rules, codes, points, cells or strategies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from xifen._report import wide
from xifen.presets import _files

__all__ = ["preset_text"]

#: The headings, and the words for what may be absent and for what is left.
_WORDS: Final = {
    "en": {
        "published": "Published", "ours": "Ours", "inputs": "Inputs", "optional": "optional", "parameters": "Parameters",
        "rules": "Labels: the first rule that holds decides", "tags": "Tags: each is decided by itself",
        "grades": "Grades of the score: the first rule that holds decides", "codes": "Labels, and the codes that get them",
        "bins": "Labels, lowest first", "keywords": "Groups, and their keywords", "indicators": "Indicators: where points change",
        "cells": "Cells: the first measure, then the second (H high, M middle, L low)", "entries": "Strategies", "otherwise": "otherwise",
        "weight": "weight", "points": "points", "missing": "missing",
    },
    "zh": {
        "published": "公开口径", "ours": "本包口径", "inputs": "输入", "optional": "可缺", "parameters": "参数",
        "rules": "标签：按顺序，第一条成立的规则决定", "tags": "标签：各自判断", "grades": "评分的等级：按顺序，第一条成立的规则决定",
        "codes": "标签和归入它的代码", "bins": "标签，从低到高", "keywords": "需求和它的关键词", "indicators": "指标：分值在何处变化",
        "cells": "单元：先第一个指标，后第二个（H 高、M 中、L 低）", "entries": "策略", "otherwise": "其余",
        "weight": "权重", "points": "分", "missing": "缺失",
    },
}  # fmt: skip


def preset_text(name: str, lang: str) -> str:
    """Write out a preset, with its parameters at their defaults."""
    wanted = _files.open_preset(name, "zh" if lang == "zh" else "en", {}, {}, ())
    preset, words = wanted.preset, _WORDS[lang]
    inputs = [
        (item["name"], item["unit"] + ("" if item["required"] else f" ({words['optional']})") + _scores(item, words))
        for item in preset.get("inputs", [])
    ]
    declared = [(f"{item['name']} = {item['default']}", item[lang]) for item in preset.get("parameters", [])]
    learned = [(f"{name} = {how}", "") for name, how in preset.get("learned", {}).items()]
    parts = {
        words["inputs"]: inputs,
        words["parameters"]: declared + learned,
        words["indicators"]: list(_indicators(preset, words, lang)),
        words["cells"]: [(f"{cell['code']}  {cell[lang]}", "") for cell in preset.get("cells", [])],
        words["entries"]: [(entry[lang], _strategy(entry, lang)) for entry in preset.get("entries", [])],
        words.get(preset["operation"], ""): [
            (label[lang], "" if preset["operation"] == "bins" else _means(label, words))
            for label in preset.get("labels", [])
        ],
    }
    lines = [f"{name}: {preset['title'][lang]}"]
    lines += [f"{words[key]}: {preset['source'][key]}" for key in ("published", "ours") if preset["source"][key]]
    for heading, rows in parts.items():
        lines += ["", heading] if rows else []
        width = min(30, max(map(wide, (left for left, _ in rows)), default=0)) + 2
        lines += [f"  {left}{' ' * max(2, width - wide(left))}{right}".rstrip() for left, right in rows]
    return "\n".join(lines)


def _scores(item: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """Say which scores an input gets, where cuts say so."""
    if "edges" not in item:
        return ""
    cuts = zip([*item["edges"], words["otherwise"]], item["scores"], strict=True)
    return f" ({', '.join(f'{cut}: {score}' for cut, score in cuts)})"


def _means(label: Mapping[str, Any], words: Mapping[str, str]) -> str:
    listed = label.get("codes") or label.get("keywords")
    return ", ".join(listed) if listed else str(label.get("rule") or words["otherwise"])


def _indicators(preset: Mapping[str, Any], words: Mapping[str, str], lang: str) -> Iterator[tuple[str, str]]:
    """Say of each indicator its column, and between which edges it has how many points."""
    for key, indicator in preset.get("indicators", {}).items():
        if "categories" in indicator:
            points = {
                **indicator["categories"],
                **({words["otherwise"]: indicator["default"]} if "default" in indicator else {}),
            }
        else:
            points = dict(zip([*indicator["edges"], words["otherwise"]], indicator["points"], strict=True))
        said = [f"{which}: {number}" for which, number in points.items()]
        said += [f"{words['missing']}: {indicator['missing']}"] if "missing" in indicator else []
        weight = f"  {words['weight']} {preset['weights'][key]}" if "weights" in preset else ""
        yield f"{indicator[lang]} ({indicator.get('column', key)})", ", ".join(said) + f" {words['points']}{weight}"


def _strategy(entry: Mapping[str, Any], lang: str) -> str:
    actions = [action[lang] for action in entry["actions"]]
    return (
        f"{entry['direction'][lang]}: {'; '.join(actions)}"
        if lang == "en"
        else f"{entry['direction'][lang]}：{'；'.join(actions)}"
    )
