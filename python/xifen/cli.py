"""The command line: ``xifen demo`` and ``xifen segment``."""

from __future__ import annotations

import inspect
import io
import os
import re
import sys
import warnings
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import typer

import xifen as xf
from xifen import _columns as names
from xifen.errors import InputError, XifenError

app = typer.Typer(
    help="Customer segmentation: from an order log to scored, named, explained customers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Language(StrEnum):
    """The language of headings and labels."""

    EN = "en"
    ZH = "zh"


HEADINGS = {
    Language.EN: {
        "source": "{rows:,} orders of {source}, as of {as_of}",
        "ledger": "Every row accounted for",
        "table": "One row per customer ({customers:,} customers; the first five)",
        "edges": "Where the scores change (5 is best)",
        "coverage": "Do the rules cover every possible score?",
        "segments": "Segments",
        "customer": "Why is customer {id} here?",
        "written": "{customers:,} customers written to {out}",
    },
    Language.ZH: {
        "source": "{source}：{rows:,} 条订单，截至 {as_of}",
        "ledger": "每一行的去向",
        "table": "每位客户一行（共 {customers:,} 位客户，前五行）",
        "edges": "分数的分界（5 分最好）",
        "coverage": "规则是否覆盖所有可能的分数？",
        "segments": "客户细分",
        "customer": "客户 {id} 为什么在这里？",
        "written": "{customers:,} 位客户已写入 {out}",
    },
}


@app.command()
def demo(
    lang: Annotated[Language, typer.Option(help="Language of headings and labels.")] = Language.EN,
    out: Annotated[Path, typer.Option(help="Where to write the customers (.csv or .parquet).")] = Path("segments.csv"),
) -> None:
    """Segment a real order log: CDNOW, 69,659 orders of 23,570 customers, 1997 to 1998."""
    orders = xf.datasets.load_cdnow(kind="pyarrow")
    _tell(orders, source="CDNOW", arguments={"as_of": "1998-06-30"}, lang=lang, out=out)


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
    delimiter: Annotated[str, typer.Option(help="What stands between the values of a text file.")] = ",",
) -> None:
    """Segment the customers of your own order log."""
    wanted = [customer, timestamp, amount] + ([order_id] if order_id else [])
    table = _read(orders, wanted, amount=amount, encoding=encoding, delimiter=delimiter)
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
    _tell(table, source=orders.name, arguments=arguments, lang=lang, out=out)


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

    # What stands in quotes is the caller's own: a column, a value.
    return re.sub(rf"(?<![\w'/.-])({'|'.join(options)})(= ?| is\b|\b)", option, message)


def _tell(orders: pa.Table, *, source: str, arguments: dict[str, Any], lang: Language, out: Path) -> None:
    """Walk from the log to named customers, printing what decides each step, and write the customers."""
    id_name = arguments.get("customer_id", names.CUSTOMER_ID)
    rfm = xf.rfm_table(orders, **arguments)
    ledger = xf.order_ledger(orders, **arguments)
    scorer = xf.RFMScorer(n_bins=5).fit(rfm)
    scored = scorer.transform(rfm)
    segmenter = xf.load_preset("rfm.named", lang=lang.value).fit(scored)
    named = segmenter.transform(scored)
    customers = named.to_pandas()
    # The biggest customer whom the first rule does not take: there is more to explain.
    others = customers[customers[names.SEGMENT] != segmenter.table()["label"][0]]
    example = customers.loc[(others if len(others) else customers)[names.MONETARY].astype(float).idxmax(), id_name]
    as_of = arguments["as_of"] if arguments["as_of"] != "max" else f"{customers[names.LAST_PURCHASE].max():%Y-%m-%d}"

    def heading(key: str) -> None:
        text = HEADINGS[lang][key].format(
            source=source, rows=len(orders), customers=len(customers), id=example, out=out, as_of=as_of
        )
        typer.echo(f"\n{text}\n{'-' * _width(text)}")

    heading("source")
    heading("ledger")
    _show(xf.ledger_summary(ledger).to_pandas())
    heading("table")
    _show(rfm.slice(0, 5).to_pandas())
    heading("edges")
    _show(scorer.edges_table().drop(columns="bin"))
    heading("coverage")
    typer.echo(str(segmenter.coverage(scored)))
    heading("segments")
    _show(_segment_table(customers))
    heading("customer")
    typer.echo(
        str(segmenter.explain(named.drop_columns([names.SEGMENT]), ids=[example], id_column=id_name, lang=lang.value))
    )
    _write(named, out)
    heading("written")


