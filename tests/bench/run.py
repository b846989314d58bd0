"""Run the benches and write RESULTS.md beside this file (`./x bench`)."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import binning
import cluster
import growth
import harness
import memory
import prototypes
import rules
import scorecard
import text
import transactions

RESULTS = Path(__file__).with_name("RESULTS.md")
LIBRARIES = ("xifen", "pandas", "polars", "duckdb", "numpy", "scikit-learn", "pyarrow")


def main() -> None:
    parser = argparse.ArgumentParser(prog="./x bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="only the benches whose title has one of these in it; prints only")
    parser.add_argument("--quick", action="store_true", help="tiny data: shows that results are equal, prints only")
    parser.add_argument(
        "--update", action="store_true", help=f"put the tables in place of the last ones in {RESULTS.name}"
    )
    parser.add_argument("--out", type=Path, help=f"another file to write the tables to (a full run: {RESULTS.name})")
    chosen = parser.parse_args()
    if chosen.quick and chosen.update:
        parser.error("--quick measures nothing to keep")
    out = chosen.out or (RESULTS if chosen.update or not (chosen.names or chosen.quick) else None)

    tables: dict[str, str] = {}
    kept = last_tables() if chosen.update else {}
    print(heading(quick=chosen.quick), flush=True)
    for module in (transactions, memory, text, binning, scorecard, rules, cluster, growth, prototypes):
        for title, make in module.benches(quick=chosen.quick):
            if chosen.names and not any(name.lower() in title.lower() for name in chosen.names):
                continue
            try:
                tables[title] = make().run(title, quick=chosen.quick)
            except harness.DifferenceError as failure:
                sys.exit(f"{title}: {failure}")
            print(f"\n{tables[title]}", flush=True)
            if out:  # after each table: what was measured stays, whatever comes
                parts = [heading(quick=chosen.quick), *(kept | tables).values()]
                out.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    if not tables:
        sys.exit(f"no bench has {' or '.join(chosen.names)} in its title")


def last_tables() -> dict[str, str]:
    """Give the last tables by title, if they are of this machine and these versions."""
    before, *tables = RESULTS.read_text(encoding="utf-8").rstrip("\n").split("\n\n### ")
    if before != heading(quick=False):
        sys.exit(f"{RESULTS.name} is of another machine or other versions; run ./x bench without --update")
    return {table.partition("\n")[0]: f"### {table}" for table in tables}


def heading(*, quick: bool) -> str:
    least, most = harness.ROUNDS
    return f"""# Side by side

Written by `./x bench`{" --quick, whose times mean nothing" if quick else ""}. Each table: the same data in memory, one process, every call run
once before (its result held to ours in every column it computes: floats of rivals to 1e-9, everything else
exactly), then {least} to {most} rounds in which the calls take turns. Each rival gets the form of data it is fastest on
and its own threads; our times hold conversion, checks and building the caller's kind of frame.

Machine: {processor()}, {os.cpu_count()} processors, {platform.system()} {platform.machine()}. Python {platform.python_version()}, {", ".join(f"{name} {version(name)}" for name in LIBRARIES)}."""


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown processor")


if __name__ == "__main__":
    main()
