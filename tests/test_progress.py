"""How far long work is: told to a callback, shown to a person who waits, and to nobody else."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
import xifen as xf
from customers import blobs
from plans import fitted, orders, small
from xifen import _progress
from xifen._progress import Progress


class Bar:
    """Stands for rich's bar."""

    made: list[Bar]

    def __init__(self, **_: object) -> None:
        self.task_ids = [0]
        self.seen: list[tuple[str, object, int]] = []
        self.total: int | None = None
        Bar.made.append(self)

    def add_task(self, what: str, *, total: int | None, completed: int) -> None:
        self.total = total
        self.seen.append((what, total, completed))

    def update(self, _: int, *, description: str, completed: int) -> None:
        self.seen.append((description, self.total, completed))

    def start(self) -> None: ...

    def stop(self) -> None:
        self.seen.append(("stopped", None, 0))


@pytest.fixture
def bars(monkeypatch):
    """The bars a person would see who waits a twentieth of a second."""
    Bar.made = []
    monkeypatch.setattr("rich.progress.Progress", Bar)
    monkeypatch.setattr(_progress, "_PATIENCE", 0.05)
    monkeypatch.setattr(_progress, "_interactive", lambda: True)
    return Bar.made


def test_a_bar_appears_while_the_first_step_is_still_at_work(bars):
    with Progress(2) as step:
        step("reading")
        time.sleep(0.3)
        assert bars[0].seen == [("reading", 2, 0)]
        step("counting")
    assert bars[0].seen[1:] == [("counting", 2, 1), ("stopped", None, 0)]


def test_short_work_shows_nothing(bars):
    with Progress(2) as step:
        step("reading")
    time.sleep(0.2)
    assert not bars


def test_steps_within_a_step_are_told_in_the_one_bar(bars):
    with Progress(2) as outer:
        outer("clusters")
        time.sleep(0.2)
        with Progress(20) as inner:
            inner("k = 2")
        with _progress.waiting("KMeans"):
            pass
    assert [what for what, *_ in bars[0].seen] == ["clusters", "clusters: k = 2", "clusters: KMeans", "stopped"]
    assert len(bars) == 1


def test_one_step_has_no_measure(bars):
    with _progress.waiting("saving"):
        time.sleep(0.2)
    assert bars[0].seen[0] == ("saving", None, 0)


def test_false_shows_nothing_and_an_error_takes_the_bar_away(bars):
    with Progress(1, told=False) as step:
        step("reading")
        time.sleep(0.2)
    assert not bars
    with pytest.raises(KeyError):
        _wait_and_fail()
    assert bars[0].seen[-1] == ("stopped", None, 0)


def _wait_and_fail() -> None:
    with Progress(1, told=True) as step:
        step("reading")
        time.sleep(0.2)
        raise KeyError


def test_a_script_shows_nothing():
    code = """
import time
from xifen._progress import Progress
with Progress(1) as step:
    step("reading")
    time.sleep(2.5)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_long_calls_tell_their_steps(tmp_path):
    told: list[tuple[str, int, int]] = []

    def tell(*step: object) -> None:
        told.append(step)

    result = small(scores=[{"name": "rfm", "n_bins": 3}]).fit(orders(), progress=tell)
    assert told == [("reading", 0, 4), ("tables", 1, 4), ("rfm", 2, 4), ("goals and actions", 3, 4)]
    told.clear()
    result.transform(orders(), progress=tell)
    assert len(told) == 4
    told.clear()
    xf.choose_k(blobs(100), [2, 3], random_state=0, progress=tell)
    assert told == [("k = 2", 0, 2), ("k = 3", 1, 2)]
    told.clear()
    xf.bootstrap_stability(xf.KMeans(2, random_state=0), np.eye(6), n_resamples=3, random_state=0, progress=tell)
    assert told == [("1 / 3", 0, 3), ("2 / 3", 1, 3), ("3 / 3", 2, 3)]
    told.clear()
    pytest.importorskip("xlsxwriter")
    fitted("sales.zh").to_excel(tmp_path / "table.xlsx", progress=tell)
    assert [what for what, *_ in told] == ["客户细分管理表", "摘要", "table.xlsx"]
