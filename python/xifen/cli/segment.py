"""``xifen demo`` and ``xifen segment``: from an order log to named customers, with what decided each step."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pyarrow as pa
import typer

import xifen as xf
from xifen import _columns as names
from xifen import _report as report
from xifen._read import DataFile, pandas_frame
from xifen._report import Language
from xifen.cli._command import Telling, command
from xifen.cli._files import TABLES, check_out, write_customers
from xifen.errors import InputError


@command
def demo(
    telling: Telling,
    lang: Annotated[Language, typer.Option(help="Language of headings and labels.")] = Language.EN,
    out: Annotated[Path, typer.Option(help="Where to write the customers: .csv, .parquet or .xlsx.")] = Path(
        "segments.csv"
    ),
) -> None:
    """Segment a real order log: CDNOW, 69,659 orders of 23,570 customers, 1997 to 1998."""
    replaced = check_out(out, TABLES)
    orders = xf.datasets.load_cdnow(kind="pyarrow")
    _tell(telling, orders, source="CDNOW", arguments={"as_of": "1998-06-30"}, lang=lang, out=out, replaced=replaced)


@command
def segment(
    telling: Telling,
    orders: Annotated[Path, typer.Argument(help="The order log: a .csv, .tsv, .txt, .parquet or .xlsx file.")],
    customer: Annotated[str, typer.Option(help="The column that names the customer.")] = names.CUSTOMER_ID,
    timestamp: Annotated[str, typer.Option(help="The column with the date or time of the order.")] = names.TIMESTAMP,
    amount: Annotated[str, typer.Option(help="The column with the amount; below zero is a return.")] = names.AMOUNT,
    order_id: Annotated[
        str | None, typer.Option(help="The column that names the order, if one has several rows.")
    ] = None,
    as_of: Annotated[
        str, typer.Option(help="The day to look back from, 2026-06-30; max is the last purchase.")
    ] = "max",
    out: Annotated[Path, typer.Option(help="Where to write the customers: .csv, .parquet or .xlsx.")] = Path(
        "segments.csv"
    ),
    lang: Annotated[Language, typer.Option(help="Language of headings and labels.")] = Language.EN,
    date_format: Annotated[
        str | None,
        typer.Option(help="strftime format of the dates, %d/%m/%Y for example, or excel for the days Excel counts."),
    ] = None,
    tz: Annotated[
        str | None, typer.Option(help="Time zone whose calendar days count, Asia/Shanghai for example.")
    ] = None,
    returns: Annotated[str, typer.Option(help="net, exclude or error.")] = "net",
    duplicates: Annotated[str, typer.Option(help="keep or drop rows that stand twice.")] = "keep",
    invalid: Annotated[
        str,
        typer.Option(help="raise on unusable rows (an amount that is no number among them), or drop and count them."),
    ] = "raise",
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of a text file, gb18030 for example; found by looking where not given.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="What stands between values: ';', '|', tab; found by looking where not given.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; the first where not given.")] = None,
    chinese: Annotated[
        bool, typer.Option("--chinese", help="Read 12万, ¥5,000.00, 金额(万元), - and 无; take off what platforms add.")
    ] = False,
) -> None:
    """Segment the customers of your own order log."""
    replaced = check_out(out, TABLES, {"order log": orders})
    naming = "Name yours by --customer, --timestamp, --amount and --order-id"
    if customer in (*names.SCORES, names.SEGMENT):
        raise InputError(f"the id column is called '{customer}', as one of the columns to be added is; rename it first")
    read_dates = date_format is not None and (chinese or date_format == "excel")  # the rest is read where it is used
    log = DataFile(orders, encoding, delimiter, sheet, chinese, date_format if read_dates else None, naming)
    arguments = {
        "as_of": as_of,
        "customer_id": customer,
        "timestamp": timestamp,
        "amount": amount,
        "order_id": order_id,
        "tz": tz,
        "date_format": None if read_dates else date_format,
        "returns": returns,
        "duplicates": duplicates,
        "invalid": invalid,
    }
    with log.naming_lines():
        ids = [customer, *([order_id] if order_id else [])]
        read = log.read([], ids=ids, times=[timestamp], amounts=[amount], text_ids=False, invalid=invalid)
        if not len(read.table):
            raise InputError(f"{orders} has no rows, only the names of its columns")
        telling.data["conversions"] = read.conversions
        _tell(telling, read.table, source=orders.name, arguments=arguments, lang=lang, out=out, replaced=replaced)
    telling.note(log.findings)


def _tell(
    telling: Telling,
    orders: pa.Table,
    *,
    source: str,
    arguments: dict[str, Any],
    lang: Language,
    out: Path,
    replaced: bool,
) -> None:
    """Walk from the log to named customers, write them, and print what decided each step."""
    id_name = arguments.get("customer_id", names.CUSTOMER_ID)
    ledger = xf.ledger_summary(xf.order_ledger(orders, **arguments)).to_pandas()
    try:
        rfm = _customers(orders, ledger, arguments)
    except InputError:
        if list(ledger[names.REASON]) != ["used"]:
            telling.say(report.heading("ledger", lang) + "\n" + report.ledger_text(ledger, lang))
        raise
    scorer = xf.RFMScorer(n_bins=5).fit(rfm)
    scored = scorer.transform(rfm)
    segmenter = xf.load_preset("rfm.named", lang=lang.value).fit(scored)
    named = segmenter.transform(scored)
    customers = pandas_frame(named)
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
        "table": report.customers_text(pandas_frame(rfm.slice(0, 3)), lang),
        "edges": report.edges_text(scorer.edges_table(), lang),
        "coverage": str(segmenter.coverage(scored)),
        "segments": report.segments_text(customers, lang),
        "customer": str(reasons),
        "replaced" if replaced else "written": "",
    }
    conversions = telling.data.get("conversions")
    if conversions is not None and len(conversions):
        parts = {"source": "", "conversions": report.conversions_text(conversions, lang), **parts}
    write_customers(named, out, lang)  # before anything is printed: the reader of a pipe may leave early
    telling.say("\n".join(f"{report.heading(key, lang, **words)}\n{text}".rstrip("\n") for key, text in parts.items()))
    telling.data |= {
        "out": out,
        "as_of": as_of,
        "rows": len(orders),
        "customers": len(customers),
        "ledger": ledger,
        "edges": scorer.edges_table(),
        "segments": customers[names.SEGMENT]
        .value_counts(sort=False)
        .rename_axis("segment")
        .reset_index(name="customers"),
        "without_segment": int(customers[names.SEGMENT].isna().sum()),
    }


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
