"""What a caller says about columns and cuts, as JSON can carry it; Rust checks what it means."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from xifen import _core
from xifen.errors import ParameterError

__all__ = [
    "BinEdges",
    "as_json",
    "column_names",
    "cuts_by_column",
    "is_fitted_edges",
    "known_columns",
    "of_column",
    "other_names",
    "renamed",
    "threads",
]


class BinEdges(dict[str, np.ndarray]):
    """The inner edges of each column, ascending: a dict that also knows to which bin each edge belongs.

    Given as ``edges=`` to another estimator it makes the same bins again.

    Attributes
    ----------
    closed : dict of str to list of {"right", "left"}
        Per column and edge, "right" (x <= edge is lower) or "left" (x < edge is lower).
    """

    def __init__(self, edges: Mapping[str, np.ndarray], closed: Mapping[str, Sequence[str]]) -> None:
        super().__init__(edges)
        self.closed = {column: list(sides) for column, sides in closed.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self), self.closed)


def column_names(parameter: str, value: Any) -> list[str]:
    """Read a list of column names."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        raise ParameterError(f"{parameter} is {value!r}; wanted a list of column names")
    names = list(value)
    for place, name in enumerate(names):
        if not isinstance(name, str):
            raise ParameterError(f"{parameter} holds {name!r}; wanted column names, which are text")
        if name in names[:place]:
            raise ParameterError(f"{parameter} names '{name}' twice; name each column once")
    return names


def array_names(count: int) -> list[str]:
    """Name the columns of an array as scikit-learn does."""
    return [f"x{position}" for position in range(count)]


def known_columns(parameter: str, found: Iterable[Any], columns: list[str]) -> None:
    for name in found:
        if name not in columns:
            near = _core.did_you_mean(str(name), columns)
            raise ParameterError(f"{parameter} names {name!r}, which is not one of {', '.join(columns)}{near}")


def other_names(parameter: str, value: Any) -> dict[str, str]:
    """Read a mapping of our names of columns to the caller's."""
    if not isinstance(value or {}, Mapping):
        raise ParameterError(f"{parameter} is {value!r}; wanted a mapping of xifen's names to yours")
    for ours, yours in (value or {}).items():
        if not isinstance(yours, str) or not yours:
            raise ParameterError(f"{parameter} calls {ours!r} {yours!r}; wanted the name of your column, which is text")
    return dict(value or {})


def renamed(default: Iterable[str], output: Any) -> dict[str, str]:
    """Map the default name of every added column to the name `output` gives it, or to itself."""
    names = list(default)
    output = {} if output is None else output
    if not isinstance(output, Mapping):
        raise ParameterError(f"output is {output!r}; wanted a mapping from default names to new names")
    known_columns("output", output, names)
    added = column_names("the added columns", [output.get(name, name) for name in names])
    return dict(zip(names, added, strict=True))


def is_fitted_edges(value: Any) -> bool:
    """Whether this is another estimator's `bin_edges_`, or that and its `closed_`."""
    if isinstance(value, tuple) and len(value) == 2:
        return all(isinstance(part, Mapping) for part in value)
    return isinstance(value, BinEdges)


def cuts_by_column(value: Any) -> Any:
    """Turn another estimator's edges into cuts by column, and leave any other parameter as it is."""
    if not is_fitted_edges(value):
        return value
    edges, closed = (value, value.closed) if isinstance(value, BinEdges) else value
    known_columns("closed", closed, list(edges))
    for column, values in edges.items():
        if len(closed.get(column, ())) != len(values) or not set(closed[column]) <= {"left", "right"}:
            raise ParameterError(
                f"closed of '{column}' must say 'left' or 'right' for each edge, of which it has {len(values)}"
            )
    return {
        column: [
            f"< {edge!r}" if side == "left" else edge
            for edge, side in zip(map(float, values), closed[column], strict=True)
        ]
        for column, values in edges.items()
    }


def of_column(parameter: str, value: Any, column: str) -> Any:
    """Pick what a parameter says for one column, as JSON can hold it."""
    return as_json(parameter, value.get(column) if isinstance(value, Mapping) else value)


def threads(n_jobs: Any) -> int | None:
    """Read a number of threads; Rust says which there can be."""
    try:
        return None if n_jobs is None else max(-(2**62), min(operator.index(n_jobs), 2**62))
    except TypeError:
        raise TypeError(f"n_jobs is {n_jobs!r}; wanted a whole number of threads, or None for all processors") from None


def as_json(parameter: str, value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no such number; Rust's message shows the word
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Iterable):
        return [as_json(parameter, item) for item in value]
    raise ParameterError(f"{parameter} holds {value!r}, a {type(value).__name__}; wanted numbers or text")
