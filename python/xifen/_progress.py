"""Say how far long work is: to a callback, or to a person who looks on for more than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

__all__ = ["Progress"]

#: Shorter work shows nothing.
_PATIENCE: Final = 2.0


class Progress:
    """Count steps.

    Parameters
    ----------
    steps : int
        How many there will be.
    told : callable, bool or None
        Called with ``(what, done, steps)`` at the beginning of each step. None: a bar of rich appears after two
        seconds in a terminal or notebook, nothing elsewhere. True: a bar in any case. False: nothing.

    Examples
    --------
    >>> with Progress(2, lambda what, done, steps: print(what, done, "of", steps)) as step:
    ...     step("reading")
    ...     step("counting")
    reading 0 of 2
    counting 1 of 2
    """

    def __init__(self, steps: int, told: Callable[[str, int, int], None] | bool | None = None) -> None:
        self.steps = steps
        self._told = told if callable(told) else None
        self._always = told is True
        self._wanted = self._always or (told is None and _interactive())
        self._done = 0
        self._started = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, what: str) -> None:
        """Begin a step."""
        if self._told is not None:
            self._told(what, self._done, self.steps)
        elif self._wanted and (self._always or time.monotonic() - self._started > _PATIENCE):
            self._show(what)
        self._done += 1

    def _show(self, what: str) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import Progress as Bar

            self._bar = Bar(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(what, total=self.steps)
            self._bar.start()
        self._bar.update(self._task, description=what, completed=self._done)


def _interactive() -> bool:
    """Whether a person looks on: a terminal, or a notebook."""
    if "ipykernel" in sys.modules:
        return True
    stream = sys.stderr
    return stream is not None and stream.isatty()
