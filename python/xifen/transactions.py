"""Tables made from an order log: one row per customer, and a ledger of what became of every row."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xifen import _columns as c
from xifen import _core
from xifen._cuts import threads
from xifen._frame import Frame
from xifen._results import Labels, Masked, Times
from xifen._warn import warn
from xifen.errors import ParameterError

__all__ = ["clv_table", "ledger_summary", "order_ledger", "release_memory", "rfm_table"]


def rfm_table(
    orders: Any,
    *,
    as_of: dt.date | str,
    customer_id: str = c.CUSTOMER_ID,
    timestamp: str = c.TIMESTAMP,
    amount: str = c.AMOUNT,
    order_id: str | None = None,
    discount: str | None = None,
    customers: Any = None,
    tz: str | None = None,
    date_format: str | None = None,
    returns: Literal["net", "exclude", "error"] = "net",
    duplicates: Literal["keep", "drop"] = "keep",
    invalid: Literal["raise", "drop"] = "raise",
    windows: Sequence[str] = (),
    n_jobs: int | None = None,
) -> Any:
    """Turn an order log into one row per customer: recency, frequency, monetary and what goes with them.

    A row with an amount of zero or more is a purchase, below zero a return. Totals of float amounts are exact
    sums rounded once (equal to `math.fsum`), whatever the order of the rows.

    Parameters
    ----------
    orders : pandas.DataFrame, polars.DataFrame, pyarrow.Table or dict of arrays
        One row per order line. Never changed.
    as_of : datetime.date or str
        The last day that counts, whole: a date, ``"2026-06-30"``, or ``"max"`` for the date of the last purchase.
    customer_id, timestamp, amount : str
        The columns to read: ids (text or whole numbers), dates or timestamps (or text, see `date_format`),
        and money (floats, integers or decimals).
    order_id : str, optional
        Rows with the same customer and order id are one order. Without it every purchase row is one.
    discount : str, optional
        A column of numbers or booleans; above zero or true means discounted. Adds `discount_share`.
    customers : ids or frame, optional
        Customers to list even if they never ordered: a list, array, index or series of ids, or a frame with the id
        column. Their counts and amounts are 0, their dates and `recency_days` missing: `RFMScorer` counts them in the
        quantiles of order_count and monetary, and gives them no recency score, and so no cell; rules on those give
        them no segment.
    tz : str, optional
        The time zone whose calendar days count, for timestamps that know theirs; by default their own.
        Timestamps without a zone are wall clock and never shifted.
    date_format : str, optional
        How dates written as text (or as numbers such as 20240115) are to be read, in strftime directives; ``%s`` is
        seconds since 1970 in UTC. Without it text must be ISO 8601: ``2024-01-15``, with an optional time and offset.
    returns : {"net", "exclude", "error"}
        Subtract returns, leave them out, or refuse them.
    duplicates : {"keep", "drop"}
        What becomes of rows equal to an earlier row in every column.
    invalid : {"raise", "drop"}
        Refuse rows with a missing or impossible value, naming reason, count and first row, or leave them out with a
        warning that does. A text that is no date is missing_timestamp, and so is one without an offset from UTC in a
        column where others have one; one that names a day or time no calendar or clock has (2024-02-30, 25:00) is
        timestamp_out_of_range. Under a `date_format` a number its directive does not read (month 13) makes a text no
        date: it may be written in another order.
    windows : sequence of str
        Trailing windows in days or calendar months, ``["90D", "12M"]``, as_of included.
    n_jobs : int, optional
        Threads to use; None means all processors. Never changes a result.

    Returns
    -------
    frame of the kind of `orders` (pandas for a dict of arrays)
        Ascending by id. The id column keeps its name and type; then `first_purchase`, `last_purchase`,
        `recency_days`, `order_count`, `purchase_days`, `row_count`, `monetary` (net), `gross_amount`,
        `returned_amount`, `mean_order_value`, `tenure_days`, `orders_per_year` (order_count * 365.25 /
        max(tenure_days, 365.25)), `mean_gap_days`, `discount_share` when asked for, and for each window
        `order_count_90D`, `monetary_90D`, `order_count_prev_90D` and `monetary_prev_90D`. Days are calendar days.

    Raises
    ------
    InputError
        A column is absent or of a wrong kind, rows are invalid, a total overflows.
    ParameterError
        A parameter cannot be used.

    See Also
    --------
    order_ledger : what became of every row.

    Examples
    --------
    >>> import pandas as pd, xifen as xf
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["ann", "bob", "ann", "ann"],
    ...     "timestamp": ["2026-01-10", "2026-03-01", "2026-05-20", "2026-06-01"],
    ...     "amount": [20.0, 35.0, 30.0, -5.0],
    ... })
    >>> table = xf.rfm_table(orders, as_of="2026-06-30", windows=["90D"])
    >>> table[["customer_id", "recency_days", "order_count", "monetary", "order_count_90D"]]
      customer_id  recency_days  order_count  monetary  order_count_90D
    0         ann            41            2      45.0                1
    1         bob           121            1      35.0                0
    """
    if isinstance(windows, (str, set, frozenset)) or not isinstance(windows, Iterable):
        raise TypeError(f"windows is {windows!r}; give a list such as ['90D', '12M']")
    for window in windows:
        if not isinstance(window, str):
            raise TypeError(f"windows holds {window!r}; wanted text such as '90D' or '12M'")
    log = _Log(
        orders,
        {
            "customer_id": customer_id,
            "timestamp": timestamp,
            "amount": amount,
            "order_id": order_id,
            "discount": discount,
        },
        {"tz": tz, "date_format": date_format, "returns": returns, "duplicates": duplicates, "invalid": invalid},
        as_of=as_of,
        every_column=isinstance(duplicates, str) and duplicates == "drop",
    )
    members = None if customers is None else _members(customers, customer_id)
    found = _core.rfm_table(log.stream, members, log.config(windows=list(windows)), threads(n_jobs))
    columns = found["columns"]
    zone = found["zone"]
    if log.frame.kind == "polars" and zone is not None and zone[0] in "+-":
        zone = "UTC"  # polars knows no zones by offset; the instants are the same
    for name in (c.FIRST_PURCHASE, c.LAST_PURCHASE):
        columns[name] = Times(columns[name], found["unit"], zone)
    for name in (c.RECENCY_DAYS, c.TENURE_DAYS):
        columns[name] = Masked(*columns[name])
    for message in found["warnings"]:
        warn(message)
    # Arrow-backed pandas columns and those with a zone have a type of their own; elsewhere unit and zone say it all.
    own = log.frame.kind == "pandas" and isinstance(
        log.frame.native[timestamp].dtype, (pd.ArrowDtype, pd.DatetimeTZDtype)
    )
    times = (c.FIRST_PURCHASE, c.LAST_PURCHASE) if own and not found["from_text"] else ()
    return log.frame.by_customer(customer_id, columns, dict.fromkeys(times, timestamp))


def clv_table(
    orders: Any,
    *,
    as_of: dt.date | str,
    unit: Literal["D", "W", "M"] = "D",
    customer_id: str = c.CUSTOMER_ID,
    timestamp: str = c.TIMESTAMP,
    amount: str = c.AMOUNT,
    tz: str | None = None,
    date_format: str | None = None,
    returns: Literal["net", "exclude", "error"] = "net",
    duplicates: Literal["keep", "drop"] = "keep",
    invalid: Literal["raise", "drop"] = "raise",
    n_jobs: int | None = None,
) -> Any:
    """Turn an order log into the histories that models of customer lifetime value are fitted on.

    Purchases are merged by calendar day. A return lowers the total of the customer's latest purchase day on or
    before it, or of the first day where none is earlier, so that `monetary_value` may be zero or less.
    Customers with nothing but returns are left out and counted in a warning.

    Parameters
    ----------
    orders : pandas.DataFrame, polars.DataFrame, pyarrow.Table or dict of arrays
        One row per order line. Never changed.
    as_of : datetime.date or str
        The end of the observation, that whole day included: a date, ``"2026-06-30"``, or ``"max"``.
    unit : {"D", "W", "M"}
        What `recency` and `T` count: days, weeks (7 days) or months (365.25 / 12 days).
    customer_id, timestamp, amount, tz, date_format, returns, duplicates, invalid, n_jobs
        As for `rfm_table`.

    Returns
    -------
    frame of the kind of `orders`
        Ascending by id: the id column, `frequency` (purchase days after the first), `recency` (first to last
        purchase day), `T` (first purchase day to as_of) and `monetary_value` (mean of the daily totals after
        the first day; 0 when there is none).

    Raises
    ------
    InputError, ParameterError
        As for `rfm_table`.

    References
    ----------
    Fader, Hardie and Lee (2005), "Counting your customers the easy way", Marketing Science 24, 275-284.

    Examples
    --------
    >>> import pandas as pd, xifen as xf
    >>> orders = pd.DataFrame({
    ...     "customer_id": [7, 7, 7, 9],
    ...     "timestamp": pd.to_datetime(["2026-01-01", "2026-01-08", "2026-01-15", "2026-01-02"]),
    ...     "amount": [10.0, 20.0, 40.0, 5.0],
    ... })
    >>> xf.clv_table(orders, as_of="2026-01-29", unit="W")
       customer_id  frequency  recency         T  monetary_value
    0            7          2      2.0  4.000000            30.0
    1            9          0      0.0  3.857143             0.0
    """
    if not isinstance(unit, str):
        raise TypeError(f"unit is {unit!r}; wanted 'D', 'W' or 'M'")
    log = _Log(
        orders,
        {"customer_id": customer_id, "timestamp": timestamp, "amount": amount},
        {"tz": tz, "date_format": date_format, "returns": returns, "duplicates": duplicates, "invalid": invalid},
        as_of=as_of,
        every_column=duplicates == "drop",
    )
    found = _core.clv_table(log.stream, log.config(unit=unit), threads(n_jobs))
    for message in found["warnings"]:
        warn(message)
    return log.frame.by_customer(customer_id, found["columns"])


def order_ledger(
    orders: Any,
    *,
    as_of: dt.date | str,
    customer_id: str = c.CUSTOMER_ID,
    timestamp: str = c.TIMESTAMP,
    amount: str = c.AMOUNT,
    order_id: str | None = None,
    tz: str | None = None,
    date_format: str | None = None,
    returns: Literal["net", "exclude", "error"] = "net",
    duplicates: Literal["keep", "drop"] = "keep",
    invalid: Literal["raise", "drop"] = "raise",
    n_jobs: int | None = None,
) -> Any:
    """Tell, row by row, whether `rfm_table` uses a row of the log and, if not, why.

    It never raises for bad rows: that is what it is for. Under ``returns="error"`` a return shows as
    return_excluded.

    Parameters
    ----------
    orders, as_of, customer_id, timestamp, amount, order_id, tz, date_format, returns, duplicates, invalid, n_jobs
        As for `rfm_table`. Duplicates are always looked for; they are dropped only with ``duplicates="drop"``.

    Returns
    -------
    frame of the kind of `orders`, with its index
        One row per row of the log, in its order: `row` (position from 0), `reason` (the first that applies of
        missing_customer_id, missing_timestamp, missing_amount, missing_order_id, non_finite_amount,
        timestamp_out_of_range, after_as_of, return_excluded, duplicate_dropped, used) and `duplicate`
        (whether an earlier row is equal in every column). Texts that are no dates have the reasons `rfm_table` gives
        them. Rows that cannot be used never raise; nor does ``as_of="max"`` without a purchase, which leaves no row
        too young.

    Raises
    ------
    InputError, ParameterError
        A column is absent or of a wrong kind, a parameter cannot be used.

    Examples
    --------
    >>> import pandas as pd, xifen as xf
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["ann", None, "ann"],
    ...     "timestamp": ["2026-01-10", "2026-03-01", "2026-07-20"],
    ...     "amount": [20.0, 35.0, 30.0],
    ... })
    >>> xf.order_ledger(orders, as_of="2026-06-30")
       row               reason  duplicate
    0    0                 used      False
    1    1  missing_customer_id      False
    2    2          after_as_of      False
    """
    log = _Log(
        orders,
        {"customer_id": customer_id, "timestamp": timestamp, "amount": amount, "order_id": order_id},
        {"tz": tz, "date_format": date_format, "returns": returns, "duplicates": duplicates, "invalid": invalid},
        as_of=as_of,
        every_column=True,
    )
    found = _core.order_ledger(log.stream, log.config(), threads(n_jobs))
    ledger = log.frame.new(
        {
            c.ROW: np.arange(len(log.frame)),
            c.REASON: Labels(found["reasons"], _core.ledger_reasons()),
            c.DUPLICATE: found["duplicates"],
        }
    )
    if log.frame.kind == "pandas":
        ledger.index = log.frame.native.index
    return ledger


def ledger_summary(ledger: Any) -> Any:
    """Count the rows of a ledger by reason.

    Parameters
    ----------
    ledger : frame
        What `order_ledger` gave.

    Returns
    -------
    frame of the same kind
        For each reason that occurs, in the order in which reasons are tried: `reason`, `rows` and `first_row`.

    Raises
    ------
    InputError
        The frame has no columns `row` and `reason`, or holds a reason no ledger has.

    Examples
    --------
    >>> import pandas as pd, xifen as xf
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["ann", None, "ann"],
    ...     "timestamp": ["2026-01-10", "2026-03-01", "2026-02-20"],
    ...     "amount": [20.0, 35.0, 30.0],
    ... })
    >>> xf.ledger_summary(xf.order_ledger(orders, as_of="2026-06-30"))
                    reason  rows  first_row
    0  missing_customer_id     1          1
    1                 used     2          0
    """
    frame = Frame(ledger, "ledger")
    codes, rows, first_row = _core.ledger_summary(frame.stream([c.ROW, c.REASON]))
    return frame.new({c.REASON: Labels(codes, _core.ledger_reasons()), c.ROWS: rows, c.FIRST_ROW: first_row})


def release_memory() -> int:
    """Give the working memory kept between calls back to the system.

    Calls on large data reuse their scratch buffers (up to 128 MiB in all), because touching fresh memory takes
    longer than the work on it. Results never depend on them.

    Returns
    -------
    int
        How many bytes were kept.

    Examples
    --------
    >>> import xifen as xf
    >>> xf.release_memory() >= 0
    True
    """
    return _core.release_memory()


def _known_zone(tz: str) -> None:
    """Refuse a name that the caller's kind of frame would not know; offsets (+08:00) are for the core to read."""
    if tz.startswith(("+", "-")):
        return
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: part of a name, "Asia", is a folder
        offset = re.fullmatch(r"(?:UTC|GMT)([+-])(\d\d?)(?::?(\d\d))?", tz, re.IGNORECASE)
        if offset:
            near = f"; did you mean '{offset[1]}{offset[2]:0>2}:{offset[3] or '00'}'?"
        else:
            near = _core.did_you_mean(tz, sorted(available_timezones()))
        raise ParameterError(f"tz is {tz!r}, which is no time zone such as 'Asia/Shanghai'{near}") from None


