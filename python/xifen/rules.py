"""Segments as rules: each label has an SQL condition, and the first that is true names the row."""

from __future__ import annotations

import inspect
import itertools
import json
import re
import reprlib
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Literal, Self

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from xifen import _columns as names
from xifen import _core, _display
from xifen._base import ColumnAdder
from xifen._cuts import threads
from xifen._frame import Frame
from xifen._results import Labels
from xifen._rule_coverage import Coverage
from xifen._rule_reports import Explanation, chosen_rows, ids_of
from xifen._rule_values import constant, domain_of, learned, unlearned
from xifen._rule_words import language_of
from xifen._warn import warn
from xifen.errors import InputError, ParameterError, RuleError

__all__ = ["RuleSegmenter", "RuleSet"]

#: Columns that are not there, and what makes them.
_MADE: Final = {
    r"(?:order_count|monetary)_(?:prev_)?(\d+[DM])": r"rfm_table makes that column with windows=['\1']",
    r"(?:recency|frequency|monetary)_score|rfm_cell|rfm_score": "RFMScorer makes that column: score the frame first",
}


class RuleSet(ColumnAdder):
    """What segments and tags share: rules by label, the columns and parameters they were fitted with, and reports."""

    _fitted = ("columns_", "column_kinds_", "parameters_")
    #: Whether the rules are tags, of which a row can have several.
    _tags: ClassVar[bool] = False

    columns_: list[str]
    column_kinds_: list[Any]
    parameters_: dict[str, Any]

    rules: Mapping[str, str]
    domains: Mapping[str, Any] | None
    parameters: Mapping[str, Any] | None
    aliases: Mapping[str, Mapping[str, str]] | None
    n_jobs: int | None

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the rules against the frame's columns, and learn the parameters that are to be learned.

        Parameters
        ----------
        X : frame
            pandas, polars, pyarrow Table or dict of arrays. Only names and types are read, and the values of columns
            a parameter is learned from.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        RuleError
            A rule cannot be read, names a column or parameter there is none of, or compares what cannot be compared;
            `position` is the character.
        ParameterError
            A parameter of the segmenter cannot be used.
        """
        self._fit(self._open(X), place=False)
        return self

    def __repr__(self) -> str:
        """Show the rules in order, the first few of many, and what is not the default; scikit-learn would sort them."""
        shown = [_shown(self.rules)]
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name)
            if name not in ("rules", "aliases") and repr(value) not in (repr(parameter.default), "{}", "[]"):
                shown.append(f"{name}={reprlib.repr(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def table(self) -> pd.DataFrame:
        """Show the rules in order.

        Returns
        -------
        pandas.DataFrame
            `label`, the label's other names where `aliases` gives some (presets: `key`, `zh`, `en`), of tags with
            families `family`, and `rule`; a default stands last with an empty rule.
        """
        self._config([], {})
        aliases = self.aliases or {}
        kinds = list(dict.fromkeys(kind for other in aliases.values() for kind in other))
        return pd.DataFrame(
            [
                {"label": label, **{kind: aliases.get(label, {}).get(kind, "") for kind in kinds}, **more}
                for label, more in self._lines()
            ]
        )

    def coverage(
        self, frame: Any = None, *, id_column: str = names.CUSTOMER_ID, lang: Literal["en", "zh"] | None = None
    ) -> Coverage:
        """Look at every combination of values: gaps, overlaps, and rules that never decide.

        A column with a domain takes each of its values (whole numbers, a list). Any other number is cut at the
        numbers the rules compare it with, so that each stretch between two of them is one value; any other text is
        one of those the rules name, or another. A column is also taken as missing where a rule asks for that, and everywhere
        with ``unknown="skip"``.

        Parameters
        ----------
        frame : frame, optional
            Count its rows too, and name a customer for each finding.
        id_column : str, default "customer_id"
            Where the names of customers stand; without this column they are named by their position.
        lang : {"en", "zh"}, optional
            The language of the words; None is that of a preset's labels, English otherwise.

        Returns
        -------
        Coverage
            `print` it, or take its tables.

        Raises
        ------
        InputError
            A value of the frame is infinite or outside its domain.
        """
        check_is_fitted(self)
        lang = self._language(lang)
        config = self._fitted_config()
        found = json.loads(_core.rules_coverage(config))
        if frame is None:
            return Coverage(found, None, (), lang)
        table = self._open(frame)
        counts = json.loads(_core.rules_coverage_of_rows(table.stream(self.columns_), config, threads(self.n_jobs)))
        return Coverage(found, counts, ids_of(table, id_column), lang)

    def explain(
        self,
        frame: Any,
        *,
        ids: Any = None,
        id_column: str = names.CUSTOMER_ID,
        lang: Literal["en", "zh"] | None = None,
    ) -> Explanation:
        """Say why rows have their labels or tags, and what it would take to have another.

        Each rule that was tried, each condition with the value it saw, which inputs were missing, and the nearest rule
        that almost fired.

        Parameters
        ----------
        frame : frame
            Any frame with the columns the rules read.
        ids : list, optional
            Which customers; None takes the first 10 rows.
        id_column : str, default "customer_id"
            Where the ids stand. Without `ids` and without a column of the default name rows are named by their position.
        lang : {"en", "zh"}, optional
            The language of the words; None is that of a preset's labels, English otherwise.

        Returns
        -------
        Explanation
            `print` it to read it; its `frame` has a row per condition, `nearest` one per change.

        Raises
        ------
        InputError
            An id is not in the column.
        """
        check_is_fitted(self)
        lang = self._language(lang)
        table = self._open(frame)
        rows, shown, column = chosen_rows(table, ids, id_column)
        found = json.loads(_core.rules_explain(table.stream(self.columns_), self._fitted_config(), rows))
        return Explanation(table, column, shown, found, lang, tags=self._tags)

    def _language(self, lang: Any) -> Any:
        return language_of(lang, list(self.rules), self.aliases or {})

    def _shown(self) -> list[_display.Part]:
        return [self.coverage().badge, ("rules", self.table())]

    def _choice(self) -> dict[str, Any]:
        """How the rules decide together, as JSON has it; what cannot be is refused here."""
        raise NotImplementedError

    def _lines(self) -> list[tuple[str, dict[str, str]]]:
        """Each label with what `table` shows of it besides its names."""
        raise NotImplementedError

    def _reads(self) -> list[str]:
        return _core.rules_columns(self._config([], {}), None)

    def _fit(self, frame: Frame, *, place: bool) -> Any:
        """Learn from the frame; returns the stream of the columns the rules read, with their rows if `place`."""
        config = self._config([], {})
        known = [name for name in [*frame.names, *frame.absent] if isinstance(name, str)]
        if frame.names and not known:
            raise InputError(
                f"no column of {frame.what} has a name of text; it has {reprlib.repr(frame.names)}: rules find columns "
                "by name, so give them names, as in frame.columns = ['days', ...]"
            )
        try:
            columns = _core.rules_columns(config, known) or known[:1]  # rules without a column still need rows
        except RuleError as failure:
            for column, way in _MADE.items():
                if found := re.search(f"there is no column '(?:{column})'", str(failure)):
                    raise RuleError(f"{failure}\n{found.expand(way)}", failure.position) from None
            raise
        if not columns:
            raise InputError(f"{frame.what} has no columns")
        for name in self.domains or {}:
            if name not in known:
                near = _core.did_you_mean(str(name), known)
                raise ParameterError(f"domains names {name!r}, but {frame.what} has no such column{near}")
        stream = frame.stream(columns, kinds_only=not place)
        kinds = json.loads(
            _core.rules_check(stream.slice(0, 0), self._config(columns, unlearned(self.parameters or {})))
        )
        parameters = learned(self.parameters or {}, frame, threads(self.n_jobs))
        self.columns_, self.column_kinds_, self.parameters_ = columns, kinds, parameters
        self._remember(frame)
        return stream

    def _check_restored(self) -> None:
        if not isinstance(self.parameters_, Mapping) or len(self.columns_) != len(self.column_kinds_):
            raise InputError("this model is damaged: its columns and their kinds, or its parameters, are not whole")
        _core.rules_columns(self._fitted_config(), None)

    def _fitted_config(self) -> str:
        return self._config(self.columns_, self.parameters_, self.column_kinds_)

    def _config(self, columns: Sequence[str], parameters: Mapping[str, Any], kinds: Sequence[Any] = ()) -> str:
        """Everything Rust needs to know, as JSON; wrong kinds of object are refused here."""
        for what in ("parameters", "domains", "aliases"):
            given = getattr(self, what, None)
            if given is not None and not isinstance(given, Mapping):
                raise TypeError(f"{what} is {given!r}; wanted a mapping, of name to what it stands for")
            for name in given or ():
                if not isinstance(name, str):
                    raise TypeError(f"{what} names {name!r}; wanted text")
        for label, others in (self.aliases or {}).items():
            if not isinstance(others, Mapping):
                raise TypeError(f"aliases of {label!r} is {others!r}; wanted a mapping, such as {{'key': ...}}")
        rules: Any = self.rules
        if not isinstance(rules, Mapping):
            raise TypeError(f"rules must be a mapping of label to condition; got {type(rules).__name__}")
        for label, text in rules.items():
            if not isinstance(label, str) or not isinstance(text, str):
                raise TypeError(f"rules must map text to text; got {label!r}: {text!r}")
            if not label:
                raise ParameterError("a label is empty; give every rule a name")
            for what in (label, text):
                try:
                    what.encode()
                except UnicodeEncodeError as failure:
                    raise ParameterError(
                        f"rule {label!r}: character {failure.start} of {what!r} is half of one (a lone surrogate), as "
                        "bytes read in a wrong encoding leave behind; write the whole character"
                    ) from None
        return json.dumps(
            {
                "rules": [{"label": label, "text": text} for label, text in self.rules.items()],
                **self._choice(),
                "domains": [(name, domain_of(name, domain)) for name, domain in (self.domains or {}).items()],
                "parameters": [(name, constant(f"parameter :{name}", value)) for name, value in parameters.items()],
                "names": list(columns),
                "kinds": list(kinds),
            }
        )


class RuleSegmenter(RuleSet):
    """Give every row the label of the first rule that is true.

    A rule is an SQL boolean expression over the frame's columns. Missing values are unknown, not false: a rule that is
    neither true nor false before any rule is true makes the label missing.

    **Conditions**: ``= <> < <= > >=``, ``AND OR NOT``, ``IN (...)``, ``BETWEEN ... AND ...``,
    ``IS [NOT] NULL | TRUE | FALSE``, ``LIKE 'pattern' [ESCAPE '!']`` (``%`` is any text, ``_`` one code point).

    **Values**: numbers, ``'text'``, ``TRUE FALSE``, ``DATE '2026-06-30'``, ``TIMESTAMP '2026-06-30 12:00:00'``,
    ``"any column name"``, ``:parameters``; ``+ - * / %``, ``text || text``, ``CASE [x] WHEN ... THEN ... ELSE ... END``,
    ``COALESCE``, ``NULLIF``, ``ABS``, ``ROUND(x[, digits])`` (half away from zero), ``LEAST`` and ``GREATEST`` (of those
    that are not missing).

    **Dates**: a date or timestamp ``+`` or ``-`` ``INTERVAL '3' MONTH`` (or ``'90 days'``, ``'1 year'``; a day beyond
    the month's end is its last day); two of them subtracted are the calendar days between. A date beside a timestamp is
    its midnight. A column that knows its time zone is read as the wall clock of that zone.

    **Other rules**: a name that is no column but the label of another rule stands for that rule's condition, whatever
    the order of the rules; a circle is an error, and so is a name that is both.

    **Numbers**: whole numbers are calculated in 64 bits, decimals and numbers written with a point exactly in up to 38
    digits; a result beyond that is missing, counted and warned about. Whatever meets a float is one, and so is every
    ``/``; by zero the result is missing. Integer and decimal columns are compared exactly with the numbers a rule
    writes, floats in their own width, text by code point.

    Parameters
    ----------
    rules : mapping of str to str
        Label -> condition, in the order they are tried.
    default : str, optional
        The label of rows for which every rule is false; None leaves them missing.
    unknown : {"stop", "skip"}, default "stop"
        What a rule does that is unknown before any rule is true: "stop" makes the label missing, because it depends
        on what is not known; "skip" tries the next rule, as SQL's CASE does.
    domains : mapping, optional
        What a column can hold: a pair of integers ``(1, 5)`` is the whole numbers between them, a pair of floats
        ``(0.0, 1.0)`` the closed interval, a list ``["web", "shop"]`` its members. `coverage` looks at every
        combination, and a value outside its domain is an InputError; a column the fitted frame lacks is refused.
    parameters : mapping, optional
        Values of ``:name`` in the rules: a truth value, number, Decimal (exact), text, date or datetime (wall clock);
        or ``"mean(column)"``, ``"median(column)"`` or ``"top_share(column, 0.8)"`` (the least of those largest values
        that have 80 % of the sum together, the one that crosses it included; values below 0 count nothing), learned by
        `fit` over the values that are not missing. A text of just that form is always learned: a rule that means the
        text itself writes it.
    output : str, default "segment"
        Name of the added column.
    aliases : mapping, optional
        Other names of a label, shown by `table`: ``{"champions": {"zh": "冠军客户", "en": "Champions"}}``.
    optional : list of str, optional
        Columns a frame may lack: an absent one counts as missing in every row, and a warning names it.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Attributes
    ----------
    columns_ : list of str
        The columns the rules read, in order of appearance.
    column_kinds_ : list
        What each of them held when the rules were fitted.
    parameters_ : dict
        The parameters' values, the learned ones included.
    n_features_in_, feature_names_in_
        The frame's columns, as in scikit-learn.

    Examples
    --------
    >>> import pandas as pd
    >>> import xifen as xf
    >>> customers = pd.DataFrame({"recency_days": [3, 40, 200], "order_count": [12, 2, 1]})
    >>> segmenter = xf.RuleSegmenter(
    ...     {"active": "recency_days < 30 AND order_count >= :many", "slipping": "recency_days BETWEEN 30 AND 90"},
    ...     default="gone",
    ...     parameters={"many": 5},
    ... )
    >>> segmenter.fit_transform(customers)["segment"].tolist()
    ['active', 'slipping', 'gone']
    """

    def __init__(
        self,
        rules: Mapping[str, str],
        *,
        default: str | None = None,
        unknown: Literal["stop", "skip"] = "stop",
        domains: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        output: str = names.SEGMENT,
        aliases: Mapping[str, Mapping[str, str]] | None = None,
        optional: Sequence[str] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.rules = rules
        self.default = default
        self.unknown = unknown
        self.domains = domains
        self.parameters = parameters
        self.output = output
        self.aliases = aliases
        self.optional = optional
        self.n_jobs = n_jobs

    def transform(self, X: Any) -> Any:
        """Add the label of every row.

        Parameters
        ----------
        X : frame
            Any frame with the columns the rules read.

        Returns
        -------
        frame
            The caller's frame and, behind its own columns, the label: one of the rules' labels and `default`, in
            declared order, or missing.

        Raises
        ------
        InputError
            A column is absent, infinite or outside its domain, or the frame already has a column named `output`.
        RuleError
            A column no longer has a kind the rules can use.
        """
        check_is_fitted(self)
        frame = self._open(X)
        return self._add(frame, frame.stream(self.columns_))

    def to_sql(self) -> str:
        """Write the rules as one SQL expression that gives the same labels in a warehouse.

        Parameters have their values, divisors stand in ``nullif``, and a rule that is NULL stops as `unknown` says.
        The labels are the same in duckdb except in four cases: a missing value must be NULL (SQL orders NaN above
        every number), no calculation on integers, decimals or dates may overflow (duckdb raises an error there),
        timestamps of nanoseconds lose their last three digits where an interval moves them, and of a column plus 1
        month beside the same plus 30 days duckdb computes one (its optimizer takes the intervals for equal).
        Rules that refer to others have those conditions written out.
        An optional column that was absent must be there, as NULL.

        Returns
        -------
        str
            ``CASE WHEN ... END``.
        """
        check_is_fitted(self)
        return _core.rules_sql(self._fitted_config())

    def _choice(self) -> dict[str, Any]:
        if self.default is not None and not isinstance(self.default, str):
            raise TypeError(f"default must be a label or None; got {self.default!r}")
        if self.default == "":
            raise ParameterError("default is empty; give it a name, or None for rows without a label")
        if self.unknown not in ("stop", "skip"):
            raise ParameterError(f"unknown must be 'stop' or 'skip'; got {self.unknown!r}")
        output: Any = self.output
        if not isinstance(output, str) or not output:
            raise TypeError(f"output must be the name of the added column; got {output!r}")
        return {"default": self.default, "unknown": self.unknown}

    def _lines(self) -> list[tuple[str, dict[str, str]]]:
        return [(label, {"rule": self.rules.get(label, "")}) for label in dict.fromkeys([*self._labels(), *self.rules])]

    def _adds(self) -> list[str]:
        return [self.output]

    def _labels(self) -> list[str]:
        """Every label once, in declared order, the default last."""
        return list(dict.fromkeys([*self.rules, *([self.default] if self.default is not None else [])]))

    def _add(self, frame: Frame, stream: Any) -> Any:
        codes, overflows = _core.rules_labels(stream, self._fitted_config(), threads(self.n_jobs))
        warn_of_overflows(overflows)
        return frame.add({self.output: Labels(codes, self._labels())})


def _shown(rules: Any) -> str:
    """Give the first rules in their order, for `repr`."""
    first = 5
    if not isinstance(rules, Mapping):
        return reprlib.repr(rules)
    listed = [
        f"{label!r}: {textwrap.shorten(str(text), 60, placeholder=' ...')!r}"
        for label, text in itertools.islice(rules.items(), first)
    ]
    return f"{{{', '.join(listed)}{f', ... {len(rules)} rules' if len(rules) > first else ''}}}"


def warn_of_overflows(count: int) -> None:
    """Say how many results of a calculation did not fit."""
    if count:
        warn(
            f"{count} result{' ' if count == 1 else 's '}of whole-number or decimal calculation beyond 64 bits or 38 "
            "digits (or a date's range), now missing; write one of the numbers with a point (1.0 *) to calculate exactly "
            "in 38 digits"
        )
