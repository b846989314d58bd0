"""Warnings that point at the caller's line, however deep they are noticed."""

from __future__ import annotations

import inspect
import os
import warnings
from pathlib import Path
from typing import Final

import sklearn

__all__ = ["warn"]

# A Pipeline, and what `set_output` wraps around methods, stand between the caller and us.
_NOT_THE_CALLER: Final = tuple(f"{Path(file).parent}{os.sep}" for file in (__file__, str(sklearn.__file__)))


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line outside xifen and scikit-learn that led here."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_NOT_THE_CALLER):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
