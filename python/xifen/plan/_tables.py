"""From sources to one row per customer: what every step of a plan works on."""

from __future__ import annotations

import datetime as dt
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xifen import _columns as c
from xifen._frame import Frame, as_kind
from xifen._results import Column, Labels
from xifen.errors import InputError, ParameterError
from xifen.plan import privacy
from xifen.presets import load_preset
from xifen.text import keyword_table
from xifen.transactions import ledger_summary, order_ledger, rfm_table

__all__ = ["LAST_MESSAGE", "Customers", "Sources", "build", "in_kind", "made_by_tables"]

LAST_MESSAGE: Final = "last_message"
_RFM: Final = (
    c.FIRST_PURCHASE, c.LAST_PURCHASE, c.RECENCY_DAYS, c.ORDER_COUNT, c.PURCHASE_DAYS, c.ROW_COUNT, c.MONETARY,
    c.GROSS_AMOUNT, c.RETURNED_AMOUNT, c.MEAN_ORDER_VALUE, c.TENURE_DAYS, c.ORDERS_PER_YEAR, c.MEAN_GAP_DAYS,
)  # fmt: skip
#: What holds whole numbers and truths with missing ones among them.
_NULLABLE: Final = {
    pa.bool_(): pd.BooleanDtype(),
    **{getattr(pa, f"{sign}int{bits}")(): pd.array([], f"{sign}int{bits}".replace("i", "I").replace("u", "U")).dtype
       for sign in ("", "u") for bits in (8, 16, 32, 64)},
}  # fmt: skip
_WINDOW: Final = ("order_count_{}", "monetary_{}", "order_count_prev_{}", "monetary_prev_{}")
#: Of `keyword_table`: counts, which are 0 for those who wrote nothing; a mean per message is then missing.
_COUNTS: Final = ("_count", "_messages_with")


@dataclass
class Customers:
    """One row per customer, column by column, and what is to be said of how they came about."""

    columns: dict[str, pd.Series]
    as_of: dt.date
    #: The columns that come from orders and messages.
    made: list[str] = field(default_factory=list)
    #: Why a column of the data is not among them, by a word.
    withheld: dict[str, str] = field(default_factory=dict)
    ledger: pd.DataFrame | None = None
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    owners: pd.DataFrame | None = None
    goals: pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.columns[c.CUSTOMER_ID])

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame(self.columns, copy=False)


@dataclass(frozen=True)
class Sources:
    """The tables of a plan, as the caller gave them or as its files hold them."""

    orders: Any
    customers: Any
    messages: Any
    plan: Any
    #: What reading the files converted, by source.
    conversions: Mapping[str, int] = field(default_factory=dict)
    #: Which were read from files.
    read: frozenset[str] = frozenset()

    @classmethod
    def find(cls, plan: Any, given: Mapping[str, Any]) -> Sources:
        """Take what is given, read what has a path, and refuse what is needed and absent."""
        said = plan.values.get("sources", {})
        found = dict(given)
        conversions: dict[str, int] = {}
        read = frozenset(name for name, source in said.items() if found[name] is None and "path" in source)
        for name, source in said.items():
            if name in read:
                found[name], converted = _read(
                    name, source, plan.folder, plan.values.get("tables", {}).get("invalid", "raise")
                )
                conversions |= {f"{name}: {what}": count for what, count in converted.items()}
        tables = plan.values.get("tables")
        if tables is not None and found["orders"] is None:
            raise InputError("the plan has [tables], which need orders: give orders=, or a path in [sources.orders]")
        if tables is None and found["customers"] is None:
            raise InputError(
                "the plan has no [tables], so its customers are needed: give customers=, or a path in [sources.customers]"
            )
        if tables is None and found["orders"] is not None:
            raise InputError("the plan has no [tables], so it has no use for orders: add [tables], or leave them out")
        if tables is not None and "keywords" in tables and found["messages"] is None:
            raise InputError(
                "the plan counts keywords, which need messages: give messages=, or a path in [sources.messages]"
            )
        return cls(**found, plan=plan, conversions=conversions, read=read)

    def columns(self, source: str) -> dict[str, str]:
        """Our names of a source's columns, to the caller's."""
        return dict(self.plan.values.get("sources", {}).get(source, {}).get("columns", {}))

    @property
    def kind(self) -> str:
        """The kind of frame the caller works with."""
        given = self.orders if self.orders is not None else self.customers
        return Frame(given).kind


