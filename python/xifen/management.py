"""The customer management table: the twelve columns a sales team keeps of each customer."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from xifen import _columns as c
from xifen import _core
from xifen._cuts import known_columns, other_names
from xifen._frame import Frame
from xifen._results import NAT, Column, Times
from xifen._warn import warn
from xifen.errors import InputError, ParameterError
from xifen.presets import strategies, words

__all__ = ["management_table"]

#: Our name for what each column of the table shows; orders a year have two, the first that is there counts.
_INPUTS: Final = {
    "id": c.CUSTOMER_ID,
    "name": c.NAME,
    "industry": c.INDUSTRY,
    "contact": c.CONTACT,
    "last_purchase": c.LAST_PURCHASE,
    "orders_a_year": c.ORDER_COUNT_12M,
    "average_order": c.MEAN_ORDER_VALUE,
    "need": c.NEED_TYPE,
    "grade": c.VALUE_GRADE,
    "type": c.CUSTOMER_TYPE,
    "strategy": c.STRATEGY,
    "notes": c.NOTES,
}
#: What nobody misses where a frame has none: contacts are not asked for, strategies come from the playbook.
_UNMISSED: Final = ("contact", "strategy", "notes")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}([T ].+)?")
_NO_YEAR: Final = re.compile(r"\d{1,2}[-/.月]\d{1,2}日?")
#: The largest whole number a float holds exactly, with all below it.
_WHOLE: Final = 2**53


def management_table(
    frame: Any,
    lang: Literal["zh", "en"] = "zh",
    *,
    columns: Mapping[str, str] | None = None,
    playbook: Any = "playbook.types",
    contact: bool = False,
    return_notes: bool = False,
) -> Any:
    """Lay customers out as the management table (客户细分管理表) of a sales team.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame, pyarrow.Table or dict of arrays
        One row per customer, never changed. Read are customer_id, which must be there, and where they are: name,
        industry, contact, last_purchase (dates, times, or ISO 8601 text), order_count_12M or else orders_per_year,
        mean_order_value, need_type, value_grade (high, middle, low in either language, or your own words),
        customer_type (labels of the playbook, in either language or as keys), notes; strategy, which goes
        before the playbook's where a person has written it; opt_out (true or false).
    lang : {"zh", "en"}
        The language of headers, grades, types and strategies.
    columns : mapping, optional
        Your names for these columns: ``{"mean_order_value": "avg_ticket"}``.
    playbook : str or frame
        A preset, ``"playbook.types"`` or another, or a frame like those `load_preset` makes of them, edited.
    contact : bool
        Show the contact column; blank otherwise.
    return_notes : bool
        Also return the notes of the sheet.

    Returns
    -------
    table : frame of the same kind, with the rows (and index) of `frame`
        The twelve columns. Ids are text, fractions have two decimals; a strategy nobody wrote is that of the playbook
        for the customer's type, and those who opted out have none.
    notes : dict of str to str
        With `return_notes`: header -> what the sheet says of the column: which measure orders a year are, that the
        average is per order, what was left blank and why.

    Raises
    ------
    InputError
        There is no id column, an id or a date cannot be read (a date without a year is incomplete, and no year is ever
        assumed), or a customer's type is not in the playbook.
    ParameterError
        A parameter cannot be used.

    Warns
    -----
    UserWarning
        Columns are absent and stay blank; the playbook has more than 6 types, or hangs a price on a value tag.

    Examples
    --------
    >>> import pandas as pd
    >>> import xifen as xf
    >>> customers = pd.DataFrame({
    ...     "customer_id": ["001"], "name": ["甲厂"], "industry": ["制造业"], "last_purchase": ["2024-01-15"],
    ...     "order_count_12M": [12], "mean_order_value": [5000], "need_type": ["技术支持"], "value_grade": ["high"],
    ...     "customer_type": ["high_value_loyal"],
    ... })
    >>> table = xf.management_table(customers)
    >>> table[["客户编号", "价值等级", "客户类型", "策略建议"]].iloc[0].tolist()
    ['001', '高', '高价值忠实客户', '指定专属客户经理；按客户情况定制方案；新品优先试用']
    """
    if lang not in ("zh", "en"):
        raise ParameterError(f"lang is {lang!r}; wanted 'zh' or 'en'")
    renamed = other_names("columns", columns)
    known_columns("columns", renamed, [*_INPUTS.values(), c.ORDERS_PER_YEAR, c.OPT_OUT])
    sheet = _Sheet(Frame(frame, "frame"), renamed, lang)
    sheet.frame.require(renamed.values())
    table = {
        "id": sheet.ids(),
        "name": sheet.text("name"),
        "industry": sheet.text("industry"),
        "contact": sheet.text("contact") if contact else sheet.blank("contact", because="contact"),
        "last_purchase": sheet.dates(),
        "orders_a_year": sheet.orders(),
        "average_order": sheet.numbers("average_order", note="average_order"),
        "need": sheet.text("need"),
        "grade": sheet.grades(),
        **sheet.types(playbook),
        "notes": sheet.text("notes"),
    }
    if sheet.missed:
        warn(f"the frame has no {', '.join(map(repr, sheet.missed))}: blank in the table; name yours by columns=")
    out = sheet.frame.new({sheet.header[key]: column for key, column in table.items()}, same_rows=True)
    return (out, {sheet.header[key]: note for key, note in sheet.notes.items()}) if return_notes else out


class _Sheet:
    """The columns of one table, with what has to be said about them."""

    def __init__(self, frame: Frame, renamed: Mapping[str, str], lang: Literal["zh", "en"]) -> None:
        shared = words("management")
        self.frame, self.renamed, self.lang = frame, renamed, lang
        self.header = {column["key"]: column[lang] for column in shared["columns"]}
        self.grade_words = shared["grades"]
        self._sentences = {sentence["key"]: sentence[lang] for sentence in shared["sentences"]}
        self.notes: dict[str, str] = {}
        self.missed: list[str] = []

    def ids(self) -> pa.Array:
        name = self._name("id")
        self.frame.require([name])
        ids = self._column(name)
        kind = ids.type
        if not (_is_text(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)):
            raise InputError(f"column '{name}' holds {kind}; wanted ids, which are text or whole numbers")
        # The rule of ids everywhere: whole and exact floats are integers with missing ones among them.
        if pa.types.is_floating(ids.type):
            wrong = pc.or_(pc.not_equal(pc.floor(ids), ids), pc.greater_equal(pc.abs(ids), float(_WHOLE)))
            row = pc.index(wrong, True).as_py()
            if row >= 0:
                raise InputError(
                    f"column '{name}' holds {ids[row].as_py()!r} in row {row}, which is no id: read ids as text"
                )
            ids = ids.cast(pa.int64())
        return ids.cast(pa.large_string())

    def text(self, key: str) -> pa.Array:
        name = self._name(key)
        if name not in self.frame.names:
            return self.blank(key)
        values = self._column(name)
        if pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
            raise InputError(
                f"column '{name}' holds {_called(values.type)}; wanted text: join it to one text per customer"
            )
        return values.cast(pa.large_string())

    def numbers(self, key: str, *, name: str | None = None, note: str) -> pa.Array:
        name = name or self._name(key)
        if name not in self.frame.names:
            return self.blank(key, pa.float64())
        self.notes[key] = self._sentences[note]
        values = self._column(name)
        if pa.types.is_integer(values.type):
            return values
        if not (pa.types.is_floating(values.type) or pa.types.is_decimal(values.type) or pa.types.is_null(values.type)):
            raise InputError(f"column '{name}' holds {_called(values.type)}; wanted numbers: convert it")
        values = values.cast(pa.float64())
        row = pc.index(pc.is_inf(values), True).as_py()
        if row >= 0:
            raise InputError(f"column '{name}' is infinite in row {row}; infinity is never data: repair it")
        return pc.round(values, ndigits=2, round_mode="half_towards_infinity")

    def orders(self) -> pa.Array:
        yearly = self.renamed.get(c.ORDERS_PER_YEAR, c.ORDERS_PER_YEAR)
        if self._name("orders_a_year") not in self.frame.names and yearly in self.frame.names:
            return self.numbers("orders_a_year", name=yearly, note=c.ORDERS_PER_YEAR)
        return self.numbers("orders_a_year", note=c.ORDER_COUNT_12M)

    def dates(self) -> Times:
        name = self._name("last_purchase")
        there = name in self.frame.names
        days = self._days(name) if there else self.blank("last_purchase", pa.date32())
        numbers = pc.fill_null(days.cast(pa.int32()).cast(pa.int64()), NAT)
        return Times(numbers.to_numpy(zero_copy_only=False), "D")

    def _days(self, name: str) -> pa.Array:
        values = self._column(name)
        if pa.types.is_timestamp(values.type):
            local = pc.local_timestamp(values) if values.type.tz else values
            return pc.floor_temporal(local, unit="day").cast(pa.date32())
        if pa.types.is_date(values.type) or pa.types.is_null(values.type):
            return values.cast(pa.date32())
        if not _is_text(values.type):
            raise InputError(
                f"column '{name}' holds {_called(values.type)}; wanted dates, times or text such as 2024-01-15"
            )
        each = values.dictionary_encode()
        days = [self._day(name, text, each.indices, code) for code, text in enumerate(each.dictionary.to_pylist())]
        return pa.array(days, pa.date32()).take(each.indices)

    def grades(self) -> pa.Array:
        shown = {word[kind]: word[self.lang] for word in self.grade_words for kind in ("key", "zh", "en")}
        return _translated(self.text("grade"), shown)

    def types(self, playbook: Any) -> dict[str, Column]:
        """Type and strategy of every customer."""
        labels, advice = strategies(playbook, self.lang)
        given = self.text("type")
        unknown = [text for text in pc.unique(given).to_pylist() if text is not None and text not in labels]
        if unknown:
            near = _core.did_you_mean(unknown[0], list(labels))
            raise InputError(
                f"column '{self._name('type')}' holds {unknown[0]!r} in row {pc.index(given, unknown[0]).as_py()}, which is "
                f"no type of the playbook{near or ';'} "
                "choose the playbook of your types by playbook="
            )
        strategy = pc.if_else(pc.is_valid(given), _translated(given, advice), None)
        if self._name("strategy") in self.frame.names:
            strategy = pc.coalesce(self.text("strategy"), strategy)
        opted_out = self.renamed.get(c.OPT_OUT, c.OPT_OUT)
        if opted_out in self.frame.names:
            out = self._opted_out(opted_out)
            strategy = pc.if_else(out, None, strategy)
            count = pc.sum(out).as_py() or 0
            self.notes["strategy"] = self._sentences["opt_out"].format(count=count)
        return {"type": _translated(given, labels), "strategy": strategy}

    def blank(self, key: str, kind: Any = None, *, because: str = "absent") -> pa.Array:
        self.notes[key] = self._sentences[because]
        if key not in _UNMISSED:
            self.missed.append(self._name(key))
        return pa.nulls(len(self.frame), kind or pa.large_string())

    def _name(self, key: str) -> str:
        return self.renamed.get(_INPUTS[key], _INPUTS[key])

    def _column(self, name: str) -> pa.Array:
        """Read a column plainly: no dictionary, no chunks, NaN as missing."""
        column = pa.table(self.frame.stream([name])).column(0).combine_chunks()
        column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if pa.types.is_string_view(column.type):
            column = column.cast(pa.large_string())
        return pc.if_else(pc.is_nan(column), None, column) if pa.types.is_floating(column.type) else column

    def _opted_out(self, name: str) -> pa.Array:
        """Who wants no marketing: true, or 1; missing is no objection."""
        values = self._column(name)
        if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
            row = pc.index(pc.is_in(values, pa.array([0, 1, None], values.type)), False).as_py()
            if row >= 0:
                raise InputError(
                    f"column '{name}' holds {values[row].as_py()} in row {row}; wanted true or false, or 1 or 0"
                )
        elif not (pa.types.is_boolean(values.type) or pa.types.is_null(values.type)):
            raise InputError(f"column '{name}' holds {_called(values.type)}; wanted true or false: convert it")
        return pc.fill_null(values.cast(pa.bool_()), False)

    def _day(self, name: str, text: str, codes: pa.Array, code: int) -> dt.date:
        """Read one of the texts of a column of dates."""
        try:
            if _DATE.fullmatch(text):
                return dt.datetime.fromisoformat(text).date()
            why = "has no year and is incomplete; no year is assumed" if _NO_YEAR.fullmatch(text) else "is no date"
        except ValueError:
            why = "is no date"
        row = pc.index(codes, pa.scalar(code, codes.type)).as_py()
        raise InputError(f"column '{name}' holds {text!r} in row {row}, which {why}: write it as 2024-01-15")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _called(kind: pa.DataType) -> str:
    return "text" if _is_text(kind) else str(kind)


def _translated(values: pa.Array, shown: Mapping[str, str]) -> pa.Array:
    """Put the words in place of the labels they stand for; other labels stay as they are."""
    place = pc.index_in(values, value_set=pa.array(list(shown), values.type))
    return pc.coalesce(pa.array(list(shown.values()), values.type).take(place), values)
