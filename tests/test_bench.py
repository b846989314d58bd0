"""The benches on tiny data: every rival agrees with us, and the tables are written. Their times mean nothing here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest


@pytest.mark.skipif(not hasattr(pl.Expr, "bin_quantiles"), reason="the rivals are written for their newest versions")
def test_every_bench_runs_with_equal_results(tmp_path: Path):
    out = tmp_path / "results.md"
    run = Path(__file__).parent / "bench/run.py"
    done = subprocess.run([sys.executable, run, "--quick", "--out", out], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written = out.read_text(encoding="utf-8")
    titles = (
        "rfm_table", "keyword_table", "Binner", "RFMScorer", "Named segments", "RuleSegmenter", "Scorecard", "KMeans",
        "MiniBatchKMeans", "GaussianMixture", "DBSCAN", "silhouette_samples", "adjusted_rand_score",
    )  # fmt: skip
    for title in titles:
        assert f"### {title}" in written