def made_by_tables(values: Mapping[str, Any]) -> list[str]:
    """List the columns the tables of a plan are sure to make."""
    tables = values.get("tables")
    if tables is None:
        return [c.CUSTOMER_ID]
    renamed = values.get("sources", {}).get("orders", {}).get("columns", {})
    discount = [c.DISCOUNT_SHARE] if "discount" in renamed else []
    windows = [name.format(window) for window in tables.get("windows", []) for name in _WINDOW]
    return [c.CUSTOMER_ID, *_RFM, *discount, *windows, *_of_messages(tables)]


def _of_messages(tables: Mapping[str, Any]) -> list[str]:
    """List the columns keywords make."""
    keywords = tables.get("keywords")
    if keywords is None:
        return []
    groups = load_preset(keywords) if isinstance(keywords, str) else keywords
    return [
        "message_count",
        *[f"{group}{end}" for group in groups for end in ("_count", "_per_message", "_messages_with")],
    ]


def build(sources: Sources, as_of: dt.date | str, n_jobs: int | None, *, needed: set[str] | None = None) -> Customers:
    """Build the one row per customer, and account for every row of the orders.

    With `needed` no row is accounted for, and messages are counted only where a column of theirs is needed.
    """
    attributes, counts, withheld = _attributes(sources)
    if sources.orders is None:
        if not isinstance(as_of, dt.date) or attributes is None:
            raise InputError("without orders there is no last day to take: give as_of a date")
        if c.CREATED in attributes:
            later = _later(attributes[c.CREATED], as_of)
            counts["customers_after_as_of"] = int(later.sum())
            attributes = attributes[~later].reset_index(drop=True)
        made = Customers({name: attributes[name] for name in attributes}, as_of, withheld=withheld, counts=counts)
    else:
        made = _from_orders(sources, as_of, attributes, n_jobs, needed)
        made.counts |= counts
        made.withheld |= withheld
    _pseudonymise(made, sources.plan.block("privacy")["pseudonymise"])
    made.counts |= {"customers": len(made), **sources.conversions}
    return made


def _from_orders(
    sources: Sources,
    as_of: dt.date | str,
    attributes: pd.DataFrame | None,
    n_jobs: int | None,
    needed: set[str] | None,
) -> Customers:
    tables, renamed = sources.plan.values["tables"], sources.columns("orders")
    words = {name: tables[name] for name in ("returns", "duplicates", "invalid", "tz", "date_format") if name in tables}
    log = {
        "as_of": as_of,
        **{name: renamed.get(name, name) for name in (c.CUSTOMER_ID, c.TIMESTAMP, c.AMOUNT)},
        **{name: renamed[name] for name in ("order_id",) if name in renamed},
        **words,
    }
    ids = None if attributes is None else attributes[c.CUSTOMER_ID].to_numpy()
    notes: list[str] = []
    with _counted(notes, wanted=words.get("invalid") == "drop"):
        table = rfm_table(
            sources.orders, customers=ids, discount=renamed.get("discount"), windows=tables.get("windows", []),
            n_jobs=n_jobs, **log,
        )  # fmt: skip
    rfm = _in_pandas(table).rename(columns={log[c.CUSTOMER_ID]: c.CUSTOMER_ID})
    last = rfm[c.LAST_PURCHASE].max()
    if as_of == "max":
        as_of = last.date()
    day = as_of if isinstance(as_of, dt.date) else dt.date.fromisoformat(as_of)
    known = None if attributes is None else attributes.set_index(c.CUSTOMER_ID)
    counts = {}
    if known is not None and c.CREATED in known:
        # Who was no customer yet; an order says more than the day a file was opened.
        later = (rfm[c.ROW_COUNT] == 0).to_numpy() & _later(known[c.CREATED].reindex(pd.Index(rfm[c.CUSTOMER_ID])), day)
        counts = {"customers_after_as_of": int(later.sum())}
        rfm = rfm[~later].reset_index(drop=True) if later.any() else rfm
    made = Customers({name: rfm[name] for name in rfm}, day, notes=notes)
    if needed is None:
        rows = {"as_of": day, **{name: value for name, value in log.items() if name != "as_of"}}
        made.ledger = as_kind(ledger_summary(order_ledger(sources.orders, n_jobs=n_jobs, **rows)), "pandas")
        used = made.ledger.loc[made.ledger[c.REASON] == "used", c.ROWS].sum()
        made.counts = {"order_rows": int(made.ledger[c.ROWS].sum()), "order_rows_used": int(used), **counts}
    if "keywords" in tables and (needed is None or needed & {LAST_MESSAGE, *_of_messages(tables)}):
        _add_messages(made, sources, tables, n_jobs)
    made.made = list(made.columns)
    if known is not None:
        made.counts["customers_not_listed"] = int((~made.columns[c.CUSTOMER_ID].isin(known.index)).sum())
        aligned = known.reindex(pd.Index(made.columns[c.CUSTOMER_ID])).reset_index(drop=True)
        for name in aligned:
            if name in made.columns:
                raise InputError(
                    f"customers has a column '{name}', which the tables make too: drop it, or rename it, in [sources.customers]"
                )
        made.columns |= {name: aligned[name] for name in aligned}
    return made


