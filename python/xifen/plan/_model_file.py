"""A segmentation as a file: one readable JSON object, versioned, with a checksum over everything else in it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from xifen._atomic import replacing
from xifen._tagger import RuleTagger
from xifen.binning import Binner, RFMScorer
from xifen.cluster_segmenter import ClusterSegmenter
from xifen.errors import InputError, XifenError
from xifen.matrix import SegmentMatrix
from xifen.plan._tables import Customers
from xifen.presets import Pipeline
from xifen.rules import RuleSegmenter
from xifen.scorecard import Scorecard

__all__ = ["decode_customers", "decode_steps", "encode_customers", "plain", "read", "seen_from", "write"]

#: The version of the format of these files.
_FORMAT: Final = 1
_FIELDS: Final = ("xifen", "format", "checksum", "content")
_CLASSES: Final[dict[str, Any]] = {
    made.__name__: made
    for made in (Binner, ClusterSegmenter, Pipeline, RFMScorer, RuleSegmenter, RuleTagger, Scorecard, SegmentMatrix)
}

#: What `Customers` holds besides its columns: plain values, and frames.
_SAID: Final = ("made", "withheld", "counts", "notes")
_FRAMES: Final = ("ledger", "owners", "goals")


def write(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write what a segmentation is made of; the file appears when it is whole."""
    model = {"xifen": "segmentation", "format": _FORMAT, "checksum": _checksum(content), "content": content}
    with replacing(path) as made, made.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_readable(model) + "\n")


def read(path: str | Path) -> dict[str, Any]:
    """Read what `write` wrote; what is damaged, changed, of another version or of something else is refused."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"there is no model {path}; write one with Segmentation.save, or by xifen run") from None
    except (OSError, UnicodeDecodeError) as failure:
        raise InputError(f"the model {path} cannot be read: {failure}") from None
    try:
        model = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as failure:
        cut = failure.pos >= len(text.rstrip()) or failure.msg.startswith("Unterminated")
        why = f"it was cut short in line {failure.lineno}" if cut else str(failure)
        raise InputError(f"{path} is no xifen model: {why}; save it again") from None
    except (ValueError, RecursionError) as failure:
        raise InputError(f"{path} is no xifen model: {failure}") from None
    if not isinstance(model, dict) or model.get("xifen") != "segmentation":
        kind = (
            f", but of a {model['class']}: read it by {model['class']}.from_json"
            if isinstance(model, dict) and "class" in model
            else ""
        )
        raise InputError(f"{path} is not the file of a Segmentation{kind}")
    if model.get("format") != _FORMAT:
        raise InputError(f"{path} has format {model.get('format')!r}; this xifen reads format {_FORMAT}")
    if set(model) != set(_FIELDS):
        raise InputError(
            f"{path} has the fields {', '.join(model)}; wanted {', '.join(_FIELDS)}: it was changed after it was written"
        )
    if model["checksum"] != _checksum(model["content"]):
        raise InputError(
            f"{path} was changed after it was written: its checksum is not that of its content; save it again"
        )
    content: dict[str, Any] = model["content"]
    return content


def decode_steps(steps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Make the estimators whose `to_json` these were, by the names of their steps."""
    model = {}
    for step in steps:
        described = step["estimator"]
        try:
            model[step["name"]] = _CLASSES[described["class"]].from_json(json.dumps(described))
        except (KeyError, TypeError, XifenError) as failure:
            raise InputError(f"the step '{step['name']}' of this model cannot be read: {failure}") from None
    return model


def seen_from(folder: Path, other: Path) -> str:
    """Give a folder relative to another, so that a model finds the files of its plan wherever both are moved to."""
    try:
        return Path(os.path.relpath(other, folder)).as_posix()
    except ValueError:  # on another drive
        return other.resolve().as_posix()


def plain(values: Any) -> Any:
    """Give a plan's values as JSON has them: dates are text."""
    if isinstance(values, Mapping):
        return {key: plain(value) for key, value in values.items()}
    if isinstance(values, list):
        return [plain(value) for value in values]
    return values.isoformat() if isinstance(values, dt.date) else values


def encode_customers(made: Customers, kind: str) -> dict[str, Any]:
    """Give customers, with all that is said of how they came about, as JSON has it."""
    frames = {name: getattr(made, name) for name in _FRAMES}
    return {
        "kind": kind,
        "as_of": made.as_of.isoformat(),
        **{name: getattr(made, name) for name in _SAID},
        **{name: None if table is None else encode_frame(table) for name, table in frames.items()},
        "columns": encode_frame(made.frame()),
    }


