"""Peak memory of rfm_table over its input, each measurement in a process of its own (Linux only).

`python memory.py FILE CALL` is that process: it loads the log, warms the call on a few rows, resets
the kernel's high-water mark, calls, and prints one JSON object.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import transactions
import xifen as xf
from harness import table

MOST = 1.5  # extra peak over the input, outputs included
CALLS: dict[str, Callable[[pa.Table], Callable[[], object]]] = {
    "xifen, pandas in": lambda orders: partial(xf.rfm_table, as_pandas(orders), as_of=transactions.AS_OF),
    "xifen, polars in": lambda orders: partial(xf.rfm_table, pl.from_arrow(orders), as_of=transactions.AS_OF),
    "polars streaming, all columns": lambda orders: partial(
        transactions.with_polars, pl.from_arrow(orders), "streaming", every=True
    ),
    "duckdb, all columns": lambda orders: partial(transactions.with_duckdb, orders, every=True),
}


class Memory:
    """A table of peaks: each call, at each number of rows, for one kind of ids."""

    def __init__(self, sizes: list[tuple[int, int]], kind: str) -> None:
        self.sizes, self.kind = sizes, kind

    def run(self, title: str, *, quick: bool = False) -> str:
        calls = list(CALLS)[: 1 if quick else None]  # a process each: they take their time to start
        head = ["rows", "input, MB", *calls]
        rows = []
        for count, customers in self.sizes:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "orders.arrow"
                orders, _ = transactions.order_log(count, customers, self.kind)
                with pa.ipc.new_file(file, orders.schema) as writer:
                    writer.write_table(orders.combine_chunks())
                row = [f"{count:,}", f"{orders.nbytes / 1e6:.1f}"]
                for call in calls:
                    extra = measure(file, call)
                    met = "met" if extra <= MOST * orders.nbytes else "**not met**"
                    judged = not quick and count == self.sizes[-1][0] and call.startswith("xifen")
                    verdict = f" ({met})" if judged else ""
                    row.append(f"{extra / 1e6:.0f} MB, {extra / orders.nbytes:.2f}x{verdict}")
                rows.append(row)
        wanted = f"Wanted at {self.sizes[-1][0]:,} rows: at most {MOST} times the input, outputs included."
        return f"### {title}\n\n{wanted}\n\n{table(head, rows)}"


def measure(file: Path, call: str) -> int:
    """Bytes that the call needed at its peak beyond what the process held before."""
    done = subprocess.run([sys.executable, __file__, file, call], capture_output=True, text=True, check=True)
    return int(json.loads(done.stdout)["extra"])


def as_pandas(orders: pa.Table) -> pd.DataFrame:
    return orders.to_pandas(split_blocks=True)


def status(key: str) -> int:
    """A figure of /proc/self/status in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def child(file: str, call: str) -> None:
    with pa.ipc.open_file(pa.OSFile(file)) as reader:
        orders = reader.read_all()
    CALLS[call](orders.slice(0, 1000))()  # threads and first imports are not the call's memory
    ready = CALLS[call](orders)
    pa.default_memory_pool().release_unused()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the high-water mark falls to what is held now
    before = status("VmRSS")
    result = ready()
    print(json.dumps({"extra": status("VmHWM") - before, "rows": len(result)}))


def benches(*, quick: bool) -> Iterator[tuple[str, Callable[[], Memory]]]:
    if not Path("/proc/self/clear_refs").exists():
        return
    sizes = [(2_000, 300)] if quick else [(10**power, 10 ** (power - 1)) for power in (5, 6, 7)]
    for kind in transactions.KINDS[:1] if quick else transactions.KINDS:
        yield f"Peak memory of rfm_table, {kind}", partial(Memory, sizes, kind)


if __name__ == "__main__":
    child(*sys.argv[1:])
