"""What the command line prints: headings and tables, in English and Chinese."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import pandas as pd

from xifen import _columns as names


class Language(StrEnum):
    """The language of headings and labels."""

    EN = "en"
    ZH = "zh"


HEADINGS = {
    Language.EN: {
        "source": "{rows} of {source}, as of {as_of}",
        "conversions": "What was converted while reading",
        "ledger": "Every row accounted for",
        "table": "The table of customers: the first {shown} of {customers}, each a column here",
        "edges": "Where the scores change (5 is best)",
        "coverage": "Do the rules cover every possible score?",
        "segments": "Segments",
        "customer": "Why is customer {id} here?",
        "written": "{customers} written to {out}",
        "replaced": "{customers} written to {out}, an earlier file replaced",
    },
    Language.ZH: {
        "source": "{source}：{rows} 行，截至 {as_of}",
        "conversions": "读取时的转换",
        "ledger": "每一行的去向",
        "table": "客户表（共 {customers} 位客户，此处每列一位，前 {shown} 位）",
        "edges": "分数的分界（5 分最好）",
        "coverage": "规则是否覆盖所有可能的分数？",
        "segments": "客户细分",
        "customer": "客户 {id} 为什么在这里？",
        "written": "{customers} 位客户已写入 {out}",
        "replaced": "{customers} 位客户已写入 {out}（已替换原有文件）",
    },
}

SENTENCES = {
    Language.EN: {
        "result": "{name}: {count:,} customers as of {as_of}",
        "file": "{what:<8}{out}",
        "file_replaced": "{what:<8}{out}, an earlier file replaced",
        "nothing_written": "nothing was written: name files by --report, --excel, --table, --model",
        "valid": "{plan} is a plan that can run: {count} steps",
        "adds": "  {step}adds {columns}",
        "few": "* few customers, or a count that would tell of few by a total: not shown (small_cells of [privacy])",
    },
    Language.ZH: {
        "result": "{name}：{count:,} 位客户，截至 {as_of}",
        "file": "{what}：{out}",
        "file_replaced": "{what}：{out}（已替换原有文件）",
        "nothing_written": "没有写出文件：用 --report、--excel、--table、--model 指定",
        "valid": "方案 {plan} 可以运行：{count} 个步骤",
        "adds": "  {step}得到 {columns}",
        "few": "* 人数过少，或可由合计推出人数过少的类型，不显示",
    },
}
OUTPUTS = {
    Language.EN: {"report": "report", "excel": "excel", "table": "table", "model": "model"},
    Language.ZH: {"report": "报告", "excel": "管理表", "table": "全部列", "model": "模型"},
}

NO_SEGMENT = {Language.EN: "(no segment)", Language.ZH: "（未归入细分）"}
TOTAL = {Language.EN: "total", Language.ZH: "合计"}

# Chinese for the words of the tables; a name that also stands in the written file follows in brackets.
CHINESE = {
    names.REASON: "去向",
    names.ROWS: "行数",
    names.FIRST_ROW: "首行（从 0 起）",
    "conversion": "转换",
    "column": "指标",
    "edge": "分界",
    "closed": "分界值归属",
    "score_below": "分界以下得分",
    "score_above": "分界以上得分",
    names.SEGMENT: "细分",
    "customers": "客户数",
    "share": "客户占比",
    "revenue_share": "收入占比",
    "median_recency": "距今天数中位数",
    "median_orders": "订单数中位数",
    "median_monetary": "金额中位数",
}
CHINESE_NAMES = {
    names.FIRST_PURCHASE: "首次购买",
    names.LAST_PURCHASE: "最近购买",
    names.RECENCY_DAYS: "距今天数",
    names.ORDER_COUNT: "订单数",
    names.PURCHASE_DAYS: "购买天数",
    names.ROW_COUNT: "行数",
    names.MONETARY: "净金额",
    names.GROSS_AMOUNT: "购买金额",
    names.RETURNED_AMOUNT: "退货金额",
    names.MEAN_ORDER_VALUE: "平均订单金额",
    names.TENURE_DAYS: "首购至今天数",
    names.ORDERS_PER_YEAR: "年订单数",
    names.MEAN_GAP_DAYS: "平均间隔天数",
    "formula_text": '去掉 ="..."',
    "trailing_tab": "去掉制表符",
    "missing_word": "“-”和“无”视为缺失",
    "full_width": "全角转半角",
    "thousands_separator": "去掉千分位",
    "currency": "去掉货币符号",
    "percent": "百分数",
    "unreadable": "无法读为数字，视为缺失",
    "unit": "万、亿换算",
    "column_unit_千元": "按列名单位（千元）换算",
    "column_unit_万元": "按列名单位（万元）换算",
    "column_unit_百万元": "按列名单位（百万元）换算",
    "column_unit_千万元": "按列名单位（千万元）换算",
    "column_unit_亿元": "按列名单位（亿元）换算",
    "yes_no": "是、否",
    "date": "按格式读日期",
    "missing_customer_id": "缺客户编号",
    "missing_timestamp": "缺日期",
    "missing_amount": "缺金额",
    "missing_order_id": "缺订单号",
    "non_finite_amount": "金额无穷大",
    "timestamp_out_of_range": "日期超出范围",
    "after_as_of": "晚于截至日",
    "return_excluded": "退货，不计",
    "duplicate_dropped": "重复，不计",
    "used": "已使用",
}


def counted(count: int, thing: str, lang: Language) -> str:
    """Give "1 row" or "1,234 rows"; in Chinese the number, whose measure word stands in the heading."""
    if lang is Language.ZH:
        return f"{count:,}"
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def heading(key: str, lang: Language, **words: Any) -> str:
    """Give a heading and the line under it."""
    text = HEADINGS[lang][key].format(**words)
    return f"\n{text}\n{'-' * wide(text)}"


def wide(text: str) -> int:
    """Count the cells of a terminal that a text fills: a Chinese character two."""
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)


def sentence(key: str, lang: Language, **words: Any) -> str:
    """Give a line that says what a command did."""
    return SENTENCES[lang][key].format(**words)


def steps_text(plan: str, steps: Sequence[Mapping[str, Any]], lang: Language) -> str:
    """Say that a plan can run, and what each of its steps adds."""
    lines = [sentence("adds", lang, step=f"{step['name']:<28}", columns=", ".join(step["adds"])) for step in steps]
    return "\n".join([sentence("valid", lang, plan=plan, count=len(steps)), *lines])


def profile_text(profile: pd.DataFrame, segment: str, lang: Language) -> str:
    """Give size and shares of each type of a plan."""
    shown = profile[[name for name in (segment, "customers", "share", "revenue_share") if name in profile]]
    shares = {
        name: [f"{share:.1%}" if pd.notna(share) else "" for share in shown[name]]
        for name in ("share", "revenue_share")
        if name in shown
    }
    counts = [f"{count:,}" if pd.notna(count) else "*" for count in shown["customers"]]
    named = shown[segment].astype(object).fillna(NO_SEGMENT[lang])
    shown = shown.assign(**{**shares, "customers": counts, segment: named})
    text = _text(shown.rename(columns={segment: names.SEGMENT} if lang is Language.ZH else {}), lang)
    return f"{text}\n{sentence('few', lang)}" if "*" in counts else text


def _named(name: str, lang: Language) -> str:
    return f"{CHINESE_NAMES[name]} ({name})" if lang is Language.ZH and name in CHINESE_NAMES else name


def _text(table: pd.DataFrame, lang: Language) -> str:
    if lang is Language.ZH:
        table = table.rename(columns=CHINESE)
    with pd.option_context("display.unicode.east_asian_width", True, "display.width", 200, "display.max_columns", 30):
        return str(table.to_string(index=False, na_rep="", float_format="{:,.2f}".format))


def ledger_text(ledger: pd.DataFrame, lang: Language) -> str:
    """Give the rows of the log by what became of them."""
    reasons = [_named(reason, lang) for reason in ledger[names.REASON]]
    return _text(ledger.assign(**{names.REASON: reasons}), lang)


def conversions_text(conversions: pd.DataFrame, lang: Language) -> str:
    """Give what was converted while the file was read."""
    said = [_named(conversion, lang) for conversion in conversions["conversion"]]
    return _text(conversions.assign(conversion=said), lang)


def customers_text(customers: pd.DataFrame, lang: Language) -> str:
    """Give the first customers side by side: fourteen columns fit no terminal."""

    def value(name: str, value: Any) -> str:
        if pd.isna(value):
            return ""
        if isinstance(value, pd.Timestamp):
            return f"{value:%Y-%m-%d}"
        if name in {names.MONETARY, names.GROSS_AMOUNT, names.RETURNED_AMOUNT, names.MEAN_ORDER_VALUE}:
            return f"{float(value):,.2f}"
        if isinstance(value, float):
            return f"{value:,.2f}"
        return _short(value)

    rows = [[_named(name, lang), *(value(name, one) for one in customers[name].tolist())] for name in customers]
    with pd.option_context("display.unicode.east_asian_width", True, "display.width", 200):
        return str(pd.DataFrame(rows[1:], columns=rows[0]).to_string(index=False))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 20 else f"{text[:19]}…"


def edges_text(edges: pd.DataFrame, lang: Language) -> str:
    """Give the edges of the scores; of what is counted in whole numbers, the whole number that decides."""

    def edge(column: str, value: float, closed: str) -> str:
        if column == names.MONETARY:
            return f"{value:,.2f}"
        # No whole number lies between: x <= 1.6 is x <= 1, and x < 1.6 is x < 2.
        return f"{math.floor(value) if closed == 'right' else math.ceil(value):,}"

    said = [edge(*line) for line in zip(edges["column"], edges["edge"], edges["closed"], strict=True)]
    columns = [_named(name, lang) for name in edges["column"]]
    if lang is Language.ZH:
        edges = edges.assign(closed=edges["closed"].map({"right": "以下", "left": "以上"}))
    return _text(edges.drop(columns="bin").assign(edge=said, column=columns), lang)


def segments_text(customers: pd.DataFrame, lang: Language) -> str:
    """Give size, shares and medians of each segment, in the order of the rules, then who has none, then the total.

    Revenue is what customers spent in the net; who returned more than they bought adds none and takes none.
    """
    table = pd.DataFrame(
        {
            "revenue": customers[names.MONETARY].astype(float),
            "recency": customers[names.RECENCY_DAYS].astype(float),
            "orders": customers[names.ORDER_COUNT].astype(float),
        }
    )
    labels = customers[names.SEGMENT]
    groups = [(label, table[(labels == label).fillna(value=False)]) for label in labels.cat.categories]
    if labels.isna().any():
        groups.append((NO_SEGMENT[lang], table[labels.isna()]))
    groups.append((TOTAL[lang], table))
    revenue = table["revenue"].clip(lower=0).sum()
    lines = []
    for label, group in groups:
        line = [label, f"{len(group):,}", f"{len(group) / len(table):.1%}"]
        line.append(f"{group['revenue'].clip(lower=0).sum() / revenue:.1%}" if revenue else "–")
        for name, decimals in (("recency", 0), ("orders", 0), ("revenue", 2)):
            present = group[name].dropna()
            if present.empty:  # pandas 2 warns of a median of nothing
                line.append("")
            else:  # the median of an even number of days may lie between two
                median = float(present.median())
                line.append(f"{median:,.{decimals if median.is_integer() else max(decimals, 1)}f}")
        lines.append(line)
    columns = [names.SEGMENT, "customers", "share", "revenue_share"]
    return _text(pd.DataFrame(lines, columns=[*columns, "median_recency", "median_orders", "median_monetary"]), lang)
