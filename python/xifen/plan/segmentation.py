"""What a plan makes of customers: their frame, the fitted model, and all that is to be said of them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Self

import pandas as pd

from xifen import _columns as c
from xifen import _display
from xifen._frame import Frame
from xifen._progress import Progress, Told, waiting
from xifen._rule_coverage import Coverage
from xifen._rule_reports import chosen_rows
from xifen.errors import InputError
from xifen.plan import _actions, _card, _left_out, _model_file, _questions
from xifen.plan._check import At, Date
from xifen.plan._goals import attainment
from xifen.plan._plan import Plan
from xifen.plan._profile import profile
from xifen.plan._steps import check_reads, parts
from xifen.plan._tables import Customers, Sources, build, in_kind
from xifen.rules import RuleSet

__all__ = ["Matrix", "Segmentation"]


class Matrix(NamedTuple):
    """The columns of a matrix: its two measures and the cell."""

    rows: str
    columns: str
    cells: str


class Segmentation:
    """Segmented customers, and the model that segmented them.

    Made by `Plan.fit`, by `transform`, or by `load`. A model saved without its customers has none until `transform`; what
    tells of customers is then an InputError.

    Attributes
    ----------
    plan : Plan
    lang : {"zh", "en"}
    model : dict of str to estimator
        Every step of the plan, fitted, in the order in which they run.
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

    Examples
    --------
    >>> import xifen as xf
    >>> crm = xf.datasets.make_crm(1_000)
    >>> result = xf.Plan.preset("retail").fit(orders=crm.orders, customers=crm.customers)
    >>> result
    Segmentation('Retail', 1000 customers as of 2026-06-30, steps=['rfm', ...])
    >>> result.segments
    ['Core', 'New', 'Growth', 'Warning', 'Win Back', 'Dormant']
    >>> result.goals()[["goal", "target", "held"]]
                goal  target   held
    0  second orders     100  ...
    """

    def __init__(self, plan: Plan, model: Mapping[str, Any], customers: Customers | None, kind: str = "pandas") -> None:
        self.plan = plan
        self.lang = plan.lang
        self.model = dict(model)
        self.segment = plan.segment
        self.playbook = plan.playbook
        self.tags = [name for step in plan.steps if step.block == "tags" for name in _tags(step.estimator)]
        self.scores = [
            name
            for step in plan.steps
            for name in step.adds
            if step.block in ("scores", "scorecards") and name.endswith("score")
        ]
        matrices = [step for step in plan.steps if step.block == "matrix"]
        self.matrix = Matrix(matrices[0].reads[0], matrices[0].reads[1], matrices[0].adds[0]) if matrices else None
        self.clusters = next((step.adds[0] for step in plan.steps if step.block == "clusters"), None)
        self._customers = customers
        self._kind = kind
        self._table = pd.DataFrame() if customers is None else customers.frame()

    def transform(
        self,
        orders: Any = None,
        customers: Any = None,
        messages: Any = None,
        *,
        as_of: Any = None,
        n_jobs: int | None = None,
        progress: Told = None,
    ) -> Self:
        """Segment other data with the fitted model: the same edges, cuts and rules.

        Parameters
        ----------
        orders, customers, messages : frame, optional
            As for `Plan.fit`.
        as_of : datetime.date or "max", optional
            The last day that counts; None is what the plan says.
        n_jobs : int, optional
            Threads; None means all processors. It never changes a result.
        progress : callable, bool or None
            As for `Plan.fit`.

        Returns
        -------
        Segmentation
        """
        day = self.plan.as_of if as_of is None else Date(("max",)).check(as_of, At("as_of"))
        return self._of(self.plan, self.model, (orders, customers, messages), day, n_jobs, progress)

    @classmethod
    def _of(
        cls,
        plan: Plan,
        model: Mapping[str, Any] | None,
        given: Sequence[Any],
        as_of: dt.date | str,
        n_jobs: int | None,
        progress: Told,
    ) -> Self:
        """Build the tables, run every step, fitting those that are not in a model, and add what follows from types."""
        words = plan.words["progress"]
        with Progress(len(plan.steps) + 3, progress) as tell:
            tell(words["reading"])
            sources = Sources.find(plan, dict(zip(("orders", "customers", "messages"), given, strict=True)))
            tell(words["tables"])
            made = build(sources, as_of, n_jobs)
            if model is None and not len(made):
                raise InputError("there is no customer: the tables have no row that could be used")
            check_reads(plan.steps, made.columns, made.withheld)
            fitted = dict(model or {})
            for step in plan.steps:
                tell(step.name)
                if model is None:
                    fitted[step.name] = step.fit(made.columns, n_jobs, made.withheld)
                else:
                    step.transform(fitted[step.name], made.columns, n_jobs, made.withheld)
            tell(words["goals"])
            made.goals = attainment(plan, fitted, sources, made, n_jobs)
            _actions.add_actions(plan, made)
            return cls(plan, fitted, made, sources.kind)

    # -- what there is -----------------------------------------------------------------------------

    @property
    def frame(self) -> Any:
        """One row per customer, of the caller's kind: the tables, the customers' own columns, what each step added."""
        table = self._rows()
        return table if self._kind in ("pandas", "dict") else in_kind(table, self._kind)

    @property
    def segments(self) -> list[str]:
        """The labels of `segment`, in the order of the rules."""
        if self.segment is None:
            return []
        column = self._rows()[self.segment]
        if isinstance(column.dtype, pd.CategoricalDtype):
            return [str(label) for label in column.cat.categories]
        return sorted(str(label) for label in column.dropna().unique())

    @property
    def as_of(self) -> dt.date:
        """The last day that counts."""
        return self._made().as_of

    @property
    def ledger(self) -> pd.DataFrame | None:
        """`ledger_summary` of the orders: reason, rows, first_row."""
        return self._made().ledger

    @property
    def counts(self) -> dict[str, int]:
        """What was read, used and converted, who opted out, who has no owner."""
        return self._made().counts

    @property
    def notes(self) -> list[str]:
        """What was left out because the plan said so, as sentences."""
        return self._made().notes

    @property
    def withheld(self) -> dict[str, str]:
        """Columns of the data that were kept out, and why."""
        return {name: self.plan.words["why"][why] for name, why in self._made().withheld.items()}

    @property
    def table_columns(self) -> list[str]:
        """The columns the tables made of orders and messages."""
        return [name for name in self._made().made if name in self._rows()]

    @property
    def review(self) -> dt.date | None:
        """The day of the next review: the plan's, or a quarter or half-year behind as_of."""
        said = self.plan.values.get("review")
        if said is None or "next" in said:
            return None if said is None else said["next"]
        months = {"quarter": 3, "half_year": 6}[said["every"]]
        day: dt.date = (pd.Timestamp(self.as_of) + pd.DateOffset(months=months)).date()
        return day

    def profile(self, *, shared: bool = False) -> pd.DataFrame:
        """Describe each segment.

        Parameters
        ----------
        shared : bool
            Leave out segments with fewer customers than [privacy] small_cells, and those their totals would give away.

        Returns
        -------
        pandas.DataFrame
            A row per segment in their order, then the customers without one where there are some: the segment, `customers`,
            `share`, `revenue` and `revenue_share` where there were orders, the means of measures and scores (`mean_...`),
            and of the playbook `direction` and `actions`.
        """
        if self.segment is None:
            raise InputError("the plan has no segments: add [[segments]]")
        k = self.plan.block("privacy")["small_cells"] if shared else None
        return profile(self._rows(), self.segment, self.segments, self.scores, self.playbook, k)

    def coverage(self) -> dict[str, Coverage]:
        """Look at every combination of values, for each step that decides by rules.

        Where there are customers, they are counted, too.

        Returns
        -------
        dict of str to Coverage
        """
        reads = {
            name: [c.CUSTOMER_ID, *self._table.columns.intersection(r.columns_)] for name, r in self._rules().items()
        }
        return {
            name: rules.coverage(None if self._customers is None else self._table[reads[name]])
            for name, rules in self._rules().items()
        }

    def goals(self) -> pd.DataFrame:
        """Say how far each goal is reached.

        Returns
        -------
        pandas.DataFrame
            A row per goal: `goal`, `target`, `attained`, `share` (attained of target), `held`; `count` (new or standing),
            `window`, `rule`, and `unknown`, the customers for whom the rule depends on what is missing.
        """
        goals = self._made().goals
        return pd.DataFrame() if goals is None else goals

    def owners(self) -> pd.DataFrame:
        """Say who has how many customers.

        Returns
        -------
        pandas.DataFrame
            A row per line of [[owners]]: `type`, `industry`, `role`, `capacity`, `assigned`; the last, without a role,
            counts those for whom nobody has room.
        """
        owners = self._made().owners
        return pd.DataFrame() if owners is None else owners

    def questions(self, n: int = 10) -> list[_questions.Question]:
        """Answer who is most valuable, most loyal, a prospect, growing fastest, and likeliest to leave.

        Parameters
        ----------
        n : int
            How many customers to name at most.

        Returns
        -------
        list of Question
            Each with its customers and a reason for each of them; or why there is none.
        """
        return _questions.answers(self._rows(), self.plan.words, n)

    def explain(self, customer_id: Any) -> _card.Card:
        """Make the one-page card of a customer: facts, history, tags, why, actions.

        Parameters
        ----------
        customer_id : text or int

        Returns
        -------
        Card
            `print` it, or take its parts.

        Raises
        ------
        InputError
            There is no such customer.
        """
        table = self._rows()
        row = table[table[c.CUSTOMER_ID] == customer_id]
        if not len(row):
            raise InputError(f"there is no customer {customer_id!r}{_card.near_id(customer_id, table[c.CUSTOMER_ID])}")
        explained = {
            name: rules.explain(row, ids=[customer_id], lang=self.lang).text for name, rules in self._rules().items()
        }
        return _card.make(self, row, explained, opted_out=bool(_actions.opted_out(self.plan, row)[0]))

    def fields(self) -> pd.DataFrame:
        """List every field of the data, where it comes from and what it is used for.

        Returns
        -------
        pandas.DataFrame
            `field`, `source` (tables, customers, plan, or the step that made it), `kept`, `purpose` (what the plan
            states, otherwise the steps that read it), `why` a field is not kept.
        """
        return _left_out.fields(self)

    def left_out(self) -> pd.DataFrame:
        """Say what is not in the result: fields, rows, customers, small counts.

        Returns
        -------
        pandas.DataFrame
            `what`, a key; `count`, of customers or rows as the key says (missing for "small_cells", which is a rule);
            `sentence`, in the plan's language.
        """
        return _left_out.left_out(self)

    def management(self, *, contact: bool = False, owners: bool = False, return_notes: bool = False) -> Any:
        """Lay the customers out as the management table (客户细分管理表); see `management_table`.

        Parameters
        ----------
        contact : bool
            Show the contact column; [privacy] contact = true must have kept it.
        owners : bool
            Add owner, next contact, whether it is due or overdue, and channel.
        return_notes : bool
            Also return the notes of the sheet: header -> what is to be said of the column.

        Returns
        -------
        pandas.DataFrame, and with `return_notes` a dict of str to str
        """
        table, notes = _actions.management(self, self._rows(), contact=contact, owners=owners)
        return (table, notes) if return_notes else table

    # -- files -------------------------------------------------------------------------------------

    def report(self, path: str | Path, **options: Any) -> None:
        """Write the HTML report.

        Parameters
        ----------
        path : str or pathlib.Path
            One file, which opens offline.
        **options
            As for `xifen.report.html.write`: lang, customers, real_ids, progress.
        """
        import_module("xifen.report.html").write(self, path, **options)

    def to_excel(self, path: str | Path, **options: Any) -> None:
        """Write the management table as a workbook.

        Parameters
        ----------
        path : str or pathlib.Path
            An .xlsx file.
        **options
            As for `xifen.report.excel.write`: rows_per_sheet, progress.
        """
        import_module("xifen.report.excel").write(self, path, **options)

    def save(self, path: str | Path, *, customers: bool = False) -> None:
        """Write the fitted plan as one readable JSON file, whole or not at all.

        Parameters
        ----------
        path : str or pathlib.Path
            The file.
        customers : bool
            Write the customers, too: what `load` gives then explains and lists them. Without them the file holds nothing
            of any person, and can be shared.

        Raises
        ------
        ParameterError
            The folder is absent, read-only or full; no file is changed.

        Notes
        -----
        The checksum finds damage and careless changes. It is no signature: whoever changes the file on purpose can write
        a checksum that fits.
        """
        with waiting(self.plan.words["progress"]["saving"]):
            _model_file.write(path, {
                "plan": _model_file.plain(self.plan.values),
                "folder": _model_file.seen_from(Path(path).parent, self.plan.folder),
                "steps": [{"name": name, "estimator": json.loads(fitted.to_json())} for name, fitted in self.model.items()],
                "customers": _model_file.encode_customers(self._made(), self._kind) if customers else None,
            })  # fmt: skip

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote.

        Parameters
        ----------
        path : str or pathlib.Path
            The file.

        Returns
        -------
        Segmentation
            Its `transform` gives the labels the saved one would, bit for bit.

        Raises
        ------
        InputError
            The file is cut short, was changed after it was written, has another format version, or is something else.
        """
        content = _model_file.read(path)
        folder = Path(path).parent / content.get("folder", ".")
        plan = Plan(content["plan"], source=f"the plan in {Path(path).name}", folder=folder)
        model = _model_file.decode_steps(content["steps"])
        if list(model) != [step.name for step in plan.steps]:
            raise InputError(
                f"{path} has the steps {', '.join(model)}, but its plan {', '.join(step.name for step in plan.steps)}"
            )
        customers, kind = _model_file.decode_customers(content["customers"])
        return cls(plan, model, customers, kind)

    def forget(self, ids: Iterable[Any]) -> None:
        """Delete customers; then `save` again, and delete earlier files and what was made of them.

        Parameters
        ----------
        ids : list
            Whom to delete.

        Raises
        ------
        InputError
            There is no such customer; then nobody is deleted.
        """
        table = self._rows()
        rows, _, _ = chosen_rows(Frame(table), list(ids), c.CUSTOMER_ID)
        made = self._made()
        kept = table.drop(index=table.index[rows]).reset_index(drop=True)
        made.columns = {name: kept[name] for name in kept}
        made.counts["forgotten"] = made.counts.get("forgotten", 0) + len(rows)
        made.counts["customers"] = len(kept)
        self._table = kept

    def __repr__(self) -> str:
        shown = "without customers" if self._customers is None else f"{len(self._table)} customers as of {self.as_of}"
        return f"Segmentation({self.plan.name!r}, {shown}, steps={list(self.model)})"

    def _repr_html_(self) -> str:
        there = self._customers is not None and self.segment is not None
        tables = [("profile", self.profile()), ("goals", self.goals())] if there else []
        return _display.shown(repr(self), *[part for part in tables if len(part[1])])

    # -- within ------------------------------------------------------------------------------------

    def _made(self) -> Customers:
        if self._customers is None:
            raise InputError(
                "this model was saved without its customers: give it data by transform(orders=, customers=), or save it with customers=True"
            )
        return self._customers

    def _rows(self) -> pd.DataFrame:
        self._made()
        return self._table

    def _rules(self) -> dict[str, RuleSet]:
        """The steps that decide by rules."""
        last = {name: parts(fitted)[-1] for name, fitted in self.model.items()}
        return {name: fitted for name, fitted in last.items() if isinstance(fitted, RuleSet)}


def _tags(tagger: Any) -> list[str]:
    renamed = tagger.output or {}
    return [renamed.get(tag, tag) for tag in tagger.rules]