#: The parameters of a log that may be None.
_OPTIONAL: Final = ("order_id", "discount", "tz", "date_format")


class _Log:
    """An order log on its way to the core and back: the frame, the columns it sends, the configuration."""

    def __init__(
        self,
        orders: Any,
        roles: Mapping[str, str | None],
        words: Mapping[str, str | None],
        *,
        as_of: Any,
        every_column: bool,
    ) -> None:
        self.frame = Frame(orders, "orders")
        for role, name in roles.items():
            if not isinstance(name, str) and (name is not None or role not in _OPTIONAL):
                raise TypeError(f"{role} is {name!r}; wanted the name of a column")
        given = {role: name for role, name in roles.items() if name is not None}
        for role in given.keys() - {"customer_id"}:
            if given[role] == given["customer_id"]:
                raise ParameterError(
                    f"customer_id= and {role}= both name the column '{given[role]}'; name the column of each"
                )
        self.frame.require(given.values())
        names = list(dict.fromkeys(given.values()))
        # A duplicate is equal in every column; otherwise the core need not see the others.
        others = [name for name in self.frame.names if name not in names] if every_column else []
        for word, value in words.items():
            if not isinstance(value, str) and (value is not None or word not in _OPTIONAL):
                raise TypeError(f"{word} is {value!r}; wanted text")
        if words["tz"] is not None:
            _known_zone(words["tz"])
        when = given["timestamp"]
        if self.frame.holds_floats(when):  # what pandas makes of no value at all; no numbers, then
            found = pa.table(self.frame.stream([when])).column(0)
            self.frame.absent = [when] if pc.is_null(found, nan_is_null=True).to_numpy().all() else []
        self.stream = self.frame.stream(names, with_nat=True, compared=others)
        self._config: dict[str, Any] = {role: names.index(name) for role, name in given.items()}
        self._config |= {**words, "names": [*names, *map(str, others)], "as_of": _day(as_of)}

    def config(self, **more: Any) -> str:
        """Give the configuration as the core reads it."""
        return json.dumps(self._config | more)