def _segment_table(customers: pd.DataFrame) -> pd.DataFrame:
    """Size, shares and medians of each segment, in the order the rules declare them."""
    customers = customers.assign(**{names.MONETARY: customers[names.MONETARY].astype(float)})
    groups = customers.groupby(names.SEGMENT, observed=False)
    total = customers[names.MONETARY].sum()
    return pd.DataFrame(
        {
            "customers": groups.size(),
            "share": (groups.size() / len(customers)).map("{:.1%}".format),
            "revenue_share": (groups[names.MONETARY].sum() / total).map("{:.1%}".format),
            "median_recency_days": groups[names.RECENCY_DAYS].median(),
            "median_order_count": groups[names.ORDER_COUNT].median(),
            "median_monetary": groups[names.MONETARY].median(),
        }
    ).reset_index()


def _show(table: Any) -> None:
    with pd.option_context("display.unicode.east_asian_width", True, "display.width", 200, "display.max_columns", 30):
        typer.echo(table.to_string(index=False, na_rep="", float_format="{:,.2f}".format))


def _width(text: str) -> int:
    """How many terminal cells a heading fills: a Chinese character fills two."""
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)


def _read(path: Path, wanted: list[str], *, amount: str, encoding: str, delimiter: str) -> pa.Table:
    """Read the wanted columns of an order log; ids and dates stay text, so that 001 keeps its zeros."""
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    if path.suffix == ".parquet":
        table = pa_parquet.read_table(path)
        _require(path, table.column_names, wanted, delimiter)
        return table.select(wanted)
    try:
        with path.open(encoding=encoding.replace("utf-8", "utf-8-sig"), newline="") as file:
            header = file.readline()
        if not header.strip():
            raise InputError(f"{path} has no first line with the names of its columns; add one")
        _require(path, next(iter(_split(header, delimiter)), []), wanted, delimiter)
        return pa_csv.read_csv(
            path,
            read_options=pa_csv.ReadOptions(encoding=encoding.replace("utf-8", "utf8")),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                include_columns=wanted,
                column_types={name: pa.float64() if name == amount else pa.string() for name in wanted},
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except (UnicodeDecodeError, LookupError) as failure:
        raise InputError(
            f"{path} cannot be read as {encoding} ({failure}); name its encoding by --encoding, gb18030 or cp1252 for example"
        ) from None
    except pa.ArrowInvalid as failure:
        if "UTF8" in str(failure):
            raise InputError(
                f"{path} is not {encoding}; name its encoding by --encoding, gb18030 for example"
            ) from None
        raise InputError(
            f"{path} cannot be read: {failure}; amounts must be plain numbers such as 1234.50, every line must have the header's columns"
        ) from None


def _split(header: str, delimiter: str) -> Any:
    import csv

    return csv.reader([header], delimiter=delimiter)


def _require(path: Path, found: list[str], wanted: list[str], delimiter: str) -> None:
    """Say which option to set when a column is not there."""
    for name in wanted:
        if name in found:
            continue
        near = xf._core.did_you_mean(name, found) or ";"  # noqa: SLF001
        advice = f"its columns are: {', '.join(found)}. Name yours by --customer, --timestamp and --amount"
        if len(found) == 1:
            advice = f"its first line is one value, {found[0][:60]!r}: is {delimiter!r} the delimiter? Set --delimiter"
        raise InputError(f"{path} has no column '{name}'{near} {advice}")


def _write(table: pa.Table, out: Path) -> None:
    """Write the whole file or none: a temporary name first, then one rename."""
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        if out.suffix == ".parquet":
            pa_parquet.write_table(table, temporary)
        elif out.suffix == ".csv":
            table.to_pandas().to_csv(temporary, index=False, encoding="utf-8-sig")  # the mark lets Excel see Chinese
        else:
            raise InputError(f"{out}: xifen writes .csv and .parquet; give --out such a name")
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
