"""The files of presets: which there are, what one asks for, and the parameters a caller gives."""

from __future__ import annotations

import itertools
import json
import math
import numbers
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Any, Literal

import numpy as np

from xifen import _core
from xifen.errors import ParameterError

__all__ = ["Lang", "Wanted", "amounts_of", "names", "one_of", "open_preset", "read", "variant", "words"]

Lang = Literal["en", "zh"] | None

_FOLDER = files("xifen.presets")


def names() -> list[str]:
    """List every preset, in alphabetical order."""
    found = (item.name for item in _FOLDER.iterdir())
    return sorted(name.removesuffix(".json") for name in found if name.endswith(".json"))


def read(name: str) -> dict[str, Any]:
    preset: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return preset


def words(name: str) -> dict[str, Any]:
    """Read a list of words that several presets share."""
    found: dict[str, Any] = json.loads((_FOLDER / "words" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def one_of(what: str, name: Any, known: list[str]) -> None:
    if name not in known:
        near = _core.did_you_mean(name, known) if isinstance(name, str) else ""
        raise ParameterError(f"there is no {what} {name!r}{near or ';'} there is: {', '.join(known) or 'none'}")


@dataclass(frozen=True)
class Wanted:
    """A preset as a caller wants it: language, other names for inputs, parameters, and options of the estimator."""

    preset: Mapping[str, Any]
    lang: Lang
    columns: Mapping[str, str]
    parameters: Mapping[str, Any]
    options: Mapping[str, Any]

    def spoken(self, label: Mapping[str, str]) -> str:
        """Give the label in the wanted language, or its key."""
        return label[self.lang or "key"]

    def column(self, name: str) -> str:
        return self.columns.get(name, name)

    def inputs(self) -> list[dict[str, Any]]:
        """Give the inputs, under the caller's names."""
        return [{**item, "name": self.column(item["name"])} for item in self.preset["inputs"]]

    def optional(self) -> list[str]:
        return [item["name"] for item in self.inputs() if not item["required"]]


def open_preset(
    name: str, lang: Lang, columns: Mapping[str, str], given: Mapping[str, Any], options: tuple[str, ...]
) -> Wanted:
    """Check what a caller says of a preset, and put whole-number parameters into the names that contain them."""
    preset = read(name)
    declared = {item["name"]: item for item in preset.get("parameters", [])}
    choice = [preset["choice"]["parameter"]] if "choice" in preset else []
    amounts = amounts_of(name)
    for parameter in given:
        one_of(f"parameter of {name}", parameter, [*declared, *choice, *amounts, *options])
    values = {
        parameter: _checked(name, item, given.get(parameter, item["default"])) for parameter, item in declared.items()
    }
    for field in amounts:
        _same_amounts(preset, field, given.get(field))
    _check_order(preset, values)
    preset = _filled(variant(preset, given.get(*choice) if choice else None), values)
    inputs = list(dict.fromkeys(item["name"] for item in preset.get("inputs", [])))
    for column in columns:
        one_of(f"input of {name}", column, inputs)
    taken: dict[str, str] = {}
    for item in inputs:
        other = taken.setdefault(columns.get(item, item), item)
        if other != item:
            raise ParameterError(
                f"columns gives '{other}' and '{item}' of {name} the same column '{columns.get(item, item)}'; "
                "each input wants one of its own"
            )
    used = json.dumps(preset.get("labels", []))
    parameters = {parameter: value for parameter, value in values.items() if re.search(rf":{parameter}\b", used)}
    parameters |= preset.get("learned", {})
    return Wanted(preset, lang, columns, parameters, {option: given[option] for option in options if option in given})


def variant(preset: Mapping[str, Any], chosen: Any = None) -> dict[str, Any]:
    """Give a preset without its choice: with the inputs, learned cuts and rules of the variant that was chosen."""
    choice = preset.get("choice")
    if choice is None:
        return dict(preset)
    chosen = choice["default"] if chosen is None else chosen
    variants = choice["variants"]
    if isinstance(chosen, Mapping):
        picked = variants["fixed"]
        given = picked["given"]
        if set(chosen) != set(given):
            raise ParameterError(
                f"{choice['parameter']} gives cuts for {', '.join(map(repr, chosen))}; wanted {', '.join(map(repr, given))}"
            )
        for column, cut in chosen.items():
            if isinstance(cut, bool) or not isinstance(cut, numbers.Real) or not math.isfinite(cut):
                raise ParameterError(
                    f"{choice['parameter']} cuts '{column}' at {cut!r}; wanted a finite number, "
                    f"or one of {', '.join(name for name in variants if name != 'fixed')} for all of them"
                )
        learned = {given[column]: cut for column, cut in chosen.items()}
    else:
        one_of(choice["parameter"], chosen, [name for name in variants if name != "fixed"])
        picked = variants[chosen]
        learned = picked["learned"]
    conditions = picked["conditions"]
    word = re.compile(rf"\b({'|'.join(conditions)})\b")
    labels = [
        {**label, "rule": word.sub(lambda found: f"({conditions[found[1]]})", label["rule"])}
        for label in preset["labels"]
    ]
    return {**preset, "inputs": picked["inputs"], "labels": labels, "learned": learned}


def amounts_of(name: str) -> list[str]:
    """Say which of currency and basis a preset's amounts have."""
    inputs = variant(read(name)).get("inputs", [])
    return [field for field in ("currency", "basis") if any(field in item for item in inputs)]


def _checked(name: str, declared: Mapping[str, Any], value: Any) -> Any:
    """Give the value if it has the declared type; whole numbers count days, months and the like, from 1."""
    value = value.item() if isinstance(value, np.generic) else value
    kinds: dict[str, tuple[type, ...]] = {"integer": (int,), "number": (int, float, Decimal), "text": (str,)}
    wrong = not isinstance(value, kinds[declared["type"]]) or isinstance(value, bool)
    if wrong or (isinstance(value, (float, Decimal)) and not math.isfinite(value)):
        raise ParameterError(
            f"{declared['name']} of {name} is {value!r}; wanted a finite {declared['type']} ({declared['unit']}), "
            f"{declared['default']!r} by default"
        )
    if declared["type"] == "integer" and value < 1:
        raise ParameterError(f"{declared['name']} of {name} is {value}; wanted 1 or more ({declared['unit']})")
    return value


def _check_order(preset: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Refuse numbers that must grow and do not: they would swap bands or close a clock before it began."""
    for names in preset.get("ascending", []):
        for lower, upper in itertools.pairwise(names):
            if values[lower] > values[upper]:
                raise ParameterError(
                    f"{lower} of {preset['name']} is {values[lower]}, more than {upper}, which is {values[upper]}; "
                    "give both, the lower one first"
                )


def _same_amounts(preset: Mapping[str, Any], field: str, given: Any) -> None:
    """Refuse amounts in another currency, or of another kind, than the preset's numbers are."""
    for item in preset["inputs"]:
        if given is not None and item.get(field, given) != given:
            raise ParameterError(
                f"{preset['name']} reads '{item['name']}' with {field} {item[field]!r}, your amounts have {given!r}: "
                "convert them, or give the preset's numbers in yours by its parameters and leave out "
                f"{field}="
            )


def _filled(preset: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Write numbers into the names and statistics that contain them: order_count_{churn_days}D."""
    numbered = {name: str(value) for name, value in values.items() if not isinstance(value, str)}
    if not numbered:
        return preset
    place = re.compile(r"\{(" + "|".join(numbered) + r")\}")

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return place.sub(lambda found: numbered[found[1]], value)
        if isinstance(value, list):
            return [fill(item) for item in value]
        return {key: fill(item) for key, item in value.items()} if isinstance(value, dict) else value

    filled = ("inputs", "labels", "families", "learned")
    return {name: fill(part) if name in filled else part for name, part in preset.items()}
