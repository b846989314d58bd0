"""What may stand in a plan: kinds of value that check themselves, say where something is wrong, and make the JSON Schema."""

from __future__ import annotations

import datetime as dt
import math
import re
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from xifen import _core
from xifen.errors import ParameterError
from xifen.plan._positions import Path, line_of

__all__ = [
    "At",
    "Date",
    "Either",
    "Exactly",
    "Field",
    "Kind",
    "ListOf",
    "MapOf",
    "Number",
    "Plain",
    "Table",
    "Text",
    "Truth",
]


@dataclass(frozen=True)
class At:
    """A place in a plan, for the error that names it."""

    source: str = "the plan"
    lines: Mapping[Path, int] = field(default_factory=dict, repr=False)
    path: Path = ()

    def __truediv__(self, key: str | int) -> At:
        return At(self.source, self.lines, (*self.path, key))

    def __str__(self) -> str:
        """Say the file, the line where it is known, and the path of the value."""
        line = line_of(self.lines, self.path) if self.lines else None
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).lstrip(".")
        return ", ".join([self.source, *([f"line {line}"] if line else []), *([where] if where else [])])

    def refuse(self, why: object) -> NoReturn:
        raise ParameterError(f"{self}: {why}") from None


class Kind(Protocol):
    """A kind of value: checks one, giving it in the form the plan keeps, and describes itself as JSON Schema."""

    def check(self, value: Any, at: At) -> Any: ...
    def schema(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Text:
    """Text that is not empty; of certain words, or of a certain form, where these are given."""

    words: Sequence[str] = ()
    form: str = ""
    such_as: str = ""

    def check(self, value: Any, at: At) -> str:
        if not isinstance(value, str):
            at.refuse(f"got {reprlib.repr(value)}; wanted text{self._wanted()}")
        if self.words and value not in self.words:
            near = _core.did_you_mean(value, list(self.words))
            at.refuse(f"got {reprlib.repr(value)}{near or ';'} wanted one of {', '.join(map(repr, self.words))}")
        if not value or "\x00" in value or (self.form and not re.fullmatch(self.form, value)):
            at.refuse(f"got {reprlib.repr(value)}; wanted text{self._wanted() or ' that is not empty, without NUL'}")
        return value

    def schema(self) -> dict[str, Any]:
        if self.words:
            return {"enum": list(self.words)}
        return {"type": "string", "minLength": 1, **({"pattern": f"^{self.form}$"} if self.form else {})}

    def _wanted(self) -> str:
        return f" such as {self.such_as!r}" if self.such_as else ""


@dataclass(frozen=True)
class Number:
    """A finite number, not below `least`."""

    least: float | None = None
    whole: bool = False

    def check(self, value: Any, at: At) -> int | float:
        wanted = ("a whole number" if self.whole else "a number") + (
            "" if self.least is None else f" from {self.least:g}"
        )
        if isinstance(value, bool) or not isinstance(value, (int,) if self.whole else (int, float)):
            at.refuse(f"got {reprlib.repr(value)}; wanted {wanted}")
        if not math.isfinite(value) or (self.least is not None and value < self.least):
            at.refuse(f"got {value}; wanted {wanted}")
        return value

    def schema(self) -> dict[str, Any]:
        return {
            "type": "integer" if self.whole else "number",
            **({} if self.least is None else {"minimum": self.least}),
        }


@dataclass(frozen=True)
class Exactly:
    """One number and no other."""

    number: int

    def check(self, value: Any, at: At) -> int:
        if isinstance(value, bool) or value != self.number:
            at.refuse(f"got {reprlib.repr(value)}; wanted {self.number}")
        return self.number

    def schema(self) -> dict[str, Any]:
        return {"const": self.number}


@dataclass(frozen=True)
class Truth:
    """True or false."""

    def check(self, value: Any, at: At) -> bool:
        if not isinstance(value, bool):
            at.refuse(f"got {reprlib.repr(value)}; wanted true or false")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Date:
    """A day, as a date of TOML or as text; or one of some words."""

    words: Sequence[str] = ()

    def check(self, value: Any, at: At) -> dt.date | str:
        if isinstance(value, str) and value in self.words:
            return value
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value
        try:
            if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
                return dt.date.fromisoformat(value)
        except ValueError:
            pass
        words = "".join(f" or {word!r}" for word in self.words)
        at.refuse(f"got {reprlib.repr(value)}; wanted a date such as 2026-06-30{words}")
        return None

    def schema(self) -> dict[str, Any]:
        day = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}
        return {"anyOf": [{"enum": list(self.words)}, day]} if self.words else day


