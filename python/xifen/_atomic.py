"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xifen.errors import ParameterError

__all__ = ["replacing"]


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Write a file beside `path` and put it in its place when all of it is on disk; else nothing changes.

    Parameters
    ----------
    path : str or pathlib.Path
        The file that is to be there afterwards.

    Yields
    ------
    pathlib.Path
        The file to write, in the same folder, with the same ending.

    Raises
    ------
    ParameterError
        The folder is absent, read-only or full.
    """
    target = Path(path)
    try:
        target = target.resolve()  # where a link leads is replaced, not the link
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem[:40]}-", suffix=target.suffix)
        os.close(handle)
    except (OSError, ValueError) as failure:
        raise ParameterError(f"{target} cannot be written: {_reason(failure)}; nothing was changed") from None
    made = Path(name)
    try:
        yield made
        with made.open("rb+") as file:
            os.fsync(file.fileno())
        with suppress(OSError):
            made.chmod(target.stat().st_mode if target.exists() else 0o666 & ~_umask())
        made.replace(target)
        _sync_folder(target.parent)
    except OSError as failure:
        raise ParameterError(f"{target} cannot be written: {_reason(failure)}; nothing was changed") from None
    finally:
        made.unlink(missing_ok=True)


def _reason(failure: Exception) -> str:
    return (getattr(failure, "strerror", None) or str(failure)).lower()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Have the new name on disk, too, where folders can be opened (not on Windows)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