def _day(as_of: Any) -> str:
    """Give as_of as the core reads it: YYYY-MM-DD or max."""
    if isinstance(as_of, np.datetime64):
        day = as_of.astype("M8[D]")
        is_day = day == as_of and np.datetime_data(as_of)[0] not in "YM"
        return str(day if is_day else as_of)  # the core refuses a month, a year and a time of day
    if isinstance(as_of, dt.datetime):
        if pd.isna(as_of) or as_of.tzinfo is not None or as_of.time() != dt.time():
            raise ParameterError(
                f"as_of is {as_of}; wanted a date without a time of day or a zone: the whole day counts"
            )
        as_of = as_of.date()
    if isinstance(as_of, dt.date):
        return as_of.isoformat()
    if isinstance(as_of, str):
        return as_of
    raise TypeError(f"as_of is {as_of!r}; wanted a date, text such as '2026-06-30', or 'max'")


def _members(customers: Any, customer_id: str) -> Any:
    """Give a stream of one column of ids, from a frame that has it or from the ids themselves."""
    if isinstance(customers, (pa.Array, pa.ChunkedArray)):
        customers = pa.table({customer_id: customers})
    elif isinstance(customers, pd.MultiIndex):
        raise TypeError("customers is an index of several levels; wanted a list of ids, or a frame")
    elif isinstance(customers, (str, bytes)):
        raise TypeError(f"customers is {customers!r}; wanted a list of ids, such as [{customers!r}], or a frame")
    elif isinstance(customers, (list, tuple, set, frozenset, range)):
        customers = {customer_id: list(customers)}
    elif isinstance(customers, (np.ndarray, pd.api.extensions.ExtensionArray)):
        customers = {customer_id: customers}
    elif hasattr(customers, "to_frame"):
        customers = customers.to_frame(name=customer_id)
    return Frame(customers, "customers").stream([customer_id])