def _attributes(sources: Sources) -> tuple[pd.DataFrame | None, dict[str, int], dict[str, str]]:
    """Give the customers' own columns, under our names, without what privacy keeps out."""
    if sources.customers is None:
        return None, {}, {}
    plan = sources.plan
    renamed = sources.columns("customers")
    frame = Frame(sources.customers, "customers")
    frame.require(
        [renamed.get(c.CUSTOMER_ID, c.CUSTOMER_ID), *[name for name in renamed.values() if name not in frame.absent]]
    )
    table = _in_pandas(sources.customers).reset_index(drop=True)
    said = plan.values.get("sources", {}).get("customers", {})
    dropped = [] if "customers" in sources.read else said.get("drop", [])  # a file is read without them
    frame.require(dropped)
    table = table.drop(columns=dropped).rename(columns={theirs: ours for ours, theirs in renamed.items()})
    if table.columns.duplicated().any():
        raise InputError(
            f"customers has two columns named '{table.columns[table.columns.duplicated()][0]}' after renaming; drop one"
        )
    said = plan.block("privacy")
    withheld = {name: why for name in table if (why := privacy.kept_out(str(name), said, renamed.get(name)))}
    table = table.drop(columns=list(withheld))
    ids = table[c.CUSTOMER_ID]
    counts = {"customer_rows": len(table)}
    for key, what, wrong in (
        ("without_id", "has no id", ids.isna()),
        ("repeated", "repeats an id", ids.notna() & ids.duplicated()),
    ):
        rows = np.flatnonzero(wrong)
        counts[f"customer_rows_{key}"] = len(rows)
        if len(rows) and plan.values.get("tables", {}).get("invalid", "raise") == "raise":
            raise InputError(
                f"row {rows[0]} of customers {what}, the first of {len(rows):,}: repair them, or leave them out by "
                'invalid = "drop" in [tables]'
            )
    keep = (ids.notna() & ~ids.duplicated()).to_numpy()
    table = table if keep.all() else table[keep].reset_index(drop=True)
    # The ids first, as in every table of ours.
    return table[[c.CUSTOMER_ID, *[name for name in table if name != c.CUSTOMER_ID]]], counts, withheld


def _add_messages(made: Customers, sources: Sources, tables: Mapping[str, Any], n_jobs: int | None) -> None:
    renamed = sources.columns("messages")
    customer_id, text, timestamp = (renamed.get(name, name) for name in (c.CUSTOMER_ID, c.TEXT, c.TIMESTAMP))
    keywords = tables["keywords"]
    groups = load_preset(keywords) if isinstance(keywords, str) else keywords
    invalid = tables.get("invalid", "raise")
    messages: Any = sources.messages
    frame = Frame(messages, "messages")
    made.counts["message_rows"] = len(frame)
    last = None
    if timestamp in frame.names:
        own = pa.table(frame.stream([customer_id, timestamp])).to_pandas(date_as_object=False)
        try:
            when = pd.to_datetime(own[timestamp], format="ISO8601")
        except ValueError as failure:
            raise InputError(
                f"column '{timestamp}' of messages cannot be read as times ({failure}); give timestamps, or text like "
                "2026-06-30 14:05"
            ) from None
        when = when.dt.tz_localize(None)  # the wall clock of a zoned column, as for orders
        later = _later(when, made.as_of)
        made.counts["messages_after_as_of"] = int(later.sum())
        last = when[~later].groupby(own[customer_id][~later]).max()
        if later.any():
            keep: Any = pa.array(~later) if frame.kind == "pyarrow" else ~later
            messages = frame.native[keep] if frame.kind in ("pandas", "dict") else frame.native.filter(keep)
    with _counted(made.notes, wanted=invalid == "drop"):
        table = keyword_table(
            messages, keywords=groups, customer_id=customer_id, text=text, invalid=invalid, n_jobs=n_jobs
        )
    _count_texts(made, pa.table(Frame(messages, "messages").stream([customer_id, text])))
    counts = _in_pandas(table).rename(columns={customer_id: c.CUSTOMER_ID})
    made.counts["message_rows_used"] = int(counts["message_count"].sum())
    ids = pd.Index(made.columns[c.CUSTOMER_ID])
    known = counts.set_index(c.CUSTOMER_ID)
    made.counts["messages_of_nobody"] = int(known.loc[~known.index.isin(ids), "message_count"].sum())
    aligned = known.reindex(ids).reset_index(drop=True)
    for name in aligned:
        if name == "message_count" or name.endswith(_COUNTS):
            aligned[name] = aligned[name].fillna(0).astype("int64")
    made.columns |= {name: aligned[name] for name in aligned}
    if last is not None:
        made.columns[LAST_MESSAGE] = last.reindex(ids).reset_index(drop=True)


