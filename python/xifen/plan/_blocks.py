"""The blocks of a plan: one class each, with its fields and the step it makes. A new block is a class in this registry."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Final, Literal

import pandas as pd

from xifen import _columns as c
from xifen import presets
from xifen._tagger import RuleTagger
from xifen._warn import warn
from xifen.binning import Binner, RFMScorer
from xifen.cluster_segmenter import ClusterSegmenter
from xifen.errors import XifenError
from xifen.matrix import SegmentMatrix
from xifen.plan._check import At, Date, Either, Exactly, Field, ListOf, MapOf, Number, Plain, Table, Text, Truth
from xifen.plan._steps import Step
from xifen.presets._files import names as preset_names
from xifen.rules import RuleSegmenter
from xifen.scorecard import Scorecard

__all__ = ["BLOCKS", "FORMAT", "Block", "Context"]

#: The version of the format of plans.
FORMAT: Final = 1
#: How a span of time is written, as in `rfm_table`.
SPAN: Final = Text(form="[1-9][0-9]*[DM]", such_as="90D")


@dataclass(frozen=True)
class Context:
    """What steps know of the plan around them: its language, and the currency and basis of its amounts."""

    lang: Literal["zh", "en"]
    amounts: Mapping[str, str]


class Block:
    """One block of a plan: a table, or with `many` a list of tables.

    A subclass names its key and fields, and where it computes columns gives the step that does.
    """

    key: ClassVar[str]
    says: ClassVar[str]
    fields: ClassVar[Mapping[str, Field]]
    many: ClassVar[bool] = False
    one_of: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def kind(cls) -> Table | ListOf:
        table = Table(cls.fields, cls.one_of)
        return ListOf(table) if cls.many else table

    @classmethod
    def step(cls, values: Mapping[str, Any], at: At, context: Context) -> Step | None:  # noqa: ARG003 a block without a step needs none of it
        """Give the step these values describe; None where the block computes nothing."""
        return None


class Sources(Block):
    key, says = "sources", "Where the tables come from, where `fit` is not given them."
    _source: ClassVar = Table(
        {
            "path": Field(Text(such_as="orders.csv"), "A csv, tsv, parquet or Excel file, relative to the plan's own folder."),
            "columns": Field(MapOf(Text()), "Our name = your name, for the columns that are called otherwise."),
            "encoding": Field(Text(such_as="gb18030"), "Encoding of a text file."),
            "delimiter": Field(Text(such_as=";"), "What stands between two values of a text file."),
            "sheet": Field(Text(), "Sheet of a workbook."),
            "chinese": Field(Truth(), "Read numbers such as 12万 and ¥5,000.00, and count what was converted."),
            "dates": Field(Either([Text(such_as="%Y年%m月%d日"), MapOf(Text())]), "strftime format of the dates, or one per column."),
            "drop": Field(ListOf(Text()), "Columns that are not to be read at all."),
        }
    )  # fmt: skip
    fields: ClassVar = {
        "orders": Field(_source, "One row per order or order line: customer_id, timestamp, amount; order_id and discount where `columns` names them."),
        "customers": Field(_source, "One row per customer: customer_id and whatever is known of them; who was `created` after as_of and has no order by then is left out and counted."),
        "messages": Field(_source, "One row per message: customer_id, text, and timestamp where there is one."),
    }  # fmt: skip


class Tables(Block):
    key, says = (
        "tables",
        "How the order log becomes one row per customer (see rfm_table), and messages counts of keywords.",
    )
    fields: ClassVar = {
        "windows": Field(ListOf(SPAN), "Spans of time that are counted on their own: 90D is days, 12M calendar months."),
        "returns": Field(Text(("net", "exclude", "error")), "What amounts below zero do.", default="net"),
        "duplicates": Field(Text(("keep", "drop")), "What happens to rows that stand twice.", default="keep"),
        "invalid": Field(Text(("raise", "drop")), "Refuse rows that cannot be used, or leave them out and count them.", default="raise"),
        "tz": Field(Text(such_as="Asia/Shanghai"), "Time zone whose calendar days count."),
        "date_format": Field(Text(such_as="%d/%m/%Y"), "strftime format of dates that are text."),
        "currency": Field(Text(such_as="CNY"), "Currency of the amounts; presets with numbers in another are refused."),
        "basis": Field(Text(such_as="invoiced, with tax"), "What the amounts are: signed, shipped, invoiced, collected; with or without tax."),
        "keywords": Field(Either([Text(such_as="keywords.need"), MapOf(ListOf(Text(), 1), 1)]), "Groups of keywords counted in messages: a preset, or name = list of words."),
    }  # fmt: skip


#: What every block that may load a preset takes beside it.
_PRESET: Final = {
    "name": Field(Text(), "Name of the step; by default that of the preset."),
    "preset": Field(Text(such_as="rfm.named"), "One of list_presets()."),
    "columns": Field(MapOf(Text()), "The preset's input = your column."),
    "parameters": Field(MapOf(Plain()), "Of a preset: its own parameters, and options of its estimator. Of rules: the values of :name."),
}  # fmt: skip
_RULES: Final = {
    "rules": Field(MapOf(Text(), 1), "Label = SQL condition."),
    "domains": Field(MapOf(Plain()), "What columns can hold: [1, 5] whole numbers, [0.0, 1.0] an interval, a list of texts."),
    "optional": Field(ListOf(Text()), "Columns that count as missing where the data has none."),
}  # fmt: skip


class _Computed(Block):
    """A block that makes an estimator, from a preset or from parameters."""

    many = True
    #: Whether the estimator itself says something in a language.
    speaks: ClassVar[bool] = False
    #: Which kinds of preset belong here.
    operations: ClassVar[tuple[str, ...]]

    @classmethod
    def step(cls, values: Mapping[str, Any], at: At, context: Context) -> Step | None:
        given = dict(values)
        given.pop("name", None)
        output = given.get("output")
        spoken = {"lang": context.lang} if cls.speaks else {}
        try:
            estimator = cls._preset(given, at, context) if "preset" in given else cls.make({**given, **spoken})
            column = output if isinstance(output, str) else None
            name = values.get("name") or values.get("preset") or column or cls.default_name(at)
            return Step.of(name, cls.key, estimator, at, column, suit=cls.suit)
        except (XifenError, TypeError) as failure:
            if str(failure).startswith(f"{at.source}, "):  # it says its own line
                raise
            at.refuse(failure)

    @classmethod
    def make(cls, given: dict[str, Any]) -> Any:
        raise NotImplementedError

    @staticmethod
    def suit(estimator: Any, frame: pd.DataFrame) -> None:
        """Change what the estimator asks for where these customers have no room for it."""

    @classmethod
    def default_name(cls, at: At) -> str:
        return " ".join(str(part + 1 if isinstance(part, int) else part) for part in at.path)

    @classmethod
    def _preset(cls, given: dict[str, Any], at: At, context: Context) -> Any:
        name = given.pop("preset")
        options = {
            **(given.pop("parameters", None) or {}),
            **{key: given.pop(key) for key in ("output",) if key in given},
        }
        columns = given.pop("columns", None)
        for key in given:
            (at / key).refuse(f"'{key}' is of no use beside a preset, which says it itself")
        listed = _listed()
        known = [known for known in listed.index if listed.loc[known, "operation"] in cls.operations]
        Text(known).check(name, at / "preset")
        if listed.loc[name, "operation"] == "bins":
            options.pop("output", None)  # bands stand beside their measure, under the name of the step's output
        if "monetary" in listed.loc[name, "inputs"]:  # other money (incomes, fees) is not that of the order log
            said = {field: value for field, value in context.amounts.items() if field in presets.amounts_of(name)}
            options = {**said, **options}
        return presets.load_preset(name, lang=context.lang, columns=columns, **options)


class Scores(_Computed):
    key, says = (
        "scores",
        "Scores of measures: a preset, the parameters of RFMScorer, or with `measure` those of Binner.",
    )
    operations = ("scores", "bins")
    one_of = ()
    fields: ClassVar = {
        **_PRESET,
        "measure": Field(Text(), "A measure to cut into bands by itself."),
        **{name: Field(Text(), f"The measure of {name}.") for name in ("recency", "frequency", "monetary")},
        "n_bins": Field(Number(2, whole=True), "How many scores or bands."),
        "strategy": Field(Text(("quantile", "uniform", "kmeans", "mean", "median")), "How cuts are found."),
        "edges": Field(Plain(), 'Cuts by column, numbers or text with operator: { monetary = ["< 1000", "< 5000"] }.'),
        "scores": Field(Plain(), "The scores of the bins, worst to best, by column."),
        "labels": Field(ListOf(Text()), "Of a measure: the names of its bands, worst to best."),
        "descending": Field(Truth(), "Of a measure: whether less is better."),
        "weights": Field(ListOf(Number(0)), "Weights of recency, frequency and monetary."),
        "output": Field(Either([Text(), MapOf(Text())]), "Name of the bands, or other names for the added columns."),
    }  # fmt: skip

    @classmethod
    def make(cls, given: dict[str, Any]) -> Any:
        if "measure" not in given:
            return RFMScorer(**_taken(RFMScorer, given))
        column = given.pop("measure")
        given.pop("output", None)
        by_column: dict[str, Any] = {
            key: {column: given.pop(key)} for key in ("edges", "labels", "scores") if key in given
        }
        descending = [column] if given.pop("descending", False) else []
        return Binner(**_taken(Binner, {**given, **by_column, "columns": [column], "descending": descending}))


class Tags(_Computed):
    key, says = "tags", "Tags, of which a customer can have several: a preset, or rules."
    operations = ("tags",)
    fields: ClassVar = {
        **_PRESET,
        **_RULES,
        "families": Field(MapOf(Plain()), 'Tags that belong together: name = { tags = [...], exclusive = true, default = "..." }.'),
        "output": Field(MapOf(Text()), "Other names of added columns, by tag or family."),
    }  # fmt: skip

    @classmethod
    def make(cls, given: dict[str, Any]) -> Any:
        return RuleTagger(**_taken(RuleTagger, _with_domains(given)))


class Segments(_Computed):
    key, says = (
        "segments",
        "Labels, of which a customer has one: a preset, or rules of which the first that is true decides.",
    )
    operations = ("rules", "codes", "grades")
    fields: ClassVar = {
        **_PRESET,
        **_RULES,
        "default": Field(Text(), "The label of customers no rule takes."),
        "unknown": Field(Text(("stop", "skip")), "What a rule does that is unknown.", default="stop"),
        "output": Field(Text(), "Name of the added column."),
    }

    @classmethod
    def make(cls, given: dict[str, Any]) -> Any:
        return RuleSegmenter(**_taken(RuleSegmenter, _with_domains(given)))


class Scorecards(_Computed):
    key, says = "scorecards", "Points for indicators, added up: a preset, or indicators as Scorecard takes them."
    operations = ("scorecard", "grades")
    fields: ClassVar = {
        **_PRESET,
        "indicators": Field(MapOf(Plain(), 1), "Name = what it reads and gives, as for Scorecard."),
        "weights": Field(MapOf(Number(0)), "How much each indicator counts; the sum is 1."),
        "reason": Field(Text(("zh", "en")), "Add a column that says what cost a customer points."),
        "optional": _RULES["optional"],
        "output": Field(MapOf(Text()), "Other names for the added columns."),
    }

    @classmethod
    def make(cls, given: dict[str, Any]) -> Any:
        return Scorecard(**_taken(Scorecard, given))


class Matrices(_Computed):
    key, says = (
        "matrix",
        "Two measures cut into a few bins each, with a name per cell: a preset, or SegmentMatrix's parameters.",
    )
    operations, speaks = ("matrix",), True
    fields: ClassVar = {
        **_PRESET,
        "rows": Field(Text(), "The measure of the rows."),
        "columns": Field(Either([Text(), MapOf(Text())]), "The measure of the columns; beside a preset, the preset's input = your column."),
        "bins": Field(Plain(), "How many bins an axis has, or its cuts, by column."),
        "cells": Field(Either([Text(), MapOf(Plain())]), "What each cell is: code = name or table; or a preset whose cells to take."),
        "strategy": Field(Text(("quantile", "uniform", "kmeans", "mean", "median")), "How cuts are found."),
        "output": Field(MapOf(Text()), "Other names for the added columns."),
    }  # fmt: skip

    @classmethod
    def make(cls, given: dict[str, Any]) -> Any:
        return SegmentMatrix(**_taken(SegmentMatrix, given))


class Clusters(_Computed):
    key, says, many = "clusters", "Groups of customers that are alike (see ClusterSegmenter).", False
    operations, speaks = (), True
    fields: ClassVar = {
        "name": Field(Text(), "Name of the step.", default="clusters"),
        "columns": Field(ListOf(Text(), 1), "The measures that count.", required=True),
        "n_clusters": Field(Number(1, whole=True), "How many; without it, chosen from 2 to max_clusters."),
        "max_clusters": Field(Number(2, whole=True), "The most that are chosen.", default=6),
        "method": Field(Text(), "How rows are grouped.", default="kmeans"),
        "output": Field(Text(), "Name of the added column.", default="cluster"),
    }

    @classmethod
    def make(cls, given: dict[str, Any]) -> Any:
        return ClusterSegmenter(**_taken(ClusterSegmenter, given))

    @staticmethod
    def suit(estimator: Any, frame: pd.DataFrame) -> None:
        """Few customers are no error of the plan: they are as many groups at most."""
        known = int(frame.notna().all(axis=1).sum())
        wanted = estimator.n_clusters or estimator.max_clusters
        if 0 < known < wanted:
            count = min(estimator.n_clusters or 2, known)
            warn(f"{known} customers are too few for {wanted} clusters: {count} were asked for")
            estimator.set_params(n_clusters=count)


class Playbook(Block):
    key, says = (
        "playbook",
        "What to do for each type of customer: a preset, entries of your own, or both, of which yours count.",
    )
    fields: ClassVar = {
        "preset": Field(Text(tuple(name for name in preset_names() if name.startswith("playbook."))), "A playbook preset."),
        "type": Field(Text(such_as=c.CUSTOMER_TYPE), "The column that carries the strategy.", required=True),
        "entries": Field(
            MapOf(
                Table(
                    {
                        "direction": Field(Text(), "Where it is to go, in a few words.", required=True),
                        "actions": Field(ListOf(Text(), 1), "What to do.", required=True),
                        "service_level": Field(Text(), "How fast and how much."),
                        "investment": Field(Text(), "How much to invest."),
                        "channel": Field(Text(), "Phone, visit, online."),
                        "contact_interval": Field(Number(1, whole=True), "Days between contacts."),
                    }
                )
            ),
            "Type (label, or key of the preset) = what to do.",
        ),
    }  # fmt: skip


class Owners(Block):
    key, says, many = (
        "owners",
        "Who looks after whom: the first line that fits and has room; the most valuable are placed first.",
        True,
    )
    fields: ClassVar = {
        "type": Field(Either([Text(), ListOf(Text(), 1)]), "The types it takes, as key or label; all, where it is left out."),
        "industry": Field(Either([Text(), ListOf(Text(), 1)]), "The industries it takes (column industry); all, where it is left out."),
        "role": Field(Text(), "Who: key-account manager, industry expert, senior ...", required=True),
        "capacity": Field(Number(0, whole=True), "How many customers it has room for; without it, any number."),
    }  # fmt: skip


class Contact(Block):
    key, says = "contact", "When and how customers are contacted next; what is not said here, the playbook says."
    fields: ClassVar = {
        "last": Field(Text(such_as="last_contact"), "The column with the date of the last contact; otherwise the last message counts."),
        "days": Field(MapOf(Number(1, whole=True)), "Days between contacts, by type."),
        "channel": Field(MapOf(Text()), "How, by type."),
    }  # fmt: skip


class Goals(Block):
    key, says, many = (
        "goals",
        "What is to be reached: so many customers for whom a rule is true, or so much of a column over them.",
        True,
    )
    fields: ClassVar = {
        "name": Field(Text(), "What it is called.", required=True),
        "rule": Field(Text(such_as="monetary_12M > 500000"), "An SQL condition.", required=True),
        "window": Field(SPAN, "The span in which it is to be reached, back from as_of.", required=True),
        "target": Field(Number(0), "How many customers, or how much of `sum`.", required=True),
        "count": Field(Text(("new", "standing")), "new: those for whom the rule was not yet true before the window; standing: all for whom it is.", default="new"),
        "sum": Field(Text(), "A column to add up over these customers, instead of counting them."),
    }  # fmt: skip


class Privacy(Block):
    key, says = "privacy", "What is read, kept and shown of persons."
    fields: ClassVar = {
        "contact": Field(Truth(), "Keep contact columns (phones, addresses ...).", default=False),
        "opt_out": Field(Text(), "The column that says who wants no marketing.", default=c.OPT_OUT),
        "small_cells": Field(Number(1, whole=True), "Counts below this are not shown in what is shared.", default=5),
        "purpose": Field(MapOf(Text()), "Column = what it is used for; sensitive ones are refused without."),
        "pseudonymise": Field(Text(such_as="XIFEN_KEY"), "The environment variable with the key by which ids become pseudonyms, from the first table on."),
    }  # fmt: skip


class Output(Block):
    key, says = "output", "The files a run writes, relative to the plan's own folder."
    fields: ClassVar = {
        "report": Field(Text(such_as="report.html"), "The HTML report."),
        "excel": Field(Text(such_as="customers.xlsx"), "The customer management table."),
        "model": Field(Text(such_as="model.json"), "The fitted plan."),
        "table": Field(Text(such_as="customers.parquet"), "All columns of all customers."),
        "columns": Field(MapOf(Text()), "Of the management table: its name = your column."),
    }


#: Every block by its key, in the order in which they are written.
BLOCKS: Final[dict[str, type[Block]]] = {
    block.key: block
    for block in (
        Sources, Tables, Scores, Tags, Segments, Scorecards, Matrices, Clusters, Playbook, Owners, Contact, Goals, Privacy, Output,
    )
}  # fmt: skip

#: What a plan says before its blocks.
HEAD: Final = {
    "xifen": Field(Exactly(FORMAT), "The version of this format.", required=True),
    "name": Field(Text(), "What the plan is called.", default="plan"),
    "lang": Field(Text(("zh", "en")), "The language of labels and reports.", default="en"),
    "as_of": Field(Date(("max",)), "The last day that counts, or max: the day of the last purchase.", default="max"),
    "review": Field(
        Table(
            {
                "every": Field(Text(("quarter", "half_year")), "How often the plan is looked at again.", required=True),
                "next": Field(Date(), "The day of the next review; by default that long behind as_of."),
            }
        ),
        "When the segments are looked at again.",
    ),
}


@cache
def _listed() -> pd.DataFrame:
    """List the presets by name; their files do not change while Python runs."""
    return presets.list_presets().set_index("name")


def _taken(maker: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the parameters; one the estimator has none of is named."""
    known = list(inspect.signature(maker).parameters)
    for key in given:
        if key not in known:
            raise TypeError(f"'{key}' is of no use here; {maker.__name__} takes {', '.join(known)}")
    return dict(given)


def _with_domains(given: dict[str, Any]) -> dict[str, Any]:
    """Make the pairs of numbers among domains what the rules take for one: tuples."""
    pair = 2
    domains = {
        name: tuple(domain) if len(domain) == pair and not isinstance(domain[0], str) else domain
        for name, domain in (given.get("domains") or {}).items()
    }
    return {**given, **({"domains": domains} if domains else {})}
