"""An invented customer base with everything the presets ask for, made from a seed."""

from __future__ import annotations

import datetime as dt
import operator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xifen import _columns as c
from xifen._frame import Frame
from xifen._progress import waiting
from xifen._results import Column, Labels, Masked, Times
from xifen.datasets.crm_words import OPENINGS, SENTENCES, TOPICS
from xifen.datasets.draw import Draw
from xifen.errors import ParameterError

__all__ = ["CRM", "make_crm"]

FIRST_DAY: Final = dt.date(2023, 7, 1)
AS_OF: Final = dt.date(2026, 6, 30)
DAYS: Final = (AS_OF - FIRST_DAY).days + 1
SPRING_FESTIVALS: Final = (dt.date(2024, 2, 10), dt.date(2025, 1, 29), dt.date(2026, 2, 17))
SECONDS: Final = 86_400

REGIONS: Final = {
    "east": 36, "south": 20, "north": 16, "central": 11, "southwest": 9, "northeast": 5, "northwest": 3,
}  # fmt: skip
REGION_NAMES: Final = ("华东", "华南", "华北", "华中", "西南", "东北", "西北")
INDUSTRIES: Final = {
    "manufacturing": 36, "services": 24, "retail": 18, "construction": 9, "healthcare": 7, "education": 6,
}  # fmt: skip
INDUSTRY_NAMES: Final = ("制造", "服务", "商贸", "建设", "医疗", "教育")


class CRM(NamedTuple):
    """The frames of `make_crm`.

    Attributes
    ----------
    customers, orders, messages, leads : frames of the kind asked for
    as_of : datetime.date
        The last day of the data.
    """

    customers: Any
    orders: Any
    messages: Any
    leads: Any
    as_of: dt.date


