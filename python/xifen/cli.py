"""The command line: ``xifen demo`` and ``xifen segment``."""

from __future__ import annotations

import inspect
import io
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pyarrow as pa
import typer

import xifen as xf
from xifen import _columns as names
from xifen import _report as report
from xifen._log_file import LogFile, check_out, with_whole_numbers, write
from xifen._report import Language
from xifen.errors import InputError, XifenError

app = typer.Typer(
    help="Customer segmentation: from an order log to scored, named, explained customers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        _say(f"xifen {metadata.version('xifen')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command()
def demo(
    lang: Annotated[Language, typer.Option(help="Language of headings and labels.")] = Language.EN,
    out: Annotated[Path, typer.Option(help="Where to write the customers (.csv or .parquet).")] = Path("segments.csv"),
) -> None:
    """Segment a real order log: CDNOW, 69,659 orders of 23,570 customers, 1997 to 1998."""
    replaced = check_out(out)
    orders = xf.datasets.load_cdnow(kind="pyarrow")
    _tell(orders, source="CDNOW", arguments={"as_of": "1998-06-30"}, lang=lang, out=out, replaced=replaced)


@app.command()
def segment(
    orders: Annotated[Path, typer.Argument(help="The order log: a .csv, .tsv, .txt or .parquet file.")],
    customer: Annotated[str, typer.Option(help="The column that names the customer.")] = names.CUSTOMER_ID,
    timestamp: Annotated[str, typer.Option(help="The column with the date or time of the order.")] = names.TIMESTAMP,
    amount: Annotated[str, typer.Option(help="The column with the amount; below zero is a return.")] = names.AMOUNT,
    order_id: Annotated[
        str | None, typer.Option(help="The column that names the order, if one has several rows.")
    ] = None,
    as_of: Annotated[
        str, typer.Option(help="The day to look back from, 2026-06-30; max is the last purchase.")
    ] = "max",
    out: Annotated[Path, typer.Option(help="Where to write the customers (.csv or .parquet).")] = Path("segments.csv"),
    lang: Annotated[Language, typer.Option(help="Language of headings and labels.")] = Language.EN,
    date_format: Annotated[str | None, typer.Option(help="strftime format of the dates, %d/%m/%Y for example.")] = None,
    tz: Annotated[
        str | None, typer.Option(help="Time zone whose calendar days count, Asia/Shanghai for example.")
    ] = None,
    returns: Annotated[str, typer.Option(help="net, exclude or error.")] = "net",
    duplicates: Annotated[str, typer.Option(help="keep or drop rows that stand twice.")] = "keep",
    invalid: Annotated[str, typer.Option(help="raise on unusable rows, or drop and count them.")] = "raise",
    encoding: Annotated[str, typer.Option(help="Encoding of a text file, gb18030 for example.")] = "utf-8",
    delimiter: Annotated[
        str | None, typer.Option(help="What stands between values: ';', '|', tab. By default a comma; a tab in a .tsv.")
    ] = None,
) -> None:
    """Segment the customers of your own order log."""
    replaced = check_out(out, orders)
    log = LogFile(orders, encoding=encoding, delimiter=delimiter)
    arguments = {
        "as_of": as_of,
        "customer_id": customer,
        "timestamp": timestamp,
        "amount": amount,
        "order_id": order_id,
        "tz": tz,
        "date_format": date_format,
        "returns": returns,
        "duplicates": duplicates,
        "invalid": invalid,
    }
    with _naming_lines(log):
        table = log.read(ids=[customer, *([order_id] if order_id else [])], timestamp=timestamp, amount=amount)
        if not len(table):
            raise InputError(f"{orders} has no rows, only the names of its columns")
        _tell(table, source=orders.name, arguments=arguments, lang=lang, out=out, replaced=replaced)


def main() -> None:
    """Run the command line; an error of the data or the call is one sentence and exit code 2, a warning one too."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a pipe's encoding may lack a character; better ? than no result
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: typer.echo(f"xifen: {_with_options(str(message))}", err=True)
            app()
    except (XifenError, OSError) as failure:
        sys.stderr.write(f"xifen: {_with_options(str(failure))}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("xifen: interrupted\n")
        sys.exit(130)


def _with_options(message: str) -> str:
    """Name the option instead of the library's keyword: ``date_format='%d'`` becomes ``--date-format '%d'``."""
    options = {name: f"--{name.replace('_', '-')}" for name in inspect.signature(segment).parameters}
    options[names.CUSTOMER_ID] = "--customer"

    def option(found: re.Match[str]) -> str:
        name, sign = found.groups()
        if not sign and "_" not in name:  # an ordinary word of the sentence
            return name
        return options[name] + (" " if sign.startswith("=") else sign)

    message = message.replace("repair them, see order_ledger, or", "repair them, or")
    # What stands in quotes is the caller's own: a column, a value.
    return re.sub(rf"(?<![\w'/.-])({'|'.join(options)})(= ?| is\b|\b)", option, message)


@contextmanager
def _naming_lines(log: LogFile) -> Iterator[None]:
    """Let errors and warnings about a row say on which line of the file it is."""
    show = warnings.showwarning
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *more, **named: show(log.with_lines(str(message)), *more, **named)
            yield
    except XifenError as failure:
        raise type(failure)(log.with_lines(str(failure))) from None


def _say(text: str) -> None:
    """Print; who closes the pipe (``| head -3``) has read enough."""
    try:
        typer.echo(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(
    orders: pa.Table, *, source: str, arguments: dict[str, Any], lang: Language, out: Path, replaced: bool
) -> None:
    """Walk from the log to named customers, write them, and print what decided each step."""
    id_name = arguments.get("customer_id", names.CUSTOMER_ID)
    ledger = _ledger(orders, arguments)
    try:
        rfm = _customers(orders, ledger, arguments)
    except InputError:
        if list(ledger[names.REASON]) != ["used"]:
            _say(report.heading("ledger", lang) + "\n" + report.ledger_text(ledger, lang))
        raise
    scorer = xf.RFMScorer(n_bins=5).fit(rfm)
    scored = scorer.transform(rfm)
    segmenter = xf.load_preset("rfm.named", lang=lang.value).fit(scored)
    named = segmenter.transform(scored)
    customers = with_whole_numbers(named)
    # The biggest customer whom the first rule does not take: there is more to explain.
    others = customers[customers[names.SEGMENT].notna() & (customers[names.SEGMENT] != segmenter.table()["label"][0])]
    example = customers.loc[(others if len(others) else customers)[names.MONETARY].astype(float).idxmax(), id_name]
    as_of = arguments["as_of"] if arguments["as_of"] != "max" else f"{customers[names.LAST_PURCHASE].max():%Y-%m-%d}"
    reasons = segmenter.explain(named.drop_columns([names.SEGMENT]), ids=[example], id_column=id_name, lang=lang.value)
    words = {
        "source": source,
        "rows": report.counted(len(orders), "row", lang),
        "customers": report.counted(len(customers), "customer", lang),
        "shown": min(3, len(customers)),
        "id": example,
        "out": out,
        "as_of": as_of,
    }
    parts = {
        "source": "",
        "ledger": report.ledger_text(ledger, lang),
        "table": report.customers_text(with_whole_numbers(rfm.slice(0, 3)), lang),
        "edges": report.edges_text(scorer.edges_table(), lang),
        "coverage": str(segmenter.coverage(scored)),
        "segments": report.segments_text(customers, lang),
        "customer": str(reasons),
        "replaced" if replaced else "written": "",
    }
    write(named, out)  # before anything is printed: the reader of a pipe may leave early
    _say("\n".join(f"{report.heading(key, lang, **words)}\n{text}".rstrip("\n") for key, text in parts.items()))


def _ledger(orders: pa.Table, arguments: dict[str, Any]) -> pd.DataFrame:
    """Count the rows by what becomes of them, also where no purchase gives --as-of max a date."""
    try:
        found = xf.order_ledger(orders, **arguments)
    except InputError:
        if arguments["as_of"] != "max":
            raise
        found = xf.order_ledger(orders, **{**arguments, "as_of": "2261-12-31"})  # the last year a row can have
    return xf.ledger_summary(found).to_pandas()


def _customers(orders: pa.Table, ledger: pd.DataFrame, arguments: dict[str, Any]) -> pa.Table:
    """Give one row per customer, or say why there is nothing to score."""
    rows = dict(zip(ledger[names.REASON], ledger[names.ROWS], strict=True))
    if arguments.get("invalid") == "drop" and not rows.keys() & {"used", "after_as_of"}:
        raise InputError(f"no row can be used: {', '.join(f'{count:,} {reason}' for reason, count in rows.items())}")
    rfm = xf.rfm_table(orders, **arguments)
    if sum(rfm[names.ORDER_COUNT].to_pylist()):
        return rfm
    if "after_as_of" in rows:
        with warnings.catch_warnings(action="ignore"):
            spans = xf.rfm_table(orders, **{**arguments, "as_of": "2261-12-31", "invalid": "drop"}).to_pandas()
        first, last = spans[names.FIRST_PURCHASE].min(), spans[names.LAST_PURCHASE].max()
        if pd.notna(first):
            raise InputError(
                f"no purchase on or before --as-of {arguments['as_of']}; "
                f"the log runs from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
            )
    raise InputError("no row of the log is a purchase (an amount of zero or more): there is nothing to score")