@dataclass(frozen=True)
class ListOf:
    """A list of values of one kind."""

    kind: Kind
    least: int = 0

    def check(self, value: Any, at: At) -> list[Any]:
        if not isinstance(value, (list, tuple)) or len(value) < self.least:
            at.refuse(
                f"got {reprlib.repr(value)}; wanted a list" + (f" of at least {self.least}" if self.least else "")
            )
        return [self.kind.check(item, at / place) for place, item in enumerate(value)]

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.kind.schema(), **({"minItems": self.least} if self.least else {})}


@dataclass(frozen=True)
class MapOf:
    """A table of values of one kind, under names of the writer's choice."""

    kind: Kind
    least: int = 0

    def check(self, value: Any, at: At) -> dict[str, Any]:
        if not isinstance(value, Mapping) or len(value) < self.least:
            at.refuse(f"got {reprlib.repr(value)}; wanted a table" + (" with something in it" if self.least else ""))
        return {Text().check(key, at): self.kind.check(item, at / str(key)) for key, item in value.items()}

    def schema(self) -> dict[str, Any]:
        least = {"minProperties": self.least} if self.least else {}
        return {"type": "object", "additionalProperties": self.kind.schema(), **least}


@dataclass(frozen=True)
class Either:
    """A value of the first of several kinds that takes it."""

    kinds: Sequence[Kind]

    def check(self, value: Any, at: At) -> Any:
        refusals = []
        for kind in self.kinds:
            try:
                return kind.check(value, at)
            except ParameterError as refusal:
                refusals.append(str(refusal).removeprefix(f"{at}: "))
        at.refuse("; or ".join(dict.fromkeys(refusals)))
        return None

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [kind.schema() for kind in self.kinds]}


@dataclass(frozen=True)
class Plain:
    """Anything made of texts, finite numbers, true and false, lists and tables: what takes it looks at it closer."""

    def check(self, value: Any, at: At) -> Any:
        if isinstance(value, Mapping):
            return {Text().check(key, at): self.check(item, at / str(key)) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.check(item, at / place) for place, item in enumerate(value)]
        if isinstance(value, float) and not math.isfinite(value):
            at.refuse(f"got {value}; wanted a finite number")
        if not isinstance(value, (str, int, float)):
            at.refuse(f"got {reprlib.repr(value)}; wanted text, a number, true or false, a list or a table")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "number", "boolean", "array", "object"]}


@dataclass(frozen=True)
class Field:
    """One key of a table: its kind, what it says, and whether it must be there."""

    kind: Kind
    says: str
    required: bool = False
    default: Any = None


@dataclass(frozen=True)
class Table:
    """A table with certain keys; `one_of` are keys of which exactly one is given."""

    fields: Mapping[str, Field]
    one_of: Sequence[str] = ()

    def check(self, value: Any, at: At) -> dict[str, Any]:
        """Give the keys that stand there; no other may, and those that are required must."""
        if not isinstance(value, Mapping):
            at.refuse(f"got {reprlib.repr(value)}; wanted a table with {', '.join(self.fields)}")
        for key in value:
            if key not in self.fields:
                near = _core.did_you_mean(str(key), list(self.fields))
                (at / str(key)).refuse(f"unknown key{near or ';'} wanted {', '.join(self.fields)}")
        for key, told in self.fields.items():
            if told.required and key not in value:
                at.refuse(f"'{key}' is missing: {told.says}")
        if self.one_of and sum(key in value for key in self.one_of) != 1:
            at.refuse(f"wanted exactly one of {', '.join(map(repr, self.one_of))}")
        return {key: self.fields[key].kind.check(item, at / key) for key, item in value.items()}

    def schema(self) -> dict[str, Any]:
        properties = {
            key: {
                "description": told.says,
                **told.kind.schema(),
                **({} if told.default is None else {"default": told.default}),
            }
            for key, told in self.fields.items()
        }
        required = [key for key, told in self.fields.items() if told.required]
        return {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            **({"required": required} if required else {}),
            **({"oneOf": [{"required": [key]} for key in self.one_of]} if self.one_of else {}),
        }
