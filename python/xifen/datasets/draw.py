"""Random columns, each in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xifen._results import Labels, Masked

__all__ = ["Draw"]


class Draw:
    """Random columns from one stream of the seed."""

    def __init__(self, seed: int, stream: int) -> None:
        self.rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, stream])))

    def chance(self, share: Any, n: int) -> np.ndarray:
        """Tell for each row whether something of this probability happens."""
        happens: np.ndarray = self.rng.random(n) < share
        return happens

    def codes(self, percent: Sequence[int], n: int) -> np.ndarray:
        """Draw places in `percent`, each as often as it says."""
        table = np.repeat(np.arange(len(percent), dtype=np.int8), percent)
        codes: np.ndarray = table[self.rng.integers(0, len(table), n, dtype=np.uint8)]
        return codes

    def labels(self, percent: Mapping[str, int], n: int, missing: float = 0.0) -> Labels:
        """Draw labels, some of them missing."""
        codes = self.codes(list(percent.values()), n)
        codes[self.chance(missing, n)] = -1
        return Labels(codes, list(percent))

    def scores(self, centre: Any, n: int, missing: float) -> Masked:
        """Draw answers from 1 to 5 around a centre."""
        scores = np.clip(np.rint(centre + self.rng.standard_normal(n)), 1, 5).astype(np.int8)
        return Masked(scores, self.chance(missing, n))

    def gaps(self, values: np.ndarray, missing: Any) -> np.ndarray:
        """Make some of the values NaN."""
        return np.where(self.chance(missing, len(values)), np.nan, values)

    def between(self, low: Any, high: Any, n: int) -> np.ndarray:
        """Draw evenly from low to high."""
        drawn: np.ndarray = low + (high - low) * self.rng.random(n)
        return drawn