def make_crm(
    n_customers: int = 10_000, seed: int = 0, *, kind: Literal["pandas", "polars", "pyarrow"] = "pandas"
) -> CRM:
    """Invent the CRM of a supplier of business equipment in China: customers, orders, messages and leads.

    **Synthetic**: no person, company or order in it is real, and no finding on it says anything about the world. It
    has the shapes that make real data hard: a few customers with most of the money, many with one order, tied counts
    and round prices, seasons, returns, missing fields, rows posted twice, customers who quietly left.

    Parameters
    ----------
    n_customers : int, default 10,000
        How many customers. There are about ten order rows, three messages and half a lead for each; a million
        customers take some seconds.
    seed : int, default 0
        A whole number from 0. The same seed gives the same frames on every machine with the same numpy; numpy keeps
        the streams of its Generator from version to version unless it announces otherwise.
    kind : {"pandas", "polars", "pyarrow"}, default "pandas"
        The kind of frames.

    Returns
    -------
    CRM
        `customers`, `orders`, `messages`, `leads` and `as_of`, 2026-06-30. Orders begin on 2023-07-01. Money is in
        yuan, invoiced, with tax, unless the name says usd; names ending in 3M and prev_3M count the last three months
        and the three before.

        **customers**, one row each, `customer_id` 1 to n:

        - master data: name, industry, industry_stage (rising, mature), region, city_tier (1 to 4), founded (year),
          ownership, employees, revenue (a year), source, created (date), opt_out (of marketing)
        - contact persons: contact_count, and of the main one contact, contact_role, contact_influence,
          channel_preference
        - service: complaint_count and complaint_rate (complaints per order, lifetime), service_feedback
        - money: gross_margin (share), indirect_value (a year, by referrals), invoice_count, open_invoice_count,
          open_invoice_share, paid_invoice_days (mean days to payment of the paid ones), payment_days (the same with
          open ones at their age: those who never pay show only here)
        - need, by survey: need_type, need_urgency, need_preference, need_form, need_core
        - potential, by survey: industry_outlook, expansion_size, expansion_speed, new_product_need,
          competitor_closeness, relationship_score (each 1 to 5, 5 is most), growth_rate (of revenue, a year)
        - behaviour: login_count_3M, login_count_prev_3M, enquiry_count_3M, enquiry_count_prev_3M, response_rate_3M,
          response_rate_prev_3M (share of our contacts answered), response_hours, phone_call_count_12M,
          trial_date (of a trial before any order)

        **orders**, one row per order line, by time: order_id, customer_id, timestamp (to the minute, local time),
        amount (below zero: a return, under the order's id), quantity, category, channel, discount (share of the list
        price; 0 is none, missing is not recorded).

        **messages**, by time: message_id, customer_id, timestamp, channel, importance and urgency of the matter
        (1 to 5), text in Chinese (simplified or traditional) or English.

        **leads**, private persons who answered a survey, `lead_id` from 1: age, gender, education, marital_status,
        occupation, annual_income, purchases_per_year, brand_awareness, pays_for_quality, tenure_days, course_count,
        annual_fee_usd, annual_spend_usd, joins_events, classes_per_month, enquiry_count_3M, enquiry_count_prev_3M,
        lifestyle, attitude.

    Raises
    ------
    ParameterError
        A parameter is of no use.

    Notes
    -----
    About 12 % of customers never ordered; order counts and amounts have long tails. Sales rise before the Spring
    Festival and nearly stop for its week, pause in the first week of October, peak on 18 June and 11 November, at
    month ends and on working days. 3 % of order lines are returned, 0.1 % are posted twice. Missing: gross margin
    6 %, employees 5 %, survey answers 10 to 15 %, service feedback 70 %, texts of messages 1 %.

    Examples
    --------
    >>> import xifen as xf
    >>> crm = xf.datasets.make_crm(1_000, seed=1)
    >>> rfm = xf.rfm_table(crm.orders, as_of=crm.as_of, order_id="order_id", customers=crm.customers)
    >>> len(rfm)
    1000
    >>> round(float((rfm["order_count"] == 0).mean()), 1)  # never ordered
    0.1
    """
    if kind not in ("pandas", "polars", "pyarrow"):
        raise ParameterError(f"kind must be 'pandas', 'polars' or 'pyarrow'; got {kind!r}")
    n = _natural("n_customers", n_customers, 1)
    _natural("seed", seed, 0)
    door = Frame(_empty(kind))
    base = _Base(Draw(seed, 0), n)
    # Each table has a stream of its own, so that they can be drawn side by side.
    with waiting(f"make_crm({n:,})"), ThreadPoolExecutor() as pool:
        orders = pool.submit(_orders, Draw(seed, 2), base)
        customers = pool.submit(_customers, Draw(seed, 1), base)
        messages = pool.submit(_messages, Draw(seed, 3), base)
        leads = pool.submit(_leads, Draw(seed, 4), (n + 1) // 2)
        return CRM(
            customers=door.new(customers.result()),
            orders=door.new(orders.result()),
            messages=door.new(messages.result()),
            leads=door.new(leads.result()),
            as_of=AS_OF,
        )


def _natural(name: str, value: Any, least: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}; wanted a whole number") from None
    if number < least:
        raise ParameterError(f"{name} is {number}; wanted {least} or more")
    return number


def _empty(kind: str) -> Any:
    if kind == "polars":
        import polars as pl

        return pl.DataFrame()
    return pa.table({}) if kind == "pyarrow" else pd.DataFrame()


def _season() -> np.ndarray:
    """How much is sold on each day, on average 1."""
    days = np.datetime64(FIRST_DAY, "D") + np.arange(DAYS)
    month = days.astype("M8[M]")
    month_day = (days - month).astype(int) + 1
    number = month.astype(int) % 12 + 1
    left = ((month + 1).astype("M8[D]") - days).astype(int)
    weekday = (days.astype(int) + 3) % 7  # 1970-01-01 was a Thursday; 0 is Monday
    weights = np.array([1.1, 1.1, 1.05, 1.05, 1.0, 0.45, 0.35])[weekday]
    weights *= np.where(left <= 3, 1.25, 1.0)
    weights *= np.where((number == 10) & (month_day <= 7), 0.2, 1.0)
    for of_month, of_day, rise in ((6, 18, 1.9), (11, 11, 2.2)):
        weights *= np.where((number == of_month) & (month_day == of_day), rise, 1.0)
    for festival in SPRING_FESTIVALS:
        ahead = (np.datetime64(festival, "D") - days).astype(int)
        weights *= np.where((ahead >= 5) & (ahead <= 25), 1.5, 1.0)  # stocks are filled
        weights *= np.where((ahead >= -6) & (ahead <= 1), 0.05, 1.0)  # the eve and the week
        weights *= np.where((ahead >= -14) & (ahead <= -7), 0.6, 1.0)
    season: np.ndarray = weights / weights.mean()
    return season


class _Base:
    """What decides about a customer behind the columns: size, when they came and left, how often they order."""

    def __init__(self, draw: Draw, n: int) -> None:
        rng = draw.rng
        self.n = n
        self.ids = np.arange(1, n + 1)
        self.size = rng.standard_normal(n)
        self.unhappy = draw.chance(0.08, n)
        self.prospect = draw.chance(0.12, n)
        # 45 % were customers when the log began; the others came evenly. They stay four years on average, the unhappy 500 days.
        self.first = np.where(draw.chance(0.45, n), 0.0, draw.between(0, DAYS - 1, n))
        stay = rng.exponential(np.where(self.unhappy, 500.0, 1_500.0))
        self.last = np.minimum(self.first + np.maximum(stay, 1.0), DAYS)
        per_year = np.exp(1.15 + 0.4 * self.size + 1.0 * rng.standard_normal(n))
        orders = np.maximum(rng.poisson(per_year * (self.last - self.first) / 365.25), 1)
        self.orders = np.where(self.prospect, 0, orders)
        self.active = ~self.prospect & (self.last > DAYS - 90)
        self.language = draw.codes([80, 8, 12], n)
        self.core = draw.codes([35, 30, 20, 15], n)

    def moments(self, draw: Draw, customers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw a moment within each customer's time, as the seasons have it: by time, microseconds and the customer."""
        sold = np.concatenate([[0.0], np.cumsum(_season())])
        steps = np.arange(DAYS + 1)
        begin, end = np.interp(self.first, steps, sold), np.interp(self.last, steps, sold)
        at = draw.between(begin[customers], end[customers], len(customers))
        order = np.argsort(at)
        day = np.clip(np.searchsorted(sold, at[order], side="right") - 1, 0, DAYS - 1)
        part = (at[order] - sold[day]) / (sold[day + 1] - sold[day])
        # The day's share of the way is the clock's: most of it in the office hours.
        minute = np.minimum(np.interp(part, [0, 0.05, 0.5, 0.6, 0.95, 1], [420, 510, 720, 810, 1080, 1380]), 1379)
        start = np.datetime64(FIRST_DAY, "D").astype(int)
        return ((start + day) * SECONDS + minute.astype(np.int64) * 60) * 1_000_000, customers[order]


def _customers(draw: Draw, base: _Base) -> dict[str, Column]:
    n, rng, size = base.n, draw.rng, base.size
    bought = base.orders > 0
    region, industry = draw.labels(REGIONS, n), draw.labels(INDUSTRIES, n)
    number = pc.utf8_lpad(pa.array(base.ids).cast(pa.string()), len(str(n)), "0")
    name = pc.binary_join_element_wise(
        pa.array(REGION_NAMES).take(pa.array(region.codes)),
        pa.array(INDUSTRY_NAMES).take(pa.array(industry.codes)),
        number,
        "",
    )
    region.codes[draw.chance(0.02, n)] = -1
    industry.codes[draw.chance(0.01, n)] = -1
    employees = np.maximum(np.rint(np.exp(4.0 + 1.3 * size)), 1)
    unit = np.select([employees >= 1_000, employees >= 100], [100, 10], 1)  # people give round numbers
    employees = np.rint(employees / unit) * unit
    revenue = np.rint(employees * 40 * np.exp(0.4 * rng.standard_normal(n))) * 10_000
    start = np.datetime64(FIRST_DAY, "D").astype(int)
    created = start + np.where(base.first > 0, base.first, -rng.exponential(900, n)).astype(np.int64)
    year = created.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    ownership = draw.labels({"private": 78, "state": 12, "foreign": 10}, n, missing=0.03)
    columns: dict[str, Column] = {
        c.CUSTOMER_ID: base.ids,
        "name": name.cast(pa.large_string()),
        "industry": industry,
        "industry_stage": draw.labels({"rising": 35, "mature": 65}, n, missing=0.05),
        "region": region,
        "city_tier": Masked(draw.codes([25, 35, 25, 15], n) + np.int8(1), draw.chance(0.03, n)),
        "founded": Masked(
            np.minimum(2022 - np.minimum(rng.exponential(12, n), 60).astype(np.int64), year), draw.chance(0.04, n)
        ),
        "ownership": ownership,
        "employees": Masked(employees.astype(np.int64), draw.chance(0.05, n)),
        "revenue": draw.gaps(revenue, 0.15),
        "source": draw.labels({"exhibition": 20, "referral": 25, "website": 25, "cold_call": 15, "partner": 15}, n),
        "created": Times(created, "D"),
        "opt_out": draw.chance(0.04, n),
        "contact_count": 1 + rng.poisson(np.exp(-0.3 + 0.4 * size)),
        "contact": pc.binary_join_element_wise("contact", number, "@customer.example", "").cast(pa.large_string()),
        "contact_role": draw.labels({"technical": 30, "purchasing": 50, "executive": 20}, n, missing=0.08),
        "contact_influence": draw.labels({"decision_maker": 35, "influencer": 35, "user": 30}, n, missing=0.12),
        "channel_preference": draw.labels({"phone": 40, "visit": 20, "online": 40}, n, missing=0.1),
    }
    complaints = rng.poisson(base.orders * np.where(base.unhappy, 0.25, 0.02))
    columns["complaint_count"] = complaints
    columns["complaint_rate"] = _ratio(complaints, base.orders)
    mood = np.where(base.unhappy, 0.75, 0.12)
    feedback = np.where(draw.chance(mood, n), 2, draw.codes([60, 40], n)).astype(np.int8)
    feedback[draw.chance(0.70, n)] = -1
    columns["service_feedback"] = Labels(feedback, ["positive", "neutral", "negative"])
    margin = np.round(np.clip(0.30 - 0.03 * size + 0.09 * rng.standard_normal(n), -0.15, 0.75), 3)
    columns["gross_margin"] = draw.gaps(margin, np.where(bought, 0.06, 1.0))
    referred = np.rint(np.exp(9.5 + rng.standard_normal(n)) / 100) * 100
    columns["indirect_value"] = np.where(draw.chance(0.1, n), referred, 0.0)
    columns |= _payments(draw, base, slow=ownership.codes == 1)
    columns |= _survey(draw, base)
    columns |= _behaviour(draw, base)
    # Some tried a sample first: up to 60 days before the first order that could be.
    trial = start + base.first.astype(np.int64) - rng.integers(1, 61, n)
    columns["trial_date"] = Times(np.where(draw.chance(0.3, n), trial, np.iinfo(np.int64).min), "D")
    return columns


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide; missing where there is nothing to divide by."""
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _payments(draw: Draw, base: _Base, slow: np.ndarray) -> dict[str, Column]:
    n, rng, invoices = base.n, draw.rng, base.orders
    usual = np.where(slow, 70.0, 40.0) * np.exp(0.45 * rng.standard_normal(n))
    never = draw.chance(0.015, n)
    due = rng.poisson(np.where(base.active, invoices * usual / np.maximum(base.last - base.first, usual), 0.0))
    unpaid = np.where(never, invoices, np.minimum(due, invoices))
    age = np.where(never, draw.between(120, 500, n), usual * draw.between(0.2, 1.1, n))
    paid = invoices - unpaid
    return {
        "invoice_count": invoices,
        "open_invoice_count": unpaid,
        "open_invoice_share": _ratio(unpaid, invoices),
        "paid_invoice_days": np.round(np.where(paid > 0, usual, np.nan), 1),
        "payment_days": np.round(_ratio(paid * usual + unpaid * age, invoices), 1),
    }


def _survey(draw: Draw, base: _Base) -> dict[str, Column]:
    n, rng = base.n, draw.rng
    core = base.core.copy()
    core[draw.chance(0.12, n)] = -1
    # What they plan hangs together: an ambition behind the answers, little to do with their size today.
    ambition = 0.2 * base.size + rng.standard_normal(n)
    growth = np.round(0.06 + 0.08 * ambition + 0.05 * rng.standard_normal(n), 3)
    return {
        "need_type": draw.labels({"solve_problem": 40, "raise_efficiency": 35, "seek_growth": 25}, n, missing=0.15),
        "need_urgency": draw.labels({"low": 40, "middle": 40, "high": 20}, n, missing=0.15),
        "need_preference": draw.labels({"features": 30, "price": 35, "service": 20, "brand": 15}, n, missing=0.15),
        "need_form": draw.labels({"standard": 70, "customised": 30}, n, missing=0.12),
        "need_core": Labels(core, ["cost", "quality", "efficiency", "innovation"]),
        "industry_outlook": draw.scores(3.2, n, 0.1),
        "expansion_size": draw.scores(2.8 + 0.8 * ambition, n, 0.1),
        "expansion_speed": draw.scores(2.8 + 0.8 * ambition, n, 0.1),
        "growth_rate": draw.gaps(growth, 0.12),
        "new_product_need": draw.scores(2.6 + 0.6 * ambition, n, 0.1),
        "competitor_closeness": draw.scores(2.4, n, 0.1),
        "relationship_score": draw.scores(np.where(base.unhappy, 2.0, 3.4), n, 0.1),
    }


def _behaviour(draw: Draw, base: _Base) -> dict[str, Column]:
    n, rng = base.n, draw.rng
    interest = np.exp(0.8 * rng.standard_normal(n)) * np.where(base.active, 1.0, 0.25)
    rate_before = np.clip(0.55 + 0.2 * rng.standard_normal(n), 0, 1)
    fall = np.where(base.active, 0.0, 0.25)
    return {
        "login_count_3M": rng.poisson(6 * interest),
        "login_count_prev_3M": rng.poisson(6 * np.where(base.active, interest, 2 * interest)),
        "enquiry_count_3M": rng.poisson(1.2 * interest),
        "enquiry_count_prev_3M": rng.poisson(1.2 * np.where(base.active, interest, 2 * interest)),
        "response_rate_3M": np.round(np.clip(rate_before - fall + 0.1 * rng.standard_normal(n), 0, 1), 2),
        "response_rate_prev_3M": np.round(rate_before, 2),
        "response_hours": draw.gaps(np.round(np.exp(2.3 + rng.standard_normal(n)), 1), 0.1),
        "phone_call_count_12M": rng.poisson(3 * interest),
    }


def _orders(draw: Draw, base: _Base) -> dict[str, Column]:
    rng = draw.rng
    bargain = draw.rng.random(base.n) ** 4  # few hunt for discounts, but those do
    level = 8.75 + 0.75 * base.size + 0.45 * rng.standard_normal(base.n)
    favourite = draw.codes([30, 20, 15, 12, 10, 8, 5], base.n)
    times, customers = base.moments(draw, np.repeat(np.arange(base.n), base.orders))
    lines = 1 + draw.codes([77, 17, 6], len(times)).astype(np.int64)
    order = np.repeat(np.arange(len(times)), lines)
    customer = customers[order]
    n = len(order)
    rate = np.array([0.05, 0.1, 0.15, 0.2, 0.3])[draw.codes([25, 35, 15, 15, 10], n)]
    discount = np.where(draw.chance(bargain[customers], len(times))[order], rate, 0.0)
    price = np.exp(level[customer] + 0.6 * rng.standard_normal(n))
    # Half of the prices are round, to 50 or to 500 yuan.
    unit = np.where(draw.chance(0.5, n), np.where(price < 5_000, 50.0, 500.0), 0.01)
    price = np.maximum(np.rint(price / unit), 1) * unit
    category = np.where(draw.chance(0.6, n), favourite[customer], draw.codes([1] * 7, n))
    columns = {
        "order_id": order + 1,
        c.CUSTOMER_ID: base.ids[customer],
        c.TIMESTAMP: times[order],
        c.AMOUNT: np.round(price * (1 - discount), 2),
        "quantity": 1 + rng.geometric(0.3, n),
        "category": category,
        "channel": draw.codes([35, 25, 15, 15, 10], len(times))[order],
        "discount": np.where((discount == 0) & draw.chance(0.02, n), np.nan, discount),
    }
    returned = np.flatnonzero(draw.chance(0.03, n))
    back = {name: values[returned] for name, values in columns.items()}
    whole = draw.chance(0.7, len(returned))
    back[c.TIMESTAMP] = back[c.TIMESTAMP] + rng.integers(2, 26, len(returned)) * SECONDS * 1_000_000
    back[c.AMOUNT] = -np.where(whole, back[c.AMOUNT], np.round(back[c.AMOUNT] / 2, 2))
    back["quantity"] = -np.where(whole, back["quantity"], back["quantity"] // 2)
    begin = np.datetime64(AS_OF + dt.timedelta(days=1), "us").astype(np.int64)
    in_time = back[c.TIMESTAMP] < begin
    twice = np.flatnonzero(draw.chance(0.001, n))
    parts = {
        name: [values, back[name][in_time & (back[c.AMOUNT] < 0)], values[twice]] for name, values in columns.items()
    }
    whole_log = {name: np.concatenate(part) for name, part in parts.items()}
    by_time = np.argsort(whole_log[c.TIMESTAMP], kind="stable")
    log: dict[str, Any] = {name: values[by_time] for name, values in whole_log.items()}
    log[c.TIMESTAMP] = Times(log[c.TIMESTAMP], "us")
    categories = ["pumps", "valves", "tools", "sensors", "spare_parts", "service", "software"]
    log["category"] = Labels(log["category"], categories)
    log["channel"] = Labels(log["channel"], ["web", "sales", "phone", "wechat", "distributor"])
    return log


def _messages(draw: Draw, base: _Base) -> dict[str, Column]:
    rng = draw.rng
    times, customer = base.moments(
        draw, np.repeat(np.arange(base.n), rng.poisson(1.2 + 2.4 * np.log1p(base.orders) / np.log(8)))
    )
    n = len(times)
    # The topic of a sentence: mostly the customer's own concern; complaints come from the unhappy.
    own = np.array([TOPICS[topic] for topic in ("price", "certification", "lead_time", "reference")])[base.core]
    other = draw.codes([1] * len(TOPICS), 2 * n).reshape(2, n)
    first = np.where(draw.chance(0.5, n), own[customer], other[0])
    first = np.where(draw.chance(np.where(base.unhappy, 0.35, 0.0)[customer], n), TOPICS["complaint"], first)
    language = base.language[customer]
    parts = [
        _pick(draw, [[opening] for opening in OPENINGS], language, np.zeros(n, dtype=np.int64)),
        _pick(draw, SENTENCES, language, first),
        pc.if_else(pa.array(draw.chance(0.4, n)), _pick(draw, SENTENCES, language, other[1]), ""),
    ]
    text = pc.binary_join_element_wise(*parts, "").cast(pa.large_string())
    text = pc.if_else(pa.array(draw.chance(0.005, n)), "", text)  # a picture, a missed call
    text = pc.if_else(pa.array(draw.chance(0.01, n)), None, text)
    urgent = np.where(first == TOPICS["complaint"], 4.2, 2.6)
    return {
        "message_id": np.arange(1, n + 1),
        c.CUSTOMER_ID: base.ids[customer],
        c.TIMESTAMP: Times(times, "us"),
        "channel": draw.labels({"wechat": 40, "phone": 25, "email": 25, "visit": 10}, n),
        "importance": draw.scores(2.8 + 0.5 * base.size[customer], n, 0.0),
        "urgency": draw.scores(urgent, n, 0.0),
        c.TEXT: text,
    }


def _pick(draw: Draw, texts: Any, language: np.ndarray, topic: np.ndarray) -> pa.Array:
    """Draw one of the sentences of each row's language and topic."""
    counts = np.array([[len(sentences) for sentences in topics] for topics in texts])
    starts = np.cumsum(counts).reshape(counts.shape) - counts
    pool = pa.array([sentence for topics in texts for sentences in topics for sentence in sentences])
    place = (draw.rng.random(len(language)) * counts[language, topic]).astype(np.int64)
    return pool.take(pa.array(starts[language, topic] + place))


def _leads(draw: Draw, n: int) -> dict[str, Column]:
    rng = draw.rng
    age = np.clip(np.rint(20 + rng.gamma(3.0, 6.5, n)), 18, 80).astype(np.int64)
    means = 0.35 * rng.standard_normal(n) + np.where(age > 30, 0.2, 0.0)
    income = np.rint(np.exp(12.0 + 1.5 * means + 0.35 * rng.standard_normal(n)) / 10_000) * 10_000
    member = draw.chance(0.4, n)
    tenure = np.where(member, rng.exponential(420, n), np.nan)
    classes = np.where(member, rng.poisson(np.exp(1.0 + 0.9 * rng.standard_normal(n))), 0)
    enquiries = np.exp(0.7 * rng.standard_normal(n))
    return {
        "lead_id": np.arange(1, n + 1),
        "age": Masked(age, draw.chance(0.06, n)),
        "gender": draw.labels({"female": 52, "male": 48}, n, missing=0.05),
        "education": draw.labels({"school": 35, "college": 30, "bachelor": 28, "master": 7}, n, missing=0.1),
        "marital_status": draw.labels({"single": 35, "married": 60, "divorced": 5}, n, missing=0.12),
        "occupation": draw.labels(
            {"employee": 50, "manager": 15, "self_employed": 15, "student": 12, "retired": 8}, n, missing=0.1
        ),
        "annual_income": draw.gaps(income, 0.15),
        "purchases_per_year": rng.poisson(np.exp(0.1 + 0.9 * rng.standard_normal(n))),
        "brand_awareness": draw.labels({"low": 40, "middle": 40, "high": 20}, n, missing=0.1),
        "pays_for_quality": Masked(draw.chance(0.3 + 0.2 * (means > 0.3), n), draw.chance(0.1, n)),
        "tenure_days": np.floor(tenure),
        "course_count": np.where(member, rng.poisson(1.4, n), 0),
        "annual_fee_usd": np.where(
            member, 100 * np.rint(np.exp(1.9 + 0.9 * means + 0.6 * rng.standard_normal(n))), 0.0
        ),
        "annual_spend_usd": np.rint(np.exp(6.6 + 1.2 * means + rng.standard_normal(n))),
        "joins_events": member & draw.chance(0.35, n),
        "classes_per_month": classes,
        "enquiry_count_3M": rng.poisson(enquiries),
        "enquiry_count_prev_3M": rng.poisson(enquiries),
        "lifestyle": draw.labels({"thrifty": 30, "balanced": 45, "outgoing": 25}, n, missing=0.15),
        "attitude": draw.labels({"sceptical": 25, "neutral": 45, "favourable": 30}, n, missing=0.15),
    }