def _count_texts(made: Customers, messages: pa.Table) -> None:
    """Count messages without an id, without a text, and with one of nothing but spaces, which mentions nothing."""
    keys = ("message_rows_without_id", "message_rows_without_text", "messages_blank")
    made.counts |= dict.fromkeys(keys, 0)
    for ids, texts in (batch.columns for batch in messages.to_batches()):
        words = (
            texts.dictionary.cast(pa.large_string()).take(texts.indices)
            if pa.types.is_dictionary(texts.type)
            else texts
        )
        nobody = pc.is_null(ids, nan_is_null=True)
        blank = pc.equal(pc.utf8_trim_whitespace(words.cast(pa.large_string())), "")
        for key, mask in zip(
            keys, (nobody, pc.and_not(words.is_null(), nobody), pc.and_not(blank, nobody)), strict=True
        ):
            made.counts[key] += pc.sum(mask).as_py() or 0


def _later(times: pd.Series, day: dt.date) -> np.ndarray:
    """Say which times are behind a day; what is no time is not."""
    if pd.api.types.is_numeric_dtype(times.dtype):
        return np.zeros(len(times), dtype=bool)
    when = pd.to_datetime(times, format="ISO8601", errors="coerce")
    when = when.dt.tz_localize(None) if isinstance(when.dtype, pd.DatetimeTZDtype) else when
    later: np.ndarray = (when >= pd.Timestamp(day) + pd.Timedelta(days=1)).to_numpy(dtype=bool)
    return later


def _in_pandas(data: Any) -> pd.DataFrame:
    """Give a frame in pandas; whole numbers and truths with missing ones among them stay what they are, and so do dates."""
    frame = Frame(data)
    out = as_kind(data, "pandas")
    if frame.kind in ("polars", "pyarrow"):
        table = pa.table(frame.stream(frame.names))
        kept = [
            name
            for name, column in zip(table.column_names, table.columns, strict=True)
            if pa.types.is_date(column.type)
            or (column.null_count and (pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)))
        ]
        exact = table.select(kept).to_pandas(date_as_object=False, types_mapper=_NULLABLE.get)
        out = out.assign(**{name: exact[name] for name in kept})
    return out


def in_kind(table: pd.DataFrame, kind: str) -> Any:
    """Give a table of labels and values as polars or pyarrow has them: labels stay labels."""
    columns = pa.table(Frame(table).stream(list(table)))
    door = Frame(columns.select([]) if kind == "pyarrow" else as_kind(table[[]], kind))
    made: dict[str, Column] = {name: columns[name].combine_chunks() for name in table}
    for name, labels in table.select_dtypes("category").items():
        if labels.cat.categories.inferred_type == "string":
            made[name] = Labels(labels.cat.codes.to_numpy(), list(labels.cat.categories), bool(labels.cat.ordered))
    return door.new(made)


def _pseudonymise(made: Customers, variable: str | None) -> None:
    """Put pseudonyms in place of the ids, in an order of their own, and leave the names out."""
    if variable is None:
        return
    key = os.environ.get(variable, "")
    if not key:
        raise ParameterError(
            f"[privacy] pseudonymise names the environment variable {variable}, which is not set: put the key there"
        )
    made.columns[c.CUSTOMER_ID] = pd.Series(privacy.pseudonymise(made.columns[c.CUSTOMER_ID], key), dtype="str")
    if made.columns.pop(c.NAME, None) is not None:
        made.withheld[c.NAME] = "pseudonymous"
    order = np.argsort(made.columns[c.CUSTOMER_ID].to_numpy(dtype=object), kind="stable")
    made.columns = {name: column.take(order).reset_index(drop=True) for name, column in made.columns.items()}


@contextmanager
def _counted(notes: list[str], *, wanted: bool) -> Iterator[None]:
    """Keep warnings of rows that were left out as notes, where the plan itself asked for that."""
    if not wanted:
        yield
        return
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", UserWarning)
        yield
    notes += [str(warning.message) for warning in seen]


def _read(name: str, source: Mapping[str, Any], folder: Path, invalid: str) -> tuple[Any, dict[str, int]]:
    from xifen.plan._read_source import read_source

    return read_source(name, source, folder, invalid)
