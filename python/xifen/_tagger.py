"""Tags as rules: each tag has an SQL condition, and a row has every tag whose condition is true."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.utils.validation import check_is_fitted

from xifen import _core
from xifen._cuts import threads
from xifen._frame import Frame
from xifen._results import Column, Labels, Masked
from xifen.errors import InputError, ParameterError
from xifen.rules import RuleSet, warn_of_overflows

__all__ = ["RuleTagger"]

#: What a family may say.
_FAMILY = ("tags", "exclusive", "default")
#: Behind the name of a list or text column: the tags that are unknown.
_UNKNOWN = "_unknown"


class RuleTagger(RuleSet):
    """Give every row all the tags whose rules are true.

    Rules are written as for `RuleSegmenter`. A tag is true, false or unknown: unknown where its rule depends on a
    missing value, and unknown is not false. An exclusive family gives a row one of its tags at most, the first that is
    true: a tag of it is true only where every tag before it is false, is false where one before it is true, and is
    unknown where that cannot be said.

    Parameters
    ----------
    rules : mapping of str to str
        Tag -> condition.
    families : mapping, optional
        Tags that belong together: ``{"value": {"tags": ["high", "low"], "exclusive": True, "default": "other"}}``. An
        exclusive family is also added as a column of labels with its name: its true tag, `default` where all are
        false, missing where that is unknown, as in `RuleSegmenter`. Other families group tags in `table`. A tag has one
        family at most.
    domains, parameters
        As for `RuleSegmenter`.
    list_output : str, optional
        Name of an added column with the list of each row's true tags, in the order of the rules; the column
        ``<list_output>_unknown`` behind it lists the tags that are unknown, so that a short list is never taken for a
        sure one. polars and Arrow get lists of text, pandas an Arrow-backed column of them.
    text_output : str, optional
        The same two columns as text, joined by `separator`; empty where there is no tag.
    separator : str, default ";"
        What stands between the tags of the text.
    output : mapping, optional
        Other names of added columns, by tag or family.
    aliases : mapping, optional
        Other names of a tag, shown by `table`: ``{"churn_risk": {"zh": "流失风险", "en": "Churn risk"}}``.
    optional : list of str, optional
        As for `RuleSegmenter`.
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
    >>> customers = pd.DataFrame({"orders_6M": [0, 0, 7], "complaints": [0.2, None, 0.3], "amount": [9e5, 2e5, 1e4]})
    >>> tagger = xf.RuleTagger(
    ...     {
    ...         "churn_risk": "orders_6M = 0 AND complaints > 0.10",
    ...         "high": "amount > 500000",
    ...         "ordinary": "amount < 100000",
    ...     },
    ...     families={"value": {"tags": ["high", "ordinary"], "exclusive": True, "default": "unclassified"}},
    ...     text_output="tags",
    ... )
    >>> tagged = tagger.fit_transform(customers)
    >>> tagged["churn_risk"].tolist()
    [True, <NA>, False]
    >>> tagged["value"].tolist()
    ['high', 'unclassified', 'ordinary']
    >>> tagged["tags"].tolist(), tagged["tags_unknown"].tolist()
    (['churn_risk;high', '', 'ordinary'], ['', 'churn_risk', ''])
    """

    _tags = True

    def __init__(
        self,
        rules: Mapping[str, str],
        *,
        families: Mapping[str, Mapping[str, Any]] | None = None,
        domains: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        list_output: str | None = None,
        text_output: str | None = None,
        separator: str = ";",
        output: Mapping[str, str] | None = None,
        aliases: Mapping[str, Mapping[str, str]] | None = None,
        optional: Sequence[str] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.rules = rules
        self.families = families
        self.domains = domains
        self.parameters = parameters
        self.list_output = list_output
        self.text_output = text_output
        self.separator = separator
        self.output = output
        self.aliases = aliases
        self.optional = optional
        self.n_jobs = n_jobs

    def transform(self, X: Any) -> Any:
        """Add the tags of every row.

        Parameters
        ----------
        X : frame
            Any frame with the columns the rules read.

        Returns
        -------
        frame
            The caller's frame and, behind its own columns, a nullable boolean per tag in the order of the rules, a
            label per exclusive family, and the columns of `list_output` and `text_output`.

        Raises
        ------
        InputError
            A column is absent, infinite or outside its domain, or the frame already has a column to be added.
        RuleError
            A column no longer has a kind the rules can use.
        """
        check_is_fitted(self)
        frame = self._open(X)
        return self._add(frame, frame.stream(self.columns_))

    def to_sql(self) -> dict[str, str]:
        """Write each tag as an SQL condition that gives the same answer in a warehouse.

        The two exceptions are those of `RuleSegmenter.to_sql`.

        Returns
        -------
        dict of str to str
            Tag -> condition, the conditions of an exclusive family with those before them excluded; then exclusive
            family -> ``CASE WHEN ... END``, its label.
        """
        check_is_fitted(self)
        return dict(json.loads(_core.rules_tag_sql(self._fitted_config())))

    def _choice(self) -> dict[str, Any]:
        """Refuse what cannot be; core looks at the families' tags."""
        families: Any = self.families or {}
        if not isinstance(families, Mapping):
            raise TypeError(f"families must be a mapping of name to tags; got {type(families).__name__}")
        for name, family in families.items():
            if not isinstance(name, str) or not isinstance(family, Mapping):
                raise TypeError(f"families must map text to a mapping with {_FAMILY}; got {name!r}: {family!r}")
            for key in family:
                if key not in _FAMILY:
                    near = _core.did_you_mean(str(key), list(_FAMILY))
                    raise ParameterError(
                        f"family '{name}' says {key!r}{near or ';'} wanted {', '.join(map(repr, _FAMILY))}"
                    )
            tags, exclusive, default = family.get("tags"), family.get("exclusive", False), family.get("default")
            if not isinstance(tags, (list, tuple)) or not all(isinstance(tag, str) for tag in tags):
                raise TypeError(f"the tags of family '{name}' must be a list of text; got {tags!r}")
            if not isinstance(exclusive, bool):
                raise TypeError(f"exclusive of family '{name}' must be True or False; got {exclusive!r}")
            if default is not None and not isinstance(default, str):
                raise TypeError(f"default of family '{name}' must be a label or None; got {default!r}")
        self._check_outputs(families)
        return {
            "unknown": "stop",
            "families": [
                {
                    "name": name,
                    "tags": list(family["tags"]),
                    "exclusive": family.get("exclusive", False),
                    "default": family.get("default"),
                }
                for name, family in families.items()
            ],
        }

    def _check_outputs(self, families: Mapping[str, Any]) -> None:
        for what, name in (("list_output", self.list_output), ("text_output", self.text_output)):
            if name is not None and (not isinstance(name, str) or not name):
                raise TypeError(f"{what} must be the name of the added column or None; got {name!r}")
        if not isinstance(self.separator, str) or not self.separator:
            raise TypeError(f"separator must be text; got {self.separator!r}")
        within = [tag for tag in self.rules if self.separator in tag]
        if self.text_output is not None and within:
            raise ParameterError(
                f"tag '{within[0]}' holds the separator {self.separator!r}, so the joined text could not be taken "
                "apart; choose another separator"
            )
        output: Any = self.output or {}
        if not isinstance(output, Mapping) or not all(isinstance(new, str) and new for new in output.values()):
            raise TypeError(f"output must map tags and families to names of columns; got {output!r}")
        known = [*self.rules, *families]
        for name in output:
            if name not in known:
                near = _core.did_you_mean(str(name), known)
                raise ParameterError(f"output renames {name!r}, but there is no such tag or family{near}")
        added = self._adds()
        twice = [name for place, name in enumerate(added) if name in added[:place]]
        if twice:
            raise ParameterError(
                f"two of the columns to be added would be called '{twice[0]}'; rename a tag or family by output=, "
                "or choose another list_output or text_output"
            )

    def _lines(self) -> list[tuple[str, dict[str, str]]]:
        families = self.families or {}
        family_of = {tag: name for name, family in families.items() for tag in family["tags"]}
        lines = [(tag, {"family": family_of.get(tag, ""), "rule": rule}) for tag, rule in self.rules.items()]
        defaults = [(family["default"], name) for name, family in families.items() if family.get("default") is not None]
        lines += [(label, {"family": name, "rule": ""}) for label, name in defaults if label not in self.rules]
        if not families:
            lines = [(tag, {"rule": more["rule"]}) for tag, more in lines]
        return lines

    def _adds(self) -> list[str]:
        output = self.output or {}
        named = [output.get(name, name) for name in [*self.rules, *self._exclusive()]]
        listed = [name for name in (self.list_output, self.text_output) if name is not None]
        return [*named, *(column for name in listed for column in (name, name + _UNKNOWN))]

    def _exclusive(self) -> dict[str, list[str]]:
        """Each exclusive family's labels: its tags and, once and last, its default."""
        return {
            name: list(
                dict.fromkeys([*family["tags"], *([family["default"]] if family.get("default") is not None else [])])
            )
            for name, family in (self.families or {}).items()
            if family.get("exclusive", False)
        }

    def _add(self, frame: Frame, stream: Any) -> Any:
        in_bits = frame.kind in ("polars", "pyarrow")
        lists = self.list_output is not None or self.text_output is not None
        found = _core.rules_tags(stream, self._fitted_config(), in_bits, lists, threads(self.n_jobs))
        warn_of_overflows(found["overflows"])
        each, values, masks, unknown = found["tags"]
        columns = _flags(each, values, masks, unknown, len(frame), in_bits)
        labels = self._exclusive().values()
        columns += [Labels(codes, labels) for codes, labels in zip(found["families"], labels, strict=True)]
        listed = [_lists(offsets, codes, list(self.rules)) for offsets, codes in found["lists"]]
        if self.list_output is not None:
            columns += listed
        if self.text_output is not None:
            columns += [pc.binary_join(column, pa.scalar(self.separator, pa.large_string())) for column in listed]
        return frame.add(dict(zip(self._adds(), columns, strict=True)))


def _flags(
    each: int, values: np.ndarray, masks: np.ndarray, unknown: list[bool], rows: int, in_bits: bool
) -> list[Column]:
    """Every tag, from bits with their validity or from bytes with their mask; `each` of them are one tag's."""
    parts = [slice(tag * each, (tag + 1) * each) for tag, _ in enumerate(unknown)]
    if in_bits:
        return [
            pa.Array.from_buffers(
                pa.bool_(), rows, [pa.py_buffer(masks[part]) if some else None, pa.py_buffer(values[part])]
            )
            for part, some in zip(parts, unknown, strict=True)
        ]
    return [
        Masked(values[part].view(bool), masks[part].view(bool) if some else None)
        for part, some in zip(parts, unknown, strict=True)
    ]


def _lists(offsets: np.ndarray, codes: np.ndarray, tags: list[str]) -> pa.Array:
    # Offsets of 32 bits: polars before 2 reads wrong texts from large lists that come from Arrow.
    if len(codes) > np.iinfo(np.int32).max:
        raise InputError(
            f"the rows have {len(codes):,} tags in all; lists and texts of one call hold up to 2,147,483,647: "
            "transform the frame in pieces"
        )
    texts = pa.array(tags, pa.large_string()).take(pa.array(codes))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), texts)
