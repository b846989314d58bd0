"""Reading the files a plan names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from xifen.errors import InputError

__all__ = ["read_source"]


def read_source(name: str, source: Mapping[str, Any], folder: Path) -> tuple[Any, dict[str, int]]:
    """Read one source; also what was converted on the way, counted."""
    path = folder / source["path"]
    if not path.is_file():
        raise InputError(f"[sources.{name}] names {path}, which is no file")
    if path.suffix.lower() == ".parquet":
        return pd.read_parquet(path), {}
    ids = source.get("columns", {}).get("customer_id", "customer_id")
    table = pd.read_csv(path, encoding=source.get("encoding"), sep=source.get("delimiter", ","), dtype={ids: str})
    return table, {}
