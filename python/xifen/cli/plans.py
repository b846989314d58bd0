"""``xifen run``, ``apply``, ``validate`` and ``explain``: plans, and the models they make."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import pyarrow as pa
import typer

from xifen import _columns as c
from xifen import _report as words
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


_REPORT = Annotated[Path | None, typer.Option(help="Where to write the report (.html).")]
_EXCEL = Annotated[Path | None, typer.Option(help="Where to write the management table (.xlsx).")]
_TABLE = Annotated[Path | None, typer.Option(help="Where to write all columns: .csv, .parquet or .xlsx.")]
_MODEL = Annotated[Path | None, typer.Option(help="Where to write the fitted plan (.json).")]
_WITH_CUSTOMERS = Annotated[
    bool, typer.Option("--with-customers", help="Keep the customers in the model, so that explain needs no data.")
]
_REAL_IDS = Annotated[
    bool, typer.Option("--real-ids", help="Show customers in the report by their own ids, not by running numbers.")
]


@command
def run(
    telling: Telling,
    plan: _PLAN,
    orders: _ORDERS = None,
    customers: _CUSTOMERS = None,
    messages: _MESSAGES = None,
    report: _REPORT = None,
    excel: _EXCEL = None,
    table: _TABLE = None,
    model: _MODEL = None,
    with_customers: _WITH_CUSTOMERS = False,
    real_ids: _REAL_IDS = False,
) -> None:
    """Run a plan: read its tables, segment the customers, write what its [output] names."""
    opened = _opened(plan, {"orders": orders, "customers": customers, "messages": messages})
    given = {"report": report, "excel": excel, "table": table, "model": model}
    outputs = _outputs(opened) | {key: out for key, out in given.items() if out is not None}
    replaced = _check_outputs(outputs, opened, {"plan": Path(plan)})
    _write(telling, opened.fit(), outputs, replaced, with_customers=with_customers, real_ids=real_ids)


@command
def apply(
    telling: Telling,
    saved: Annotated[Path, typer.Argument(metavar="MODEL", help="A model that run wrote (--model).")],
    orders: _ORDERS = None,
    customers: _CUSTOMERS = None,
    messages: _MESSAGES = None,
    as_of: Annotated[
        str | None, typer.Option(help="The last day that counts, 2026-09-30; max is that of the last order.")
    ] = None,
    report: _REPORT = None,
    excel: _EXCEL = None,
    table: _TABLE = None,
    model: _MODEL = None,
    with_customers: _WITH_CUSTOMERS = False,
    real_ids: _REAL_IDS = False,
) -> None:
    """Segment other files with a saved model: the edges, cuts and rules it learned, nothing is fitted."""
    loaded = Segmentation.load(saved)
    files = {"orders": orders, "customers": customers, "messages": messages}
    plan = _with_files(loaded.plan, files, source=f"the plan in {saved.name}")
    given = {"report": report, "excel": excel, "table": table, "model": model}
    outputs = {key: out for key, out in given.items() if out is not None}
    replaced = _check_outputs(outputs, plan, {"model": saved})
    result = Segmentation(plan, loaded.model, None).transform(as_of=as_of)
    _write(telling, result, outputs, replaced, with_customers=with_customers, real_ids=real_ids)


@command
def validate(
    telling: Telling,
    plan: _PLAN,
    orders: _ORDERS = None,
    customers: _CUSTOMERS = None,
    messages: _MESSAGES = None,
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="Check the plan alone, not the files it reads and writes.")
    ] = False,
) -> None:
    """Check that a plan can run, without any work: every key, preset and rule, its files' columns, and what it writes."""
    opened, errors = None, []
    try:
        opened = _opened(plan, {"orders": orders, "customers": customers, "messages": messages})
        if not plan_only:
            errors += hindrances(opened)
            _check_outputs(_outputs(opened), opened, {"plan": Path(plan)})
    except XifenError as failure:
        errors.append(str(failure))
    telling.data |= {"plan": plan if opened is None else opened.name, "valid": not errors, "errors": errors}
    if opened is not None:
        steps = [{"name": step.name, "reads": list(step.reads), "adds": list(step.adds)} for step in opened.steps]
        telling.data["steps"] = steps
        if not errors:
            telling.say(words.steps_text(plan, steps, Language(opened.lang)))
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


def _opened(plan: str, files: Mapping[str, Path | None]) -> Plan:
    """Open a plan by path or name, with other files where these are given."""
    path = Path(plan)
    is_name = plan in Plan.presets() and not path.is_file()
    return _with_files(Plan.preset(plan) if is_name else Plan.load(path), files, source=plan)


def _with_files(plan: Plan, files: Mapping[str, Path | None], *, source: str) -> Plan:
    """Give a plan that reads these files, where they are given, instead of its own."""
    given = {name: file for name, file in files.items() if file is not None}
    if not given:
        return plan
    for name, file in given.items():
        if not file.is_file():
            raise InputError(f"--{name} {file}: there is no such file")
    sources: dict[str, Any] = dict(plan.values.get("sources", {}))
    sources |= {name: {**sources.get(name, {}), "path": seen_from(plan.folder, file)} for name, file in given.items()}
    return Plan({**plan.values, "sources": sources}, source=source, folder=plan.folder)


def _outputs(plan: Plan) -> dict[str, Path]:
    """Give the files that the plan itself names."""
    named = plan.values.get("output", {})
    return {key: plan.folder / named[key] for key in _OUTPUTS if key in named}


def _check_outputs(outputs: Mapping[str, Path], plan: Plan, read: Mapping[str, Path]) -> dict[str, bool]:
    """Refuse, before any work, names that cannot be written or that are read; tell which earlier files are replaced."""
    sources = plan.values.get("sources", {})
    files = {f"file of {name}": plan.folder / said["path"] for name, said in sources.items() if "path" in said}
    return {key: check_out(out, _OUTPUTS[key], {**files, **read}) for key, out in outputs.items()}


def _write(
    telling: Telling,
    result: Segmentation,
    outputs: Mapping[str, Path],
    replaced: Mapping[str, bool],
    *,
    with_customers: bool,
    real_ids: bool,
) -> None:
    """Write what is wanted of a result, and say in its language what came of it."""
    lang = Language(result.lang)
    write: dict[str, Callable[[Path], Any]] = {
        "report": lambda out: result.report(out, real_ids=real_ids),
        "excel": result.to_excel,
        "table": lambda out: write_customers(pa.Table.from_pandas(result.frame, preserve_index=False), out, lang),
        "model": lambda out: result.save(out, customers=with_customers),
    }
    for key, out in outputs.items():
        write[key](out)
    profile = result.profile(shared=True) if result.segment else None
    telling.say(words.sentence("result", lang, name=result.plan.name, count=len(result.frame), as_of=result.as_of))
    if profile is not None:
        telling.say(words.profile_text(profile, str(result.segment), lang))
    for key, out in outputs.items():
        telling.say(
            words.sentence("file_replaced" if replaced[key] else "file", lang, what=words.OUTPUTS[lang][key], out=out)
        )
    if not outputs:
        telling.note(words.sentence("nothing_written", lang))
    telling.data |= {
        "plan": result.plan.name, "as_of": result.as_of, "counts": result.counts, "left_out": result.left_out(),
        "profile": profile, "written": {key: str(out) for key, out in outputs.items()},
    }  # fmt: skip
