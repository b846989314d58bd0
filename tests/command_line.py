"""Calling the command line as a person does, and small order logs to call it on."""

from __future__ import annotations

import io
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
import xifen as xf
from xifen.cli import main


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def xifen(*arguments: object, cwd: Path) -> Done:
    """Call the command line in this process: a new one would spend its time on imports."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err), chdir(cwd):
        patch.setattr(sys, "argv", ["xifen", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
    return Done(end.value.code or 0, out.getvalue(), err.getvalue())


def refused(*arguments: object, cwd: Path) -> str:
    """The one sentence of a call that must fail."""
    before = set(cwd.iterdir())
    done = xifen(*arguments, cwd=cwd)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith("xifen: ")
    assert done.stderr.count("\n") == 1
    assert set(cwd.iterdir()) == before, "a call that fails leaves no file"
    return done.stderr


def log_of(folder: Path, *lines: str, name: str = "log.csv", header: str = "customer_id,timestamp,amount") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


RETURNER = ("a,2024-01-01,5", "b,2024-01-02,7", "b,2024-01-03,7", "c,2024-01-03,-4")


def cdnow_file(folder: Path) -> Path:
    """400 orders of the real log, with ids that begin with zeros."""
    path = folder / "orders.csv"
    log = xf.datasets.load_cdnow().head(400)
    log.assign(customer_id=log["customer_id"].map("{:05d}".format)).to_csv(path, index=False)
    return path
