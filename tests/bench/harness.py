"""Side by side: calls on the same data, in the same process, taking turns; equal results first, times after."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

ROUNDS = (5, 25)  # at least, at most
ENOUGH_SECONDS = 2.0  # rounds beyond the least are only run while the bench has taken less than this


class DifferenceError(AssertionError):
    """A rival's result is not ours, so its time would mean nothing."""


@dataclass(frozen=True)
class Bench:
    """Calls that answer one question; those of `ours` are held against each of `rivals`.

    `wanted` maps the beginning of a rival's name to the ratios asked for, one per call of `ours` in their order; None
    where its result is not of the same kind.
    `check` sees the columns of our first call and raises if they are wrong by a reference of its own.
    """

    ours: Mapping[str, Callable[[], Any]]
    rivals: Mapping[str, Callable[[], Any]]
    wanted: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    check: Callable[[Mapping[str, pa.Array]], None] = lambda _: None
    note: str = ""
    #: Seconds before each call, where threads of a rival look for work for a while (OpenMP's 10 ms, OpenBLAS's 30 ms):
    #: that would be the next call's time.
    rest: float = 0.0

    def run(self, title: str, *, quick: bool = False) -> str:
        """Compare, time, and write the table; `quick` takes few times and gives no verdict on them."""
        counts = self._compare()
        times = _alternate({**self.ours, **self.rivals}, (1, 1) if quick else ROUNDS, self.rest)
        medians = {name: statistics.median(taken) for name, taken in times.items()}
        head = ["call", "ms: median (min..max)", "columns", *(f"{name} is faster by" for name in self.ours)]
        rows = []
        for name, taken in times.items():
            row = [name, f"{_ms(medians[name])} ({_ms(min(taken))}..{_ms(max(taken))})", str(counts[name])]
            for place, our in enumerate(self.ours):
                ratio = medians[name] / medians[our]
                verdict = "" if quick else self._verdict(name, place, ratio)
                row.append(f"{ratio:.2f}x{verdict}" if name in self.rivals else "")
            rows.append(row)
        rest = f"Each call after a rest of {self.rest * 1e3:.0f} ms." if self.rest else ""
        return "\n\n".join(filter(None, [f"### {title}", f"{self.note} {rest}".strip(), table(head, rows)]))

    def _verdict(self, rival: str, place: int, ratio: float) -> str:
        for start, wanted in self.wanted.items():
            least = wanted[place]
            if rival.startswith(start) and least is not None:
                return f", wanted {least:g}x: {'met' if ratio >= least else '**not met**'}"
        return ""

    def _compare(self) -> dict[str, int]:
        """Run every call once, which warms it, and hold its columns to those of our first call."""
        reference: dict[str, pa.Array] = {}
        counts = {}
        for name, call in {**self.ours, **self.rivals}.items():
            found = columns_of(call())
            counts[name] = len(found)
            if not reference:
                reference = found
                self.check(reference)
            if name in self.ours and list(found) != list(reference):
                raise DifferenceError(f"{name} has columns {list(found)}, not {list(reference)}")
            for column, values in found.items():
                if column not in reference:
                    raise DifferenceError(f"{name} has a column {column}, which we do not compute")
                difference = differs(reference[column], values, exact=name in self.ours)
                if difference:
                    raise DifferenceError(f"{name}: {column}: {difference}")
        return counts


def _alternate(calls: Mapping[str, Callable[[], Any]], rounds: tuple[int, int], rest: float) -> dict[str, list[float]]:
    """Seconds of each call, in rounds: forwards and backwards by turns, so none always follows the same other."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    gc.collect()
    gc.freeze()  # what stands is not walked through before each call, which would empty the processor's caches
    began = time.perf_counter()
    least, most = rounds
    for turn in range(most):
        if turn >= least and time.perf_counter() - began > ENOUGH_SECONDS:
            break
        for name in list(calls)[:: -1 if turn % 2 else 1]:
            gc.collect()
            time.sleep(rest)
            start = time.perf_counter()
            result = calls[name]()
            times[name].append(time.perf_counter() - start)
            del result  # its memory is given back outside the time
    gc.unfreeze()
    return times


def columns_of(result: Any) -> dict[str, pa.Array]:
    """Columns of a frame of any kind in one form: int64, float64, microseconds, text; missing is null."""
    if isinstance(result, dict):
        found = {name: pa.array(values, from_pandas=True) for name, values in result.items()}
    else:
        if isinstance(result, pd.DataFrame):
            result = pa.Table.from_pandas(result, preserve_index=False)
        elif not isinstance(result, pa.Table):
            result = result.to_arrow()  # polars
        found = dict(zip(result.column_names, result.columns, strict=True))
    return {name: _plain(values) for name, values in found.items()}


def _plain(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_integer(values.type) or pa.types.is_boolean(values.type):
        return values.cast(pa.int64())
    if pa.types.is_floating(values.type):
        return pc.if_else(pc.is_nan(values), None, values).cast(pa.float64())
    if pa.types.is_timestamp(values.type):
        return values.cast(pa.timestamp("us", values.type.tz))
    return values.cast(pa.large_string())


def differs(ours: pa.Array, theirs: pa.Array, *, exact: bool) -> str:
    """Say where two columns differ, or nothing; floats may differ by 1e-9 of their size unless `exact`."""
    if len(ours) != len(theirs):
        return f"{len(theirs)} rows, not {len(ours)}"
    if ours.type != theirs.type:
        return f"{theirs.type}, not {ours.type}"
    missing = pc.is_null(ours)
    wrong = pc.not_equal(missing, pc.is_null(theirs)).to_numpy(zero_copy_only=False)
    if not wrong.any():
        if pa.types.is_floating(ours.type) and not exact:
            wrong = ~np.isclose(theirs.fill_null(0), ours.fill_null(0), rtol=1e-9, atol=1e-9)
        else:
            wrong = pc.fill_null(pc.not_equal(ours, theirs), fill_value=False).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(wrong)
    if not rows.size:
        return ""
    return f"{rows.size} rows differ; first row {rows[0]}: {theirs[rows[0]]}, not {ours[rows[0]]}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.{1 if seconds < 0.1 else 0}f}"