def decode_customers(given: Any) -> tuple[Customers | None, str]:
    """Make the customers `encode_customers` gave, and say which kind of frame they came as."""
    if given is None:
        return None, "pandas"
    table = decode_frame(given["columns"])
    frames = {name: None if given[name] is None else decode_frame(given[name]) for name in _FRAMES}
    made = Customers({name: table[name] for name in table}, dt.date.fromisoformat(given["as_of"]))
    for name, value in {**{name: given[name] for name in _SAID}, **frames}.items():
        setattr(made, name, value)
    return made, given["kind"]


def encode_frame(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give a frame column by column, with the type of each, so that it comes back the same."""
    return [{"column": str(name), **_encode(str(name), table[name])} for name in table]


def decode_frame(columns: Any) -> pd.DataFrame:
    """Make the frame `encode_frame` gave."""
    return pd.DataFrame({column["column"]: _decode(column) for column in columns}, copy=False)


def _encode(name: str, values: pd.Series) -> dict[str, Any]:
    kind = values.dtype
    if isinstance(kind, pd.CategoricalDtype):
        categories = _encode(name, pd.Series(kind.categories))
        return {
            "dtype": "category",
            "categories": categories,
            "ordered": bool(kind.ordered),
            "values": values.cat.codes.tolist(),
        }
    if kind.kind == "M":
        numbers = values.dt.tz_convert("UTC").dt.tz_localize(None) if getattr(kind, "tz", None) else values
        whole = numbers.to_numpy().view(np.int64)
        return {"dtype": str(kind), "values": [None if at == pd.NaT.value else at for at in whole.tolist()]}
    objects = values.astype(object)
    plain = objects.where(values.notna(), None).tolist()
    if pd.api.types.is_object_dtype(kind):
        found = {type(value) for value in plain if value is not None}
        if found <= {dt.date}:
            return {"dtype": "date" if found else "object", "values": [value and value.isoformat() for value in plain]}
        if not found <= {str, bool, int, float}:
            raise InputError(
                f"column '{name}' holds {', '.join(sorted(each.__name__ for each in found))}, which a model file has no form for; save without customers"
            )
    elif str(kind).startswith("decimal"):
        plain = [value if value is None else str(value) for value in plain]
    elif kind.kind not in "biufOSU" and not pd.api.types.is_string_dtype(kind):
        raise InputError(f"column '{name}' holds {kind}, which a model file has no form for; save without customers")
    return {"dtype": str(kind), "values": plain}


def _decode(column: Mapping[str, Any]) -> pd.Series:
    kind, values = column["dtype"], column["values"]
    if kind == "category":
        return pd.Series(pd.Categorical.from_codes(values, _decode(column["categories"]), ordered=column["ordered"]))
    if kind == "date":
        return pd.Series([value and dt.date.fromisoformat(value) for value in values], dtype=object)
    time = re.fullmatch(r"datetime64\[(\w+)(?:, (.+))?\]", kind)
    if time:
        whole = np.array([pd.NaT.value if value is None else value for value in values], dtype=np.int64)
        moments = pd.Series(whole.view(f"M8[{time[1]}]"))
        return moments.dt.tz_localize("UTC").dt.tz_convert(time[2]) if time[2] else moments
    decimal = re.fullmatch(r"decimal128\((\d+), (-?\d+)\)\[pyarrow\]", kind)
    if decimal:
        exact = pa.array(
            [value and Decimal(value) for value in values], pa.decimal128(int(decimal[1]), int(decimal[2]))
        )
        return pd.Series(pd.arrays.ArrowExtensionArray(exact))
    return pd.Series(values, dtype=kind)


def _readable(value: Any, indent: str = "") -> str:
    """Write JSON a value per line, but lists of plain values (the columns of customers) in one."""
    if isinstance(value, Mapping) and value:
        items = [
            f"{json.dumps(key, ensure_ascii=False)}: {_readable(item, indent + ' ')}" for key, item in value.items()
        ]
        return "{\n" + ",\n".join(f"{indent} {item}" for item in items) + f"\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], (dict, list)):
        items = [f"{indent} {_readable(item, indent + ' ')}" for item in value]
        return "[\n" + ",\n".join(items) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _checksum(content: Any) -> str:
    """BLAKE2b over the content as JSON without spaces, in its order: rules decide in the order in which they stand."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}, which no model may")
