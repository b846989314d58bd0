"""The one registry of the report's sections: key, titles, what each is made of, and where it stands.

A section is a function from the `View` of a Segmentation to blocks, plain dicts that the page knows how to show by
their `kind`: numbers, questions, chart, table, cards, outline, facts, notes, customers. To add a section, write such a
function and `register` it; nothing else knows the sections by name. No blocks: the section is left out, and its absence said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from xifen.errors import ParameterError
from xifen.report import _customers, _measures, _method, _outlines, _overview, _segments
from xifen.report._view import View

__all__ = ["PARTS", "SECTIONS", "Section", "build", "register"]

#: The parts of the report, in order; their titles are words.
PARTS: Final = ("overview", "segments", "measures", "customers", "outlines", "method")


@dataclass(frozen=True)
class Section:
    """One section of the report.

    Attributes
    ----------
    key : str
        Its name in links.
    part : str
        One of `PARTS`.
    zh, en : str
        Its title.
    blocks : callable
        From a `View` to what it shows, a list of dicts each with its `kind`; an empty list leaves the section out.
    """

    key: str
    part: str
    zh: str
    en: str
    blocks: Callable[[View], list[dict[str, Any]]]


SECTIONS: Final[list[Section]] = [
    Section("summary", "overview", "要点", "Headline numbers", _overview.summary),
    Section("questions", "overview", "五个管理问题", "Five management questions", _overview.questions),
    Section("goals", "overview", "目标完成情况", "Attainment of goals", _overview.goals),
    Section("segments", "segments", "细分概况", "Segments", _segments.segments),
    Section("cards", "segments", "细分卡片", "A card per segment", _segments.cards),
    Section("comparison", "segments", "细分比较", "Comparison of segments", _segments.comparison),
    Section("ranking", "segments", "优先次序", "Priority ranking", _segments.ranking),
    Section("owners", "segments", "负责人与联系计划", "Owners and contacts", _segments.owners),
    Section("rfm", "measures", "RFM 热力图", "RFM heat map", _measures.rfm),
    Section("scores", "measures", "评分分布与分界", "Scores and their edges", _measures.scores),
    Section("matrix", "measures", "价值与潜力象限", "Value by potential", _measures.matrix),
    Section("tags", "measures", "标签重叠", "Tag overlap", _measures.tags),
    Section("clusters", "measures", "聚类画像", "Cluster profiles", _measures.clusters),
    Section("concentration", "measures", "销售额集中度", "Concentration of revenue", _measures.concentration),
    Section("basic", "measures", "客户构成", "Who the customers are", _measures.basic),
    Section("needs", "measures", "客户需求", "What they need", _measures.needs),
    Section("customers", "customers", "客户表", "Customer table", _customers.customers),
    Section("analysis_outline", "outlines", "客户分析报告提纲", "Customer analysis report", _outlines.analysis),
    Section("segment_outline", "outlines", "细分报告提纲", "Segment report", _outlines.segment_report),
    Section("ledger", "method", "数据台账", "Data ledger", _method.ledger),
    Section("coverage", "method", "规则覆盖检查", "Coverage of the rules", _method.coverage),
    Section("definitions", "method", "定义与方法", "Definitions and method", _method.definitions),
    Section("left_out", "method", "未包含的内容", "What was left out", _method.left_out),
]


def register(section: Section, *, before: str | None = None) -> None:
    """Add a section at the end, or before another.

    Parameters
    ----------
    section : Section
    before : str, optional
        The key of the section to stand before.

    Raises
    ------
    ParameterError
        The key is taken, the part is unknown, or there is no section to stand before.
    """
    keys = [known.key for known in SECTIONS]
    if section.key in keys:
        raise ParameterError(f"the report already has a section '{section.key}'")
    if section.part not in PARTS:
        raise ParameterError(f"part is '{section.part}'; wanted {', '.join(PARTS)}")
    if before is not None and before not in keys:
        raise ParameterError(f"before is '{before}'; the sections are {', '.join(keys)}")
    SECTIONS.insert(len(SECTIONS) if before is None else keys.index(before), section)


def build(view: View, step: Callable[[str], None] = lambda _: None) -> list[dict[str, Any]]:
    """Build every part of the report as plain data.

    Parameters
    ----------
    view : View
    step : callable
        Told each section's title before it is built.
    """
    made: dict[str, list[dict[str, Any]]] = {part: [] for part in PARTS}
    for section in SECTIONS:
        title = {"zh": section.zh, "en": section.en}[view.words.lang]
        step(title)
        blocks = section.blocks(view)
        if blocks:
            made[section.part].append({"key": section.key, "title": title, "blocks": blocks})
        else:
            view.absent.append(title)
    return [{"key": key, "title": view.words(f"part.{key}"), "sections": found} for key, found in made.items() if found]
