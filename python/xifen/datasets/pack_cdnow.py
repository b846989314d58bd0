"""Make ``cdnow.parquet`` from the two text files that the wheel of `lifetimes` carries.

How it was made, from an empty directory::

    pip download --no-deps --only-binary :all: lifetimes==0.11.3
    unzip -j Lifetimes-0.11.3-py3-none-any.whl 'lifetimes/datasets/CDNOW_*.txt'
    python -m xifen.datasets.pack_cdnow CDNOW_master.txt CDNOW_sample.txt cdnow.parquet

The text is checked before it is packed: the counts must be the published ones, and every line of the sample must be
a line of the whole log.
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["pack_cdnow"]

ORDERS, CUSTOMERS = 69_659, 23_570
SAMPLE_ORDERS, SAMPLE_CUSTOMERS = 6_919, 2_357


def pack_cdnow(master: Path, sample: Path, packed: Path) -> None:
    """Write `packed`, one row per line of `master`, with a column that says who is in `sample`.

    Parameters
    ----------
    master : Path
        CDNOW_master.txt: a line of headings, then customer, day as YYYYMMDD, number of CDs, dollars.
    sample : Path
        CDNOW_sample.txt: customer, number within the sample, day, number of CDs, dollars.
    packed : Path
        The parquet file to write.

    Raises
    ------
    ValueError
        The files are not the published ones.
    """
    orders = [tuple(line.split()) for line in master.read_text("ascii").splitlines()[1:]]
    sampled = [(customer, *rest) for customer, _, *rest in map(str.split, sample.read_text("ascii").splitlines())]
    members = {customer for customer, *_ in sampled}
    found = len(orders), len({customer for customer, *_ in orders}), len(sampled), len(members)
    if found != (ORDERS, CUSTOMERS, SAMPLE_ORDERS, SAMPLE_CUSTOMERS):
        raise ValueError(f"these are not the published files: orders, customers (all, then sample) are {found}")
    if Counter(sampled) != Counter(order for order in orders if order[0] in members):
        raise ValueError("the sample's orders are not those of its customers in the whole log")

    customers, days, quantities, dollars = zip(*orders, strict=True)
    table = pa.table(
        {
            "customer_id": pa.array(map(int, customers), pa.int64()),
            "timestamp": pa.array(map(date.fromisoformat, days), pa.date32()),
            "amount": pa.array(map(float, dollars), pa.float64()),
            "quantity": pa.array(map(int, quantities), pa.int64()),
            "sample": pa.array(customer in members for customer in customers),
        }
    )
    # The ids rise by 0 or 1, so their differences take a tenth of the room of a dictionary.
    pq.write_table(
        table,
        packed,
        compression="zstd",
        compression_level=22,
        use_dictionary=["timestamp", "amount", "quantity"],
        column_encoding={"customer_id": "DELTA_BINARY_PACKED"},
        data_page_size=1 << 24,
        write_statistics=False,
        store_schema=False,
    )


if __name__ == "__main__":
    pack_cdnow(*map(Path, sys.argv[1:]))
