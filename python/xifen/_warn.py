"""Warnings that point at the caller's line, however deep they are noticed."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path
from typing import Final

__all__ = ["warn"]

_HERE: Final = str(Path(__file__).parent / "_")[:-1]  # with the separator behind it


def warn(message: str) -> None:
    """Warn at the first line outside xifen that led here."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, UserWarning, stacklevel=level)
