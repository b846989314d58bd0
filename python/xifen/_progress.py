"""Say how far long work is: to a callback, or to a person who looks on for more than two seconds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Final, Self

__all__ = ["Progress", "Told", "waiting"]

#: Who is told: a callback with ``(what, done, steps)``; True, False, or None for a person who waits.
Told = Callable[[str, int, int], None] | bool | None

#: Seconds; shorter work shows nothing.
_PATIENCE: Final = 2.0


class Progress:
    """Count steps.

    Within the steps of another one, what would be a second bar is told in the words of the first.

    Parameters
    ----------
    steps : int
        How many there will be.
    told : callable, bool or None
        Called with ``(what, done, steps)`` at the beginning of each step. None: a bar of rich appears after two
        seconds in a terminal or notebook, nothing elsewhere. True: a bar at once, in any case. False: nothing.

    Examples
    --------
    >>> with Progress(2, lambda what, done, steps: print(what, done, "of", steps)) as step:
    ...     step("reading")
    ...     step("counting")
    reading 0 of 2
    counting 1 of 2
    """

    def __init__(self, steps: int, told: Told = None) -> None:
        self.steps = steps
        self._told = told
        self._what = ""
        self._done = 0
        self._outer: Progress | None = None
        self._token: Token[Progress | None] | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._bar: Any = None

    def __enter__(self) -> Self:
        if callable(self._told) or self._told is False:
            return self
        self._outer = _SHOWN.get()
        if self._outer is None and (self._told or _interactive()):
            self._token = _SHOWN.set(self)
            self._timer = threading.Timer(0 if self._told else _PATIENCE, self._show)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is None or self._timer is None:
            return
        _SHOWN.reset(self._token)
        self._timer.cancel()
        with self._lock:
            self._timer = None
            if self._bar is not None:
                self._bar.stop()

    def __call__(self, what: str) -> None:
        """Begin a step."""
        if callable(self._told):
            self._told(what, self._done, self.steps)
        elif self._outer is not None:
            self._outer._draw(f"{self._outer._what}: {what}")  # noqa: SLF001 of the same class
        else:
            self._what = what
            self._draw(what)
        self._done += 1

    def _show(self) -> None:
        """Draw the bar: in the thread of the timer, while the work goes on."""
        from rich.console import Console
        from rich.progress import Progress as Bar

        with self._lock:
            if self._timer is None:  # the work has ended meanwhile
                return
            self._bar = Bar(console=Console(stderr=True), transient=True)
            total = self.steps if self.steps > 1 else None  # of one step nobody knows how far it is
            self._bar.add_task(self._what, total=total, completed=max(self._done - 1, 0))
            self._bar.start()

    def _draw(self, what: str) -> None:
        with self._lock:
            if self._bar is not None:
                self._bar.update(self._bar.task_ids[0], description=what, completed=self._done)


#: The one whose bar a person sees.
_SHOWN: ContextVar[Progress | None] = ContextVar("shown", default=None)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Tell a person who waits what for, where there is one step only."""
    with Progress(1) as step:
        step(what)
        yield


def _interactive() -> bool:
    """Whether a person looks on: a terminal, or a notebook."""
    if "ipykernel" in sys.modules:
        return True
    stream = sys.stderr
    return stream is not None and stream.isatty()
