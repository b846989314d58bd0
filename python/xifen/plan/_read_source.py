"""Reading the files a plan names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from xifen import _columns as c
from xifen._read import DataFile, pandas_frame
from xifen._warn import warn

__all__ = ["open_source", "read_source"]

#: What the columns of a source are, by our names: those that must be there, and those that may.
_KINDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "orders": {"ids": (c.CUSTOMER_ID,), "times": (c.TIMESTAMP,), "amounts": (c.AMOUNT,)},
    "customers": {"ids": (c.CUSTOMER_ID,)},
    "messages": {"ids": (c.CUSTOMER_ID,)},
}


def open_source(name: str, source: Mapping[str, Any], folder: Path) -> tuple[DataFile, dict[str, Any]]:
    """Give the file of a source, and its columns of ids, times and amounts, which must be there."""
    yours = source.get("columns", {})
    kinds: dict[str, Any] = {
        kind: [yours.get(column, column) for column in columns] for kind, columns in _KINDS[name].items()
    }
    kinds["ids"] += [yours["order_id"]] if "order_id" in yours else []
    if name == "messages" and c.TIMESTAMP in yours:
        kinds["times"] = [yours[c.TIMESTAMP]]
    options: dict[str, Any] = {
        option: source[option] for option in ("encoding", "delimiter", "sheet", "chinese", "dates") if option in source
    }
    return DataFile(folder / source["path"], **options, naming=f"Name yours by columns of [sources.{name}]"), kinds


def read_source(name: str, source: Mapping[str, Any], folder: Path, invalid: str) -> tuple[Any, dict[str, int]]:
    """Read one source; also what was converted on the way, counted."""
    file, kinds = open_source(name, source, folder)
    with file.naming_lines():
        read = file.read(drop=source.get("drop", ()), invalid=invalid, **kinds)
    if file.findings:
        warn(file.findings)
    counts = zip(read.conversions["column"], read.conversions["conversion"], read.conversions[c.ROWS], strict=True)
    return pandas_frame(read.table), {f"{column}, {conversion}": rows for column, conversion, rows in counts}
