"""A plan: one file that says what is read, computed, decided and written."""

from __future__ import annotations

import datetime as dt
import json
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal, Self

import pandas as pd

from xifen import _core, _display
from xifen._progress import Told
from xifen.errors import InputError, ParameterError
from xifen.plan import privacy
from xifen.plan._actions import playbook, types_of
from xifen.plan._blocks import BLOCKS, FORMAT, HEAD, Context
from xifen.plan._check import At, Field, Table
from xifen.plan._goals import goal_reads
from xifen.plan._positions import lines_of
from xifen.plan._steps import Step, in_order, labels_of
from xifen.plan._tables import made_by_tables
from xifen.plan._toml import to_toml

__all__ = ["Plan"]

_FOLDER = files("xifen.plan")
_WORDS: Final[dict[str, Any]] = json.loads((_FOLDER / "words.json").read_text(encoding="utf-8"))


class Plan:
    """One definition of a segmentation: sources, tables, scores, tags, segments, playbook, owners, goals, privacy, output.

    A plan is checked whole when it is made: every key, every preset with its parameters, every rule, what each step
    reads and adds. What is wrong is named with file, line and, of a name, the nearest one there is.

    Make one by `Plan.load` (a file), `Plan.from_dict` or `Plan.preset`.

    Attributes
    ----------
    name : str
    lang : {"zh", "en"}
    as_of : datetime.date or "max"
    values : dict
        What the plan says, block by block, as it was checked.
    steps : list of Step
        The estimators in the order in which they run: as they are written, but behind what they read.
    playbook : pandas.DataFrame or None
        A row per type: key, label, direction, actions, service_level, investment, channel, contact_interval (days).
    segment : str or None
        The column that carries the strategy.
    types : dict of str to str
        Every way to write a type (label, key, either language), to its label.
    folder : pathlib.Path
        What its paths are relative to.

    Examples
    --------
    >>> import xifen as xf
    >>> plan = xf.Plan.from_dict({
    ...     "xifen": 1,
    ...     "tables": {"windows": ["90D"]},
    ...     "scores": [{"n_bins": 5}],
    ...     "segments": [{"preset": "rfm.named_six"}],
    ... })
    >>> plan
    Plan('plan', lang='en', as_of='max', steps=['scores 1', 'rfm.named_six'])
    >>> plan.fit(orders=xf.datasets.load_cdnow()).frame["segment"].value_counts().head(2).to_dict()
    {'Core': 9980, 'Dormant': 7611}
    >>> xf.Plan.from_dict({"xifen": 1, "tabels": {}})
    Traceback (most recent call last):
        ...
    xifen.errors.ParameterError: the plan, tabels: unknown key; did you mean 'tables'? ...
    """

    def __init__(
        self, values: Mapping[str, Any], *, source: str = "the plan", lines: Any = None, folder: Any = "."
    ) -> None:
        at = At(source, lines or {})
        _check_version(values, at)
        checked = KIND.check(values, at)
        self.values: dict[str, Any] = checked
        self.folder = Path(folder)
        self.name: str = checked.get("name", HEAD["name"].default)
        self.lang: Literal["zh", "en"] = checked.get("lang", HEAD["lang"].default)
        self.as_of: dt.date | str = checked.get("as_of", HEAD["as_of"].default)
        if self.as_of == "max" and "tables" not in checked:
            (at / "as_of").refuse("without [tables] there are no orders whose last day could be taken: give a date")
        self.words: dict[str, Any] = _WORDS[self.lang]
        self.steps: list[Step] = in_order(self._steps(at))
        self.playbook: pd.DataFrame | None = None
        if "playbook" in checked:
            self.playbook = playbook(checked["playbook"], self.lang, at / "playbook")
        self.types = types_of(self.playbook, checked.get("playbook", {}), self._labels())
        self._check_names()
        self._check_reads(at)
        self._check_types(at)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a plan from a .toml or .json file.

        Parameters
        ----------
        path : str or pathlib.Path
            The file, in UTF-8. Paths in it are relative to its folder.

        Returns
        -------
        Plan

        Raises
        ------
        InputError
            The file cannot be read, or is not TOML or JSON.
        ParameterError
            What it says cannot be used; the message begins with file and line.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise InputError(
                f"there is no plan {path}; presets: Plan.preset({', '.join(map(repr, cls.presets()))})"
            ) from None
        except (OSError, UnicodeDecodeError) as failure:
            raise InputError(f"the plan {path} cannot be read: {failure}") from None
        return cls._from_text(text, path.name, toml=path.suffix.lower() != ".json", folder=path.parent)

    @classmethod
    def preset(cls, name: str) -> Self:
        """Make one of the plans that come with xifen: sales.zh, sales.en, retail, leads.

        Parameters
        ----------
        name : str
            Which one. `Plan.preset_text` gives its text, to copy and edit.

        Returns
        -------
        Plan
        """
        return cls._from_text(cls.preset_text(name), f"{name}.toml", toml=True, folder=Path())

    @staticmethod
    def preset_text(name: str) -> str:
        """Give the text of a preset plan, with its comments.

        Parameters
        ----------
        name : str
            As for `preset`.

        Returns
        -------
        str
            TOML.
        """
        known = Plan.presets()
        if name not in known:
            near = _core.did_you_mean(name, known) if isinstance(name, str) else ""
            raise ParameterError(f"there is no plan {name!r}{near or ';'} there is: {', '.join(known)}")
        return (_FOLDER / f"{name}.toml").read_text(encoding="utf-8")

    @staticmethod
    def presets() -> list[str]:
        """List the plans that come with xifen.

        Returns
        -------
        list of str
        """
        return sorted(item.name.removesuffix(".toml") for item in _FOLDER.iterdir() if item.name.endswith(".toml"))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a plan from a dict with the keys of the file.

        Parameters
        ----------
        values : mapping
            ``{"xifen": 1, "tables": {"windows": ["90D"]}, "scores": [{}], ...}``.

        Returns
        -------
        Plan
        """
        return cls(values)

    @classmethod
    def from_toml(cls, text: str, *, folder: str | Path = ".") -> Self:
        """Make a plan from the text of a .toml file: what `to_toml` gives, or an edited `preset_text`.

        Parameters
        ----------
        text : str
            TOML.
        folder : str or pathlib.Path
            What paths in it are relative to.

        Returns
        -------
        Plan

        Raises
        ------
        InputError
            The text is no TOML.
        ParameterError
            What it says cannot be used; the message begins with the line.
        """
        return cls._from_text(text, "the plan", toml=True, folder=Path(folder))

    @classmethod
    def from_json(cls, text: str, *, folder: str | Path = ".") -> Self:
        """Make a plan from the text of a .json file: what `to_json` gives.

        Parameters
        ----------
        text : str
            JSON, in which no key may stand twice.
        folder : str or pathlib.Path
            As for `from_toml`.

        Returns
        -------
        Plan

        Raises
        ------
        InputError, ParameterError
            As for `from_toml`.
        """
        return cls._from_text(text, "the plan", toml=False, folder=Path(folder))

    @classmethod
    def _from_text(cls, text: str, source: str, *, toml: bool, folder: Path) -> Self:
        try:
            values = tomllib.loads(text) if toml else json.loads(text, object_pairs_hook=_once)
        except (tomllib.TOMLDecodeError, ValueError, RecursionError) as failure:
            raise InputError(f"{source} is no {'TOML' if toml else 'JSON'}: {failure}") from None
        return cls(values, source=source, lines=lines_of(text, toml=toml), folder=folder)

    @staticmethod
    def schema() -> dict[str, Any]:
        """Give the JSON Schema of plans, by which editors complete and check them.

        Returns
        -------
        dict
            The same as the file ``plan.schema.json`` in the package.
        """
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "A plan of xifen",
            **KIND.schema(),
        }

    def fit(
        self,
        orders: Any = None,
        customers: Any = None,
        messages: Any = None,
        *,
        n_jobs: int | None = None,
        progress: Told = None,
    ) -> Any:
        """Build the tables, fit every step, and segment the customers.

        Parameters
        ----------
        orders, customers, messages : frame, optional
            pandas, polars, pyarrow or dict of arrays; from the plan's paths where one is not given. Never changed.
        n_jobs : int, optional
            Threads; None means all processors. It never changes a result.
        progress : callable, bool or None
            Told ``(what, done, of)``; None shows a bar after two seconds where a person looks on, False never.

        Returns
        -------
        Segmentation

        Raises
        ------
        InputError
            A table is absent, has no rows or lacks a column, or its values cannot be used.
        """
        from xifen.plan.segmentation import Segmentation

        given = (orders, customers, messages)
        return Segmentation._of(self, None, given, self.as_of, n_jobs, progress)  # noqa: SLF001 made here and by transform

    def block(self, key: str) -> dict[str, Any]:
        """Give a block of the plan with the defaults of what it does not say.

        Parameters
        ----------
        key : str
            Which one: "privacy", for example.

        Returns
        -------
        dict
        """
        defaults = {name: told.default for name, told in BLOCKS[key].fields.items()}
        return {**defaults, **self.values.get(key, {})}

    def to_json(self) -> str:
        """Write the plan as JSON.

        Returns
        -------
        str
        """
        return json.dumps(self.values, ensure_ascii=False, indent=1, default=str)

    def to_toml(self) -> str:
        """Write the plan as TOML, without comments.

        Returns
        -------
        str
        """
        return to_toml(self.values)

    def __repr__(self) -> str:
        return f"Plan({self.name!r}, lang={self.lang!r}, as_of={str(self.as_of)!r}, steps={[step.name for step in self.steps]})"

    def _repr_html_(self) -> str:
        steps = [
            {"step": step.name, "block": step.block, "reads": ", ".join(step.reads), "adds": ", ".join(step.adds)}
            for step in self.steps
        ]
        title = f"Plan({self.name!r}, lang={self.lang!r}, as_of={str(self.as_of)!r})"
        return _display.shown(title, ("steps", pd.DataFrame(steps)))

    # -- checking ----------------------------------------------------------------------------------

    def _steps(self, at: At) -> list[Step]:
        tables = self.values.get("tables", {})
        context = Context(self.lang, {name: tables[name] for name in ("currency", "basis") if name in tables})
        steps = []
        for key, given in self.values.items():
            block = BLOCKS.get(key)
            if block is None:  # what a plan says before its blocks
                continue
            for place, values in enumerate(given if block.many else [given]):
                here = at / key / place if block.many else at / key
                step = block.step(values, here, context)
                if step is not None:
                    steps.append(step)
        return steps

    @property
    def segment(self) -> str | None:
        """The column that carries the strategy: that of the playbook, otherwise the last of [[segments]]."""
        labels = [name for step in self.steps if step.block == "segments" for name in step.adds]
        said: str | None = self.values.get("playbook", {}).get("type")
        return said or (labels[-1] if labels else None)

    def _labels(self) -> dict[str, dict[str, str]]:
        """The labels of the step that carries the strategy, with their other names."""
        step = next((step for step in self.steps if self.segment in step.adds), None)
        return {} if step is None else labels_of(step.estimator)

    def _check_types(self, at: At) -> None:
        """Types that owners and contacts name are types; each type of the rules has a strategy."""
        own = self._labels()
        if self.playbook is not None and own:
            absent = [label for label in own if label not in set(self.playbook["label"])]
            if absent:
                (at / "playbook").refuse(
                    f"{', '.join(map(repr, absent))} of '{self.segment}' {'has' if len(absent) == 1 else 'have'} no strategy in this playbook: "
                    "choose the playbook of these types, or write [playbook.entries]"
                )
        if not self.types:  # they stand in the data alone
            return
        named = [
            (at / "contact" / part / way, way)
            for part in ("days", "channel")
            for way in self.values.get("contact", {}).get(part, {})
        ]
        for place, line in enumerate(self.values.get("owners", [])):
            given = line.get("type", [])
            named += [(at / "owners" / place / "type", way) for way in ([given] if isinstance(given, str) else given)]
        for here, way in named:
            if way not in self.types:
                near = _core.did_you_mean(way, list(self.types))
                here.refuse(
                    f"{way!r} is no type of '{self.segment}'{near or ';'} types are {', '.join(dict.fromkeys(self.types.values()))}"
                )

    def _check_names(self) -> None:
        """No two steps of one name, and no column added twice."""
        taken: dict[str, str] = {}
        made = dict.fromkeys(made_by_tables(self.values), "[tables]")
        for step in self.steps:
            if step.name in taken:
                step.at.refuse(f"a step called '{step.name}' stands there already; give one of them a name")
            taken[step.name] = step.name
            for column in step.adds:
                if column in made:
                    step.at.refuse(f"'{step.name}' adds '{column}', as {made[column]} does; rename it by output")
                made[column] = f"'{step.name}'"

    def _check_reads(self, at: At) -> None:
        """Every column that only [tables] could make is made, and none is read that privacy keeps out."""
        made = [*made_by_tables(self.values), *[column for step in self.steps for column in step.adds]]
        said = self.block("privacy")
        renamed = self.values.get("sources", {}).get("customers", {}).get("columns", {})
        reads = [(step.at, f"'{step.name}'", step.reads) for step in self.steps]
        for place, goal in enumerate(self.values.get("goals", [])):
            here = at / "goals" / place
            reads.append(
                (
                    here,
                    f"the goal '{goal['name']}'",
                    [*goal_reads(goal, here), *[goal[k] for k in ("sum",) if k in goal]],
                )
            )
        for here, who, columns in reads:
            for column in columns:
                why = privacy.kept_out(column, said, renamed.get(column))
                if why:
                    here.refuse(f"{who} reads '{column}', but {privacy.advice(column, why)}")
                if column not in made and re.fullmatch(r"(order_count|monetary)(_prev)?_[0-9]+[DM]", column):
                    span = column.rpartition("_")[2]
                    here.refuse(
                        f"{who} reads '{column}', which needs the window '{span}': add it to windows of [tables]"
                    )


def _check_version(values: Any, at: At) -> None:
    """Before anything else: another version may have other keys."""
    if isinstance(values, Mapping) and values.get("xifen", FORMAT) != FORMAT:
        (at / "xifen").refuse(f"this plan has format {values['xifen']!r}; this xifen reads format {FORMAT}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice, of which JSON would take the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for place, (key, _) in enumerate(pairs) if key in dict(pairs[:place]))
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


#: The whole of a plan.
KIND = Table({**HEAD, **{key: Field(block.kind(), block.says) for key, block in BLOCKS.items()}})
