"""What every command shares: its registration, ``--json`` and ``--quiet``, Ctrl-C, and options named in errors."""

from __future__ import annotations

import datetime as dt
import functools
import inspect
import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import numpy as np
import pandas as pd
import typer

__all__ = ["Telling", "app", "command", "said", "with_options"]

app = typer.Typer(
    name="xifen",
    help="Customer segmentation: from an order log to scored, named, explained customers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

#: The keyword of the library -> the option that is called otherwise.
_OTHERWISE: Final = {"customer_id": "--customer", "date_format": "--date-format", "dates": "--date-format"}
#: The keywords that are options of the command at work.
_KEYWORDS: Final[set[str]] = set()


@dataclass
class Telling:
    """What a command has to say: text for people, or with ``--json`` one object for machines, or nothing."""

    as_json: bool
    quiet: bool
    data: dict[str, Any] = field(default_factory=dict)
    refused: bool = False

    def say(self, text: str) -> None:
        """Print text, for people."""
        if not (self.as_json or self.quiet):
            said(text)

    def note(self, sentence: str | None) -> None:
        """Print a sentence on how something was done, beside the result."""
        if sentence and not self.quiet:
            typer.echo(f"xifen: {with_options(sentence)}", err=True)

    def refuse(self, sentence: str) -> None:
        """Print an error; the command still says what it found, and ends with exit code 1."""
        self.refused = True
        typer.echo(f"xifen: {with_options(sentence)}", err=True)

    def end(self) -> None:
        if self.as_json and not self.quiet:
            said(json.dumps(_plain(self.data), ensure_ascii=False, indent=1, allow_nan=False))
        if self.refused:
            raise typer.Exit(1)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Make a function a command; its first parameter is a `Telling`, the others are its arguments and options."""
    signature = inspect.signature(function, eval_str=True)
    _, *own = signature.parameters.values()
    shared = {
        "as_json": Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")],
        "quiet": Annotated[bool, typer.Option("--quiet", help="Print nothing but errors and warnings.")],
    }
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in shared.items()
    ]

    @functools.wraps(function)
    def called(*, as_json: bool, quiet: bool, **given: Any) -> None:
        telling = Telling(as_json, quiet)
        names = {parameter.name for parameter in own}
        _KEYWORDS.clear()
        _KEYWORDS.update(names, (name for name, option in _OTHERWISE.items() if _keyword(option) in names))
        try:
            function(telling, **given)
            telling.end()
        except KeyboardInterrupt:
            sys.stderr.write("xifen: interrupted; no file was left half-written\n")
            raise typer.Exit(130) from None

    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own] + more
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del called.__wrapped__  # typer would look through it
    app.command()(called)
    return function


def _keyword(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def with_options(message: str) -> str:
    """Name the option instead of the library's keyword: ``date_format='%d'`` becomes ``--date-format '%d'``."""
    options = {name: _OTHERWISE.get(name, f"--{name.replace('_', '-')}") for name in _KEYWORDS}
    if not options:
        return message

    def option(found: re.Match[str]) -> str:
        quoted, name, sign, word = found.groups()
        if quoted or (not sign and "_" not in name):  # the caller's own; an ordinary word of the sentence
            return found[0]
        return f"{options[name]}{' ' if sign.startswith('=') else sign}{word or ''}"

    message = message.replace("repair them, see order_ledger, or", "repair them, or").replace(
        "chinese=True", "--chinese"
    )
    # What stands in quotes is the caller's own, a column or a value, and so is a part of a path.
    quoted = r"((?<!\w)'(?:[^']|'(?=\w))*')"
    keyword = rf"(?<![\w/.-])({'|'.join(sorted(options))})(?![/-]|\.\w)(= ?| is\b|\b)(?:'([\w-]+)')?"
    return re.sub(f"{quoted}|{keyword}", option, message)


def said(text: str) -> None:
    """Print; who closes the pipe (``| head -3``) has read enough."""
    try:
        typer.echo(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _plain(value: Any) -> Any:
    """Give what JSON can hold: a frame as a list of rows, a missing value as null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return [_plain(row) for row in value.to_dict(orient="records")]
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return None
    if isinstance(value, (dt.date, pd.Timestamp)):
        return value.isoformat()
    return value if isinstance(value, (bool, int, float, str)) else str(value)
