"""``xifen presets`` and ``xifen coverage``: what there is, and whether rules cover every combination."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

import xifen as xf
from xifen._report import Language
from xifen.cli._command import Telling, command
from xifen.cli._preset import preset_text
from xifen.errors import InputError
from xifen.plan import Plan, Segmentation
from xifen.presets import _files


@command
def presets(
    telling: Telling,
    name: Annotated[
        str | None, typer.Argument(help="One of them: show its inputs, parameters, and labels with their rules.")
    ] = None,
    lang: Annotated[Language, typer.Option(help="Language of titles and labels.")] = Language.EN,
) -> None:
    """List the presets: segments, tags, bands, scorecards, matrices, playbooks."""
    if name is None:
        listed = xf.list_presets()
        width = int(listed["name"].str.len().max()) + 2
        rows = zip(listed["name"], listed[f"title_{lang.value}"], strict=True)
        telling.say("\n".join(f"{key:<{width}}{title}" for key, title in rows))
        telling.data["presets"] = listed
        return
    _files.one_of("preset", name, _files.names())
    telling.say(preset_text(name, lang.value))
    telling.data |= _files.read(name)


@command
def coverage(
    telling: Telling,
    file: Annotated[Path, typer.Argument(help="Rules (to_json), a saved model, or a plan whose files are there.")],
) -> None:
    """Tell whether rules leave gaps, overlap, or can never decide, with an example each."""
    found = _coverage_of(file)
    if not found:
        raise InputError(f"{file} has no rules: nothing to cover")
    telling.say("\n\n".join(f"{name}\n{what}" if len(found) > 1 else str(what) for name, what in found.items()))
    telling.data["coverage"] = {
        name: {"complete": what.complete, "cells": what.cells, "gap_cells": what.gap_cells, "summary": what.summary, "findings": what.findings}
        for name, what in found.items()
    }  # fmt: skip


def _coverage_of(file: Path) -> dict[str, Any]:
    """Give the coverage of every set of rules in a file, by its name."""
    if not file.is_file():
        raise InputError(f"there is no file {file}")
    content = _json(file) or {}
    kind = content.get("class")
    if kind in ("RuleSegmenter", "RuleTagger"):
        return {kind: getattr(xf, kind).from_json(file.read_text(encoding="utf-8-sig")).coverage()}
    result = Segmentation.load(file) if content.get("xifen") == "segmentation" else Plan.load(file).fit()
    return result.coverage()


def _json(file: Path) -> dict[str, Any] | None:
    if file.suffix.lower() != ".json":
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):  # told by who reads it
        return None
    return content if isinstance(content, dict) else None
