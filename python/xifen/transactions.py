"""Tables made from an order log: one row per customer, and a ledger of what became of every row."""

from __future__ import annotations

import datetime as dt
import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from xifen import _columns as c
from xifen import _core
from xifen._frame import Column, Frame, Masked, Times
from xifen.errors import ParameterError

__all__ = ["release_memory", "rfm_table"]


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
    roles = {"customer_id": customer_id, "timestamp": timestamp, "amount": amount}
    roles |= {"order_id": order_id, "discount": discount}
    if isinstance(windows, str):
        raise TypeError(f"windows is the text {windows!r}; give a list such as ['90D', '12M']")
    frame, stream, config = _log(
        orders, roles, as_of=as_of, tz=tz, date_format=date_format, returns=returns, duplicates=duplicates, invalid=invalid
    )
    config = json.dumps(config | {"windows": list(windows)})
    members = None if customers is None else _members(customers, customer_id)
    found = _core.rfm_table(stream, members, config, n_jobs)
    _warn(found["warning"])
    return _table(frame, found, roles)


def release_memory() -> int:
    """Give the working memory kept between calls back to the system.

    Tables over large logs reuse their scratch buffers (up to 512 MiB in all), because touching fresh memory
    takes longer than the work on it. Results never depend on them.

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


def _log(orders: Any, roles: Mapping[str, str | None], *, as_of: Any, duplicates: str, **texts: Any) -> Any:
    """Give the frame, the stream of the columns the core needs and the configuration."""
    frame = Frame(orders, "orders")
    given = {role: name for role, name in roles.items() if name is not None}
    frame.require(given.values())
    names = list(dict.fromkeys(given.values()))
    if duplicates == "drop":  # only then does the core have to see every column
        names += [name for name in frame.names if name not in names]
    config = {role: names.index(name) for role, name in given.items()}
    for parameter, value in {"duplicates": duplicates, **texts}.items():
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{parameter} is {value!r}; wanted text")
    return frame, frame.stream(names), {**config, **texts, "names": names, "as_of": _day(as_of), "duplicates": duplicates}


def _day(as_of: Any) -> str:
    if isinstance(as_of, np.datetime64):
        as_of = pd.Timestamp(as_of)
    if isinstance(as_of, dt.datetime):
        if as_of is pd.NaT or as_of.tzinfo is not None or as_of.time() != dt.time():
            raise ParameterError(f"as_of is {as_of}; wanted a date without a time of day or time zone: the whole day counts")
        as_of = as_of.date()
    if isinstance(as_of, dt.date):
        return as_of.isoformat()
    if isinstance(as_of, str):
        return as_of
    raise TypeError(f"as_of is {as_of!r}; wanted a date, text such as '2026-06-30', or 'max'")


def _members(customers: Any, customer_id: str) -> Any:
    """Give a stream of one column of ids from a frame that has one, or from the ids themselves."""
    if hasattr(customers, "to_frame"):
        customers = customers.to_frame(name=customer_id)
    elif isinstance(customers, (pa.Array, pa.ChunkedArray)):
        customers = pa.table({customer_id: customers})
    elif isinstance(customers, (list, tuple, set, frozenset, np.ndarray)):
        ids = customers if isinstance(customers, np.ndarray) else list(customers)
        customers = {customer_id: ids}
    return Frame(customers, "customers").stream([customer_id])


def _table(frame: Frame, found: Mapping[str, Any], roles: Mapping[str, str | None]) -> Any:
    """Put the core's columns into a table of the caller's kind, ids and times as the caller had them."""
    columns: dict[str, Column] = {}
    for name, values in found["columns"].items():
        if name == c.CUSTOMER_ID:
            columns[roles["customer_id"]] = values
        elif name in (c.FIRST_PURCHASE, c.LAST_PURCHASE):
            columns[name] = Times(values, found["unit"], found["zone"])
        else:
            columns[name] = Masked(*values) if isinstance(values, tuple) else values
    return frame.new(columns, like={roles["customer_id"]: roles["customer_id"]})


def _warn(message: str | None) -> None:
    if message is not None:
        warnings.warn(message, UserWarning, stacklevel=3)
