"""What rules are given besides their text: parameters, some of them learned from a frame, and domains."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xifen import _core
from xifen._frame import Frame
from xifen.errors import InputError, ParameterError

__all__ = ["constant", "domain_of", "learned", "rewritten", "unlearned"]

#: mean(column), median("column").
_LEARNED: Final = re.compile(r'\s*(mean|median)\s*\(\s*(?:"((?:[^"]|"")+)"|([^()"]*[^()"\s]))\s*\)\s*', re.IGNORECASE)
#: top_share(column, 0.8).
_TOP: Final = re.compile(
    r'\s*(top_share)\s*\(\s*(?:"((?:[^"]|"")+)"|([^()"]*[^()"\s]))\s*,\s*([-+.\w]+)\s*\)\s*', re.IGNORECASE
)


def unlearned(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Give each parameter its value, with any number in place of what is to be learned: enough to check the rules."""
    return {name: 0.5 if _asked(value) else value for name, value in parameters.items()}


def learned(parameters: Mapping[str, Any], frame: Frame, n_jobs: int | None) -> dict[str, Any]:
    """Give each parameter its value; "mean(column)" and its like are learned from the frame."""
    values = dict(parameters)
    asked = [(name, *found) for name, value in values.items() if (found := _asked(value))]
    for _, _, column, _ in asked:
        frame.require([column])
    values.update({name: _least_of_the_top(frame, column, share) for name, _, column, share in asked if share})
    means = [
        {"name": name, "statistic": statistic, "column": column}
        for name, statistic, column, share in asked
        if not share
    ]
    if means:
        together = list(dict.fromkeys(item["column"] for item in means))
        config = json.dumps([{**item, "position": together.index(item["column"])} for item in means])
        numbers = _core.rules_learn(frame.stream(together), config, n_jobs)
        values.update({item["name"]: number for item, number in zip(means, numbers, strict=True)})
    return values


def _least_of_the_top(frame: Frame, name: str, share: float) -> float:
    """Give the least value of the largest ones that have this share of the sum together."""
    column = pa.table(frame.stream([name])).column(0)
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise InputError(f"column '{name}' holds {kind}; top_share wants numbers: convert it")
    values = column.cast(pa.float64()).to_numpy()
    if np.isinf(values).any():
        row = int(np.isinf(values).argmax())
        raise InputError(f"column '{name}' is infinite in row {row}; infinity is never data: correct or drop the row")
    positive = pc.filter(column, pa.array(values > 0))
    amounts, counts = np.unique(values[values > 0], return_counts=True)
    if len(amounts) == 0:
        raise InputError(f"column '{name}' holds nothing above 0, of which top_share could be taken")
    # From the largest down, so that the order of the rows changes nothing.
    amounts, counts = amounts[::-1], counts[::-1]
    above = np.concatenate(([0.0], np.cumsum(amounts * counts)))
    wanted = Decimal(repr(share)) * _sum(positive)
    # The sums so far are rounded: those next to the border are made again.
    place = int(np.searchsorted(above[1:-1], float(wanted)))
    while place > 0 and not _sum(pc.filter(positive, _at_least(positive, amounts[place - 1]))) < wanted:
        place -= 1
    while place < len(amounts) - 1 and _sum(pc.filter(positive, _at_least(positive, amounts[place]))) < wanted:
        place += 1
    # Arrow makes floats of decimals that are off in the last digit.
    return float(pc.min(pc.filter(positive, _at_least(positive, amounts[place]))).as_py())


def _at_least(column: pa.ChunkedArray, amount: float) -> pa.Array:
    return pa.array(column.cast(pa.float64()).to_numpy() >= amount)


def _sum(column: pa.ChunkedArray) -> Decimal:
    """Give the exact sum; of floats, the nearest one as it is written."""
    if pa.types.is_floating(column.type):
        return Decimal(repr(math.fsum(column.to_numpy())))
    scale = column.type.scale if pa.types.is_decimal(column.type) else 0
    total: Decimal = pc.sum(column.cast(pa.decimal256(76, scale))).as_py()
    return total


def _asked(value: Any) -> tuple[str, str, float | None] | None:
    """Tell what is to be learned (statistic, column, share) from text that is meant as it stands."""
    found = (_LEARNED.fullmatch(value) or _TOP.fullmatch(value)) if isinstance(value, str) else None
    if found is None:
        return None
    column = found[2].replace('""', '"') if found[2] else found[3]
    if found.re is _LEARNED:
        return found[1].lower(), column, None
    try:
        share = float(found[4])
    except ValueError:
        share = math.nan
    if not 0 < share <= 1:
        raise ParameterError(f"{value!r} asks for the share {found[4]}; wanted one above 0 and up to 1, as in 0.8")
    return "top_share", column, share


def constant(what: str, value: Any) -> bool | int | float | str | dict[str, str]:
    """Give a number, text, truth value, date or datetime as JSON has it."""
    if isinstance(value, np.generic) and not isinstance(value, np.datetime64):
        value = value.item()
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise ParameterError(f"{what} is {value}; wanted a finite number")
    if isinstance(value, Decimal):
        if value.is_finite():
            return {"decimal": str(value)}
        raise ParameterError(f"{what} is {value}; wanted a finite number")
    if value is pd.NaT:
        raise ParameterError(f"{what} is missing; wanted a date")
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            raise ParameterError(
                f"{what} knows its time zone; give the wall clock without it: value.replace(tzinfo=None)"
            )
        if getattr(value, "nanosecond", 0):
            raise ParameterError(f"{what} has parts of a microsecond, which no rule can write; round it")
        return {"timestamp": value.isoformat(timespec="microseconds")}
    if isinstance(value, dt.date):
        return {"date": value.isoformat()}
    raise TypeError(f"{what} is {value!r}; wanted a number, text, True or False, a date or a datetime")


def domain_of(name: str, domain: Any) -> dict[str, list[Any]]:
    """Which of the three forms a domain has."""
    what = f"the domain of '{name}'"
    if isinstance(domain, tuple):
        pair = [constant(what, bound) for bound in domain]
        numbers = [bound for bound in pair if isinstance(bound, (int, float)) and not isinstance(bound, bool)]
        if len(pair) != 2 or len(numbers) != 2:
            raise ParameterError(f"{what} is {domain!r}; a pair is (lowest, highest), a list names every value")
        whole = all(isinstance(bound, int) for bound in numbers)
        if whole and not all(-(2**63) <= bound < 2**63 for bound in numbers):
            raise ParameterError(
                f"{what} is {domain!r}; whole numbers have up to 64 bits, others are written with a point"
            )
        return {"whole": numbers} if whole else {"interval": [float(bound) for bound in numbers]}
    if isinstance(domain, (list, np.ndarray)):
        return {"list": [constant(what, member) for member in domain]}
    raise TypeError(f"{what} must be a pair (lowest, highest) or a list of values; got {domain!r}")


def rewritten(rules: Mapping[str, str], columns: Mapping[str, str] | None = None) -> dict[str, str]:
    """Write rules anew, with other names for columns, and quotes only around names that need them."""
    config = {"rules": [{"label": label, "text": text} for label, text in rules.items()], "unknown": "stop"}
    return dict(zip(rules, _core.rules_renamed(json.dumps(config), list((columns or {}).items())), strict=True))
