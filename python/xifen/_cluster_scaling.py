"""What makes measures comparable before they are grouped: logarithms, caps, and robust scales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from xifen._cuts import column_names, known_columns
from xifen._warn import warn
from xifen.errors import ParameterError

__all__ = ["learned_scaling", "scaled"]

#: Above this skewness a measure is logged (Bulmer 1979: highly skewed).
_SKEWED: Final = 1.0
#: The interquartile range of a normal distribution with standard deviation 1.
_NORMAL_RANGE: Final = 1.3489795003921634


def learned_scaling(values: np.ndarray, columns: Sequence[str], log: Any, cap: Any) -> dict[str, dict[str, Any]]:
    """Learn, per column, whether it is logged, its caps, its centre and its scale."""
    logged = _logged_columns(columns, log)
    probabilities = _cap(cap)
    scaling = {}
    for column, raw in zip(columns, values.T, strict=True):
        wanted = column in logged if logged is not None else _skewness(raw) > max(_SKEWED, _skewness(_log(raw)))
        measure = _log(raw) if wanted else raw
        low, high = np.quantile(measure, probabilities)
        measure = np.clip(measure, low, high)
        lower, centre, upper = np.quantile(measure, (0.25, 0.5, 0.75))
        scale = (upper - lower) / _NORMAL_RANGE or _deviation(measure)
        if scale == 0:
            warn(
                f"column '{column}' is constant{' between its caps' if raw.min() < raw.max() else ''}: it tells no rows "
                "apart; leave it out, or give wider caps"
            )
        scaling[column] = {
            "log": bool(wanted),
            "low": float(low),
            "high": float(high),
            "centre": float(centre),
            "scale": float(scale or 1.0),
        }
    return scaling


def scaled(values: np.ndarray, scaling: dict[str, dict[str, Any]]) -> np.ndarray:
    """Log, cap and scale columns as learned."""
    out = np.empty(values.shape)
    for place, (column, raw) in enumerate(zip(scaling.values(), values.T, strict=True)):
        measure = np.clip(_log(raw) if column["log"] else raw, column["low"], column["high"])
        out[:, place] = (measure - column["centre"]) / column["scale"]
    return out


def _log(values: np.ndarray) -> np.ndarray:
    """Take the logarithm of 1 + |x|, with the sign of x."""
    logs: np.ndarray = np.copysign(np.log1p(np.abs(values)), values)
    return logs


def _deviation(values: np.ndarray) -> float:
    largest = float(np.abs(values).max())
    return float(np.std(values / largest)) * largest if values.min() < values.max() else 0.0


def _skewness(values: np.ndarray) -> float:
    if not values.min() < values.max():
        return 0.0
    unit = values / np.abs(values).max()  # so that no power overflows
    unit = unit - unit.mean()
    squared = unit * unit
    return float(np.mean(squared * unit) / max(np.mean(squared), np.finfo(float).tiny) ** 1.5)


def _logged_columns(columns: Sequence[str], log: Any) -> list[str] | None:
    """Name the columns to be logged; None where their skewness decides."""
    if isinstance(log, str) and log == "auto":
        return None
    if isinstance(log, bool):
        return list(columns) if log else []
    if isinstance(log, str):
        raise ParameterError(f"log is {log!r}; wanted 'auto', True, False or a list of column names")
    logged = column_names("log", log)
    known_columns("log", logged, list(columns))
    return logged


def _cap(cap: Any) -> tuple[float, float]:
    if cap is None:
        return 0.0, 1.0
    try:
        low, high = (float(probability) for probability in cap)
    except (TypeError, ValueError):
        low, high = 1.0, 0.0
    if not 0 <= low < high <= 1:
        raise ParameterError(f"cap is {cap!r}; wanted two quantiles such as (0.01, 0.99), or None for no caps")
    return low, high
