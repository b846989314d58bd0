"""The CDNOW order log, packed beside this file as ``cdnow.parquet`` (see NOTICE and `pack_cdnow`)."""

from __future__ import annotations

from importlib import resources
from typing import Any, Literal

import pyarrow.compute as pc
import pyarrow.parquet as pq

from xifen.errors import ParameterError

__all__ = ["load_cdnow"]


def load_cdnow(kind: Literal["pandas", "polars", "pyarrow"] = "pandas", *, sample: bool = False) -> Any:
    """Load the CDNOW order log: every order of 23,570 customers of an online music shop.

    The customers are all who bought for the first time in the first quarter of 1997; their orders run to the end
    of June 1998. It is the log on which most models of repeat buying were published.

    Parameters
    ----------
    kind : {"pandas", "polars", "pyarrow"}, default "pandas"
        The kind of table to return.
    sample : bool, default False
        Only the orders of the 2,357 customers whom the published models were fitted to (one customer in ten;
        6,919 orders), under the ids they have in the whole log.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table
        One row per order, 69,659 in all, by customer and then by date:

        - customer_id, int64: 1 to 23570
        - timestamp: the calendar day of the order (pandas: datetime64 at midnight; polars and pyarrow: a date)
        - amount, float64: US dollars, to the cent; 80 orders cost nothing, none is negative
        - quantity, int64: how many CDs

        255 orders equal another in every column. They are kept as they came.

    Raises
    ------
    ParameterError
        `kind` is none of the three.

    References
    ----------
    The log is published for research by Bruce Hardie at https://www.brucehardie.com/datasets/. It was first used in
    Fader, P. S. and Hardie, B. G. S. (2001), "Forecasting repeat sales at CDNOW: a case study", Interfaces 31(3),
    S94-S107, and the sample in Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005), "'Counting your customers' the
    easy way: an alternative to the Pareto/NBD model", Marketing Science 24(2), 275-284.

    Examples
    --------
    >>> from xifen.datasets import load_cdnow
    >>> orders = load_cdnow()
    >>> orders.shape
    (69659, 4)
    >>> orders.head(3)
       customer_id  timestamp  amount  quantity
    0            1 1997-01-01   11.77         1
    1            2 1997-01-12   12.00         1
    2            2 1997-01-12   77.00         5
    """
    if kind not in ("pandas", "polars", "pyarrow"):
        raise ParameterError(f"kind must be 'pandas', 'polars' or 'pyarrow'; got {kind!r}")
    with resources.files("xifen.datasets").joinpath("cdnow.parquet").open("rb") as file:
        table = pq.read_table(file)
    if sample:
        table = table.filter(pc.field("sample"))
    table = table.drop_columns("sample")
    if kind == "pandas":
        return table.to_pandas(date_as_object=False)
    if kind == "polars":
        import polars as pl

        return pl.from_arrow(table)
    return table
