"""The command line: ``xifen demo | segment | run | apply | validate | explain | presets | coverage``.

A command is a function in a module of this folder, under `@command`, and the module's name in `COMMANDS`.
"""

from __future__ import annotations

import importlib
import io
import signal
import sys
import warnings
from importlib import metadata
from typing import Annotated, Final, NoReturn

import typer

from xifen.cli._command import app, said, with_options
from xifen.errors import XifenError

__all__ = ["main"]

#: The modules whose commands there are, in the order of the help.
COMMANDS: Final = ("segment", "plans", "look")

for _module in COMMANDS:
    importlib.import_module(f"xifen.cli.{_module}")


def _version(wanted: bool) -> None:
    if wanted:
        said(f"xifen {metadata.version('xifen')}")
        raise typer.Exit


@app.callback(
    epilog="Exit codes: 0 done; 1 refused, with the reason in one sentence (data, plan, file, value of an option); "
    "2 the call was not understood; 130 interrupted, 143 ended. Files are written whole or not at all."
)
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def main() -> None:
    """Run the command line: what goes wrong is one sentence and an exit code, a warning one sentence too."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a pipe's encoding may lack a character; better ? than no result
    signal.signal(signal.SIGTERM, _ended)  # so that what is half written is taken away
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: typer.echo(f"xifen: {with_options(str(message))}", err=True)
            app()
    except (XifenError, OSError) as failure:
        sys.stderr.write(f"xifen: {with_options(str(failure))}\n")
        sys.exit(1)


def _ended(*_: object) -> NoReturn:
    sys.exit(143)
