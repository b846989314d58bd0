"""``xifen run``, ``xifen validate`` and ``xifen explain``: plans, and the models they make."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any, Final

import pyarrow as pa
import typer

from xifen import _columns as c
from xifen._report import Language
from xifen.cli._command import Telling, command
from xifen.cli._files import TABLES, check_out, write_customers
from xifen.errors import InputError, XifenError
from xifen.plan import Plan, Segmentation
from xifen.plan._model_file import seen_from
from xifen.plan._ready import hindrances

#: The files a run writes, by their key in [output], and the endings they may have.
_OUTPUTS: Final = {"report": (".html",), "excel": (".xlsx",), "table": TABLES, "model": (".json",)}

_PLAN = Annotated[
    str, typer.Argument(help="A plan (.toml, .json), or the name of one that comes with xifen: sales.zh.")
]


_ORDERS = Annotated[Path | None, typer.Option(help="The orders, instead of those the plan names.")]
_CUSTOMERS = Annotated[Path | None, typer.Option(help="The customers, instead of those the plan names.")]
_MESSAGES = Annotated[Path | None, typer.Option(help="The messages, instead of those the plan names.")]


@command
def run(
    telling: Telling,
    plan: _PLAN,
    orders: _ORDERS = None,
    customers: _CUSTOMERS = None,
    messages: _MESSAGES = None,
    report: Annotated[Path | None, typer.Option(help="Where to write the report (.html).")] = None,
    excel: Annotated[Path | None, typer.Option(help="Where to write the management table (.xlsx).")] = None,
    table: Annotated[Path | None, typer.Option(help="Where to write all columns: .csv, .parquet or .xlsx.")] = None,
    model: Annotated[Path | None, typer.Option(help="Where to write the fitted plan (.json).")] = None,
    with_customers: Annotated[
        bool, typer.Option("--with-customers", help="Keep the customers in the model, so that explain needs no data.")
    ] = False,
    real_ids: Annotated[
        bool, typer.Option("--real-ids", help="Show customers in the report by their own ids, not by running numbers.")
    ] = False,
) -> None:
    """Run a plan: read its tables, segment the customers, write what its [output] names."""
    opened = _opened(plan, {"orders": orders, "customers": customers, "messages": messages})
    given = {"report": report, "excel": excel, "table": table, "model": model}
    named = opened.values.get("output", {})
    outputs = {
        key: given[key] or opened.folder / named[key] for key in _OUTPUTS if given[key] is not None or key in named
    }
    sources = opened.values.get("sources", {})
    read = {f"file of {name}": opened.folder / said["path"] for name, said in sources.items() if "path" in said}
    read["plan"] = Path(plan)
    replaced = {key: check_out(out, _OUTPUTS[key], read) for key, out in outputs.items()}
    result = opened.fit()
    write = {
        "report": lambda out: result.report(out, real_ids=real_ids),
        "excel": result.to_excel,
        "table": lambda out: write_customers(
            pa.Table.from_pandas(result.frame, preserve_index=False), out, Language(result.lang)
        ),
        "model": lambda out: result.save(out, customers=with_customers),
    }
    for key, out in outputs.items():
        write[key](out)
    profile = result.profile(shared=True) if result.segment else None
    telling.say(_profile(result, profile))
    for key, out in outputs.items():
        telling.say(f"{key:<8}{out}{', an earlier file replaced' if replaced[key] else ''}")
    if not outputs:
        telling.note("nothing was written: the plan has no [output]; name files by --report, --excel, --table, --model")
    telling.data |= {
        "plan": opened.name, "as_of": result.as_of, "counts": result.counts, "left_out": result.left_out(),
        "profile": profile, "written": {key: str(out) for key, out in outputs.items()},
    }  # fmt: skip


@command
def validate(
    telling: Telling,
    plan: _PLAN,
    orders: _ORDERS = None,
    customers: _CUSTOMERS = None,
    messages: _MESSAGES = None,
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="Check the plan alone, not whether its files are there.")
    ] = False,
) -> None:
    """Check that a plan can run, without any work: every key, preset and rule, and that its files have the columns."""
    try:
        opened = _opened(plan, {"orders": orders, "customers": customers, "messages": messages})
        errors = [] if plan_only else hindrances(opened)
    except XifenError as failure:
        opened, errors = None, [str(failure)]
    telling.data |= {"plan": plan if opened is None else opened.name, "valid": not errors, "errors": errors}
    if opened is not None:
        steps = [{"name": step.name, "reads": list(step.reads), "adds": list(step.adds)} for step in opened.steps]
        telling.data["steps"] = steps
        if not errors:
            telling.say(f"{plan} is a plan that can run: {len(steps)} steps")
            telling.say("\n".join(f"  {step['name']:<28}adds {', '.join(step['adds'])}" for step in steps))
    for sentence in errors:
        telling.refuse(sentence)


@command
def explain(
    telling: Telling,
    model: Annotated[Path, typer.Argument(help="A model that run wrote (--model).")],
    customer: Annotated[str, typer.Argument(metavar="ID", help="The id of a customer.")],
) -> None:
    """Show the one-page card of a customer: facts, history, tags, why, actions."""
    result = Segmentation.load(model)
    try:
        ids = result.frame[c.CUSTOMER_ID]
    except InputError:  # it was saved without its customers: from the files the plan names
        result = result.transform()
        ids = result.frame[c.CUSTOMER_ID]
    whole = ids.dtype.kind in "iu" and customer.lstrip("-").isdecimal()
    card = result.explain(int(customer) if whole else customer)
    telling.say(str(card))
    telling.data |= dataclasses.asdict(card)


def _opened(plan: str, files: dict[str, Path | None]) -> Plan:
    """Open a plan by path or name, with other files where these are given."""
    path = Path(plan)
    is_name = plan in Plan.presets() and not path.is_file()
    opened = Plan.preset(plan) if is_name else Plan.load(path)
    given = {name: file for name, file in files.items() if file is not None}
    if not given:
        return opened
    for name, file in given.items():
        if not file.is_file():
            raise InputError(f"--{name} {file}: there is no such file")
    sources: dict[str, Any] = dict(opened.values.get("sources", {}))
    sources |= {name: {**sources.get(name, {}), "path": seen_from(opened.folder, file)} for name, file in given.items()}
    return Plan({**opened.values, "sources": sources}, source=plan, folder=opened.folder)


def _profile(result: Segmentation, profile: Any) -> str:
    """Say how many customers there are, and of which type."""
    lines = [f"{result.plan.name}: {len(result.frame):,} customers as of {result.as_of}"]
    if profile is not None:
        shown = profile[[name for name in profile if name in (result.segment, "customers", "share", "revenue_share")]]
        formats = {name: "{:.1%}".format for name in ("share", "revenue_share") if name in shown}
        lines.append(shown.to_string(index=False, formatters=formats, na_rep=""))
    return "\n".join(lines)
