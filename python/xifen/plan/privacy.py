"""Privacy and law: which columns are kept out, pseudonyms, and counts too small to share."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any, Final

import numpy as np
import pandas as pd

from xifen.errors import ParameterError

__all__ = ["is_contact", "pseudonymise", "refusal", "sensitive_kind", "suppress"]

_WORDS: Final[dict[str, Any]] = json.loads((files("xifen.plan") / "privacy.json").read_text(encoding="utf-8"))
_CONTACT: Final = re.compile("|".join(_WORDS["contact"]), re.IGNORECASE)
_SENSITIVE: Final = {kind: re.compile("|".join(words), re.IGNORECASE) for kind, words in _WORDS["sensitive"].items()}


def is_contact(column: str) -> bool:
    """Whether a column, by its name, holds ways to reach a person."""
    return _CONTACT.fullmatch(column) is not None


def sensitive_kind(column: str) -> str | None:
    """Which kind of sensitive personal information a column holds, by its name; None: of none."""
    return next((kind for kind, words in _SENSITIVE.items() if words.search(column)), None)


def refusal(column: str, said: Mapping[str, Any]) -> str | None:
    """Why a column may not be used under what a plan says in [privacy]; None where it may."""
    if is_contact(column) and not said["contact"]:
        return "a contact column; [privacy] contact = true keeps them"
    kind = sensitive_kind(column)
    if kind is not None and column not in (said["purpose"] or {}):
        return f'sensitive ({kind}); state what it is needed for: [privacy] purpose = {{ {column} = "..." }}'
    return None
