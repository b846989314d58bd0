"""Which values of a column are equal, whatever kind of column it is: what a duplicate order is judged by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

__all__ = ["as_integers", "codes", "is_read"]

#: The one missing value, whether it was None, NaN, NaT or NA.
MISSING = object()


def is_read(kind: pa.DataType) -> bool:
    """Whether Rust reads such a column: `wanted_type` in convert.rs."""
    if isinstance(kind, pa.BaseExtensionType) or pa.types.is_decimal256(kind):
        return False
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return is_read(kind.value_type)
    named = ["null", "boolean", "integer", "floating", "decimal", "string", "large_string", "string_view", "date"]
    return any(getattr(pa.types, f"is_{name}")(kind) for name in [*named, "timestamp"])


def as_integers(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Give a column Rust does not read with the numbers that its times are stored as: Python's have fewer digits and years."""
    if is_read(array.type):
        return array
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    return array.cast(_stored(array.type))


def _stored(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        return _stored(kind.storage_type)
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return pa.int32() if kind.bit_width == 32 else pa.int64()
    if pa.types.is_struct(kind):
        fields = [kind.field(place) for place in range(kind.num_fields)]
        return pa.struct([field.with_type(_stored(field.type)) for field in fields])
    if pa.types.is_map(kind):
        return pa.map_(_stored(kind.key_type), _stored(kind.item_type))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_stored(kind.value_type), kind.list_size)
    if pa.types.is_large_list(kind):
        return pa.large_list(_stored(kind.value_type))
    return pa.list_(_stored(kind.value_type)) if pa.types.is_list(kind) else kind


def codes(values: Iterable[Any]) -> list[int | None]:
    """Number the values in order of appearance, equal ones alike; missing is None.

    Raises
    ------
    TypeError
        Some have no notion of being equal.
    """
    found: dict[Any, int] = {}
    frozen = map(_frozen, values)
    return [None if value is MISSING else found.setdefault(value, len(found)) for value in frozen]


def _frozen(value: Any) -> Any:
    """Give something hashable that is equal where the values are."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        return dict, frozenset((_frozen(key), _frozen(own)) for key, own in value.items())
    if isinstance(value, (list, tuple)):
        return list, tuple(map(_frozen, value))
    if isinstance(value, (set, frozenset)):
        return set, frozenset(map(_frozen, value))
    return MISSING if pd.isna(value) is True else value
