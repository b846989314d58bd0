"""The tables commands write."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from xifen._atomic import replacing
from xifen._read import pandas_frame
from xifen._report import Language
from xifen.errors import InputError
from xifen.report import excel

__all__ = ["TABLES", "check_out", "write_customers"]

TABLES: Final = (".csv", ".parquet", ".xlsx")

#: What pip installs only with xifen[report].
_NEEDED: Final = {".html": ("altair", "vl_convert"), ".xlsx": ("xlsxwriter",)}


def check_out(out: Path, kinds: tuple[str, ...], read: Mapping[str, Path] | None = None) -> bool:
    """Refuse a name that cannot be written, or is that of a file that is read; tell whether an earlier file is replaced."""
    if out.suffix.lower() not in kinds:
        *others, last = kinds
        listed = f"{', '.join(others)} and {last}" if others else last
        raise InputError(f"{out}: xifen writes {listed} here; give such a name")
    absent = [name for name in _NEEDED.get(out.suffix.lower(), ()) if find_spec(name) is None]
    if absent:
        raise InputError(f'{out} needs {" and ".join(absent)}; install with: pip install "xifen[report]"')
    for what, source in (read or {}).items():
        if out.exists() and source.exists() and out.samefile(source):
            raise InputError(f"{out} is the {what} itself, which would be lost; give another name")
    if out.is_dir():
        raise InputError(f"{out} is a directory; give the name of a file in it, such as {out / f'segments{kinds[0]}'}")
    folder = out.resolve().parent  # where a link leads
    if not folder.is_dir():
        raise InputError(f"{out}: there is no directory {folder}; make it, or give another name")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{out}: the directory {folder} cannot be written; give another name")
    return out.exists()


def write_customers(table: pa.Table, out: Path, lang: Language) -> None:
    """Write customers as csv, parquet or a workbook, whole or not at all."""
    frame = pandas_frame(table)
    if out.suffix.lower() == ".xlsx":
        excel.write_table(frame, out, lang=lang.value)
        return
    with replacing(out) as temporary:
        if out.suffix.lower() == ".parquet":
            # pandas' own notes in the file bring its whole numbers back whole.
            schema = table.schema.remove_metadata()
            pa_parquet.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False), temporary)
        else:
            frame.to_csv(temporary, index=False, encoding="utf-8-sig")  # the mark lets Excel see Chinese
