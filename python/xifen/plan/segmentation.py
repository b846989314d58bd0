"""What a plan makes of customers: their frame, the fitted model, and all that is to be said of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from xifen import _columns as c
from xifen._frame import as_kind
from xifen._rule_coverage import Coverage
from xifen.errors import InputError
from xifen.management import management_table
from xifen.plan import _actions, privacy
from xifen.plan._plan import Plan
from xifen.plan._tables import Customers, Sources, build
from xifen.rules import RuleSet

__all__ = ["Matrix", "Segmentation"]


class Matrix(NamedTuple):
    """The columns of a matrix: its two measures and the cell."""

    rows: str
    columns: str
    cells: str


class Segmentation:
    """Segmented customers, and the model that segmented them.

    Made by `Plan.fit`, by `transform`, or by `load`, after which there are no customers until `transform`.

    Attributes
    ----------
    plan : Plan
    lang : {"zh", "en"}
    as_of : datetime.date
    frame : frame of the caller's kind
        One row per customer, ascending by customer_id: the tables, the customers' own columns, and what each step added.
    model : dict of str to estimator
        Every step of the plan, fitted, in the order in which they run.
    ledger : pandas.DataFrame or None
        `ledger_summary` of the orders.
    counts : dict of str to int
        What was read, used, converted, withheld, and who opted out.
    notes : list of str
        What was left out, as sentences.
    segment : str or None
        The column of the types that carry the strategy.
    segments : list of str
        Its labels, in the order of the rules.
    tags, scores : list of str
        The columns of tags (true, false, missing) and of scores.
    matrix : Matrix or None
        The columns of the first matrix: rows, columns, cells.
    clusters : str or None
        The column of clusters.
    playbook : pandas.DataFrame or None
        A row per type: key, label, direction, actions, service_level, investment, channel, contact_interval (days).
    """

    def __init__(self, plan: Plan, model: Mapping[str, Any], customers: Customers | None, kind: str = "pandas") -> None:
        self.plan = plan
        self.lang = plan.lang
        self.model = dict(model)
        self._kind = kind
        self._customers = customers
        self.playbook = _actions.playbook(plan)
        self.segment = self._segment()
        self.tags = [
            name for step in plan.steps if step.block == "tags" for name in step.adds if self._is_tag(step, name)
        ]
        self.scores = [name for step in plan.steps for name in step.adds if _is_score(step.block, name)]
        matrices = [step for step in plan.steps if step.block == "matrix"]
        self.matrix = Matrix(*matrices[0].reads[:2], matrices[0].adds[0]) if matrices else None
        self.clusters = next((step.adds[0] for step in plan.steps if step.block == "clusters"), None)
        self.segments: list[str] = []
        self._table = pd.DataFrame()
        if customers is not None:
            _actions.add_actions(self, customers)
            self._table = customers.frame()
            self.segments = _labels(self._table[self.segment]) if self.segment else []

    @classmethod
    def fit(cls, plan: Plan, orders: Any, customers: Any, messages: Any, *, n_jobs: int | None = None) -> Self:
        """Fit a plan; see `Plan.fit`."""
        sources = Sources.find(plan, {"orders": orders, "customers": customers, "messages": messages})
        made = build(sources, plan.as_of, n_jobs)
        if not len(made):
            raise InputError("there is no customer: the tables have no row that could be used")
        model = {step.name: step.fit(made.columns, n_jobs, made.withheld) for step in plan.steps}
        _goals(plan, model, sources, made, n_jobs)
        return cls(plan, model, made, sources.kind)

    def transform(
        self,
        orders: Any = None,
        customers: Any = None,
        messages: Any = None,
        *,
        as_of: Any = None,
        n_jobs: int | None = None,
    ) -> Self:
        """Segment other data with the fitted model: the same edges, cuts and rules.

        Parameters
        ----------
        orders, customers, messages : frame, optional
            As for `Plan.fit`.
        as_of : datetime.date, "max" or ISO 8601 text, optional
            The last day that counts; None is what the plan says.
        n_jobs : int, optional
            Threads; None means all processors. It never changes a result.

        Returns
        -------
        Segmentation
        """
        sources = Sources.find(self.plan, {"orders": orders, "customers": customers, "messages": messages})
        day = self.plan.as_of if as_of is None else as_of
        made = build(sources, day, n_jobs)
        for step in self.plan.steps:
            step.transform(self.model[step.name], made.columns, n_jobs, made.withheld)
        _goals(self.plan, self.model, sources, made, n_jobs)
        return type(self)(self.plan, self.model, made, sources.kind)

    # -- what there is -----------------------------------------------------------------------------

    @property
    def frame(self) -> Any:
        return as_kind(self._rows(), "pandas" if self._kind == "dict" else self._kind)

    @property
    def as_of(self) -> dt.date:
        return self._made().as_of

    @property
    def ledger(self) -> pd.DataFrame | None:
        return self._made().ledger

    @property
    def counts(self) -> dict[str, int]:
        return self._made().counts

    @property
    def notes(self) -> list[str]:
        return self._made().notes

    @property
    def withheld(self) -> dict[str, str]:
        """Columns of the data that were kept out, and why."""
        return self._made().withheld

    def profile(self) -> pd.DataFrame:
        """Describe each segment.

        Returns
        -------
        pandas.DataFrame
            A row per segment in their order, then the customers without one where there are some: the segment, `customers`,
            `share`, `revenue` and `revenue_share` where there were orders, the means of the measures (`mean_...`), and of
            the playbook `direction` and `actions`.
        """
        table = self._rows()
        if self.segment is None:
            raise InputError("the plan has no segments: add [[segments]]")
        labels = pd.Categorical(table[self.segment].astype(object), self.segments)
        codes = pd.Series(labels.codes, index=table.index)
        size = codes.groupby(codes).size()
        present = [*range(len(self.segments)), *([-1] if -1 in size.index else [])]
        size = size.reindex(present, fill_value=0)
        out = pd.DataFrame(
            {self.segment: pd.Categorical.from_codes(present, self.segments), "customers": size.to_numpy()}
        )
        out["share"] = out["customers"] / len(table)
        if c.MONETARY in table:
            money = table[c.MONETARY].astype("float64")
            out["revenue"] = money.groupby(codes).sum().reindex(present, fill_value=0.0).to_numpy()
            out["revenue_share"] = out["revenue"] / money.sum() if money.sum() else np.nan
        for name in (
            c.RECENCY_DAYS,
            c.ORDER_COUNT,
            c.ORDER_COUNT_12M,
            c.MONETARY,
            c.MEAN_ORDER_VALUE,
            c.TENURE_DAYS,
            *self.scores,
        ):
            if name in table:
                values = pd.to_numeric(table[name], errors="coerce").astype("float64")
                out[f"mean_{name}"] = values.groupby(codes).mean().reindex(present).to_numpy()
        if self.playbook is not None:
            advice = self.playbook.set_index("label").reindex(out[self.segment].astype(object))
            out["direction"], out["actions"] = advice["direction"].to_numpy(), advice["actions"].to_numpy()
        return out

    def coverage(self) -> dict[str, Coverage]:
        """Look at every combination of values, for each step that decides by rules.

        Returns
        -------
        dict of str to Coverage
        """
        table = self._rows()
        found = {}
        for step in self.plan.steps:
            rules = _rules(self.model[step.name])
            if rules is not None:
                found[step.name] = rules.coverage(
                    table[[c.CUSTOMER_ID, *[name for name in rules.columns_ if name in table]]]
                )
        return found

    def management(self, *, contact: bool = False, owners: bool = False) -> pd.DataFrame:
        """Lay the customers out as the management table (客户细分管理表); see `management_table`.

        Parameters
        ----------
        contact : bool
            Show the contact column, where the plan kept it.
        owners : bool
            Add owner, next contact and channel behind the twelve columns.

        Returns
        -------
        pandas.DataFrame
        """
        return _actions.management(self, contact=contact, owners=owners)

    def report(self, path: Any) -> None:
        """Write the HTML report.

        Parameters
        ----------
        path : str or pathlib.Path
            One file, which opens offline.
        """
        from xifen.report import html

        html.write(self, path)

    def to_excel(self, path: Any) -> None:
        """Write the management table as a workbook.

        Parameters
        ----------
        path : str or pathlib.Path
            An .xlsx file.
        """
        from xifen.report import excel

        excel.write(self, path)

    # -- within ------------------------------------------------------------------------------------

    def _made(self) -> Customers:
        if self._customers is None:
            raise InputError(
                "this model was saved without its customers: give it data by transform(orders=, customers=, messages=)"
            )
        return self._customers

    def _rows(self) -> pd.DataFrame:
        self._made()
        return self._table

    def _segment(self) -> str | None:
        said = self.plan.values.get("playbook", {}).get("type")
        labels = [name for step in self.plan.steps if step.block == "segments" for name in step.adds]
        return said or (labels[-1] if labels else None)

    def _is_tag(self, step: Any, name: str) -> bool:
        return name in [
            step.estimator.output.get(tag, tag) if step.estimator.output else tag for tag in step.estimator.rules
        ]


def _rules(fitted: Any) -> RuleSet | None:
    last = fitted.steps[-1][1] if isinstance(fitted, Pipeline) else fitted
    return last if isinstance(last, RuleSet) else None


def _is_score(block: str, name: str) -> bool:
    return block in ("scores", "scorecards") and name.endswith("score")


def _labels(column: pd.Series) -> list[str]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return [str(label) for label in column.cat.categories]
    return sorted(str(label) for label in column.dropna().unique())


def _goals(plan: Plan, model: Mapping[str, Any], sources: Sources, made: Customers, n_jobs: int | None) -> None:
    """To come."""
