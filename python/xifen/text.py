"""From messages to one row per customer: how often they mention what."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from xifen import _columns as c
from xifen import _core
from xifen._cuts import threads
from xifen._frame import Frame
from xifen._warn import warn
from xifen.errors import ParameterError

__all__ = ["keyword_table"]


def keyword_table(
    messages: Any,
    *,
    keywords: Mapping[str, Sequence[str]],
    customer_id: str = c.CUSTOMER_ID,
    text: str = c.TEXT,
    form: Literal["nfkc", "nfc", "none"] = "nfkc",
    invalid: Literal["raise", "drop"] = "raise",
    n_jobs: int | None = None,
) -> Any:
    """Count, customer by customer, how often messages mention each group of keywords.

    A group is a thing people talk about, its keywords are the words they use for it: synonyms, languages,
    simplified and traditional characters, side by side. Case does not matter for the letters A to Z.
    A keyword is found anywhere in a text, within a word too ("price" in "underpriced"): Chinese has no spaces
    between words. Where that matters, write the space into the keyword.

    A stretch of text is at most one mention of a group: in a group the leftmost keyword counts, of those that begin
    at the same place the longest, and the search goes on behind its end. With the keywords 交期 and 交期太长, the
    text "交期太长" is one mention. Groups do not see one another: the same stretch may be a mention of several, and
    several may have the same keyword. Up to form and case, a group's count is that of the regular expression of its
    keywords, longest first: ``texts.str.count("交期太长|交期")``.

    Parameters
    ----------
    messages : pandas.DataFrame, polars.DataFrame, pyarrow.Table or dict of arrays
        One row per message. Never changed.
    keywords : mapping of str to list of str
        The keywords of each group: ``{"lead_time": ["lead time", "交期", "交付周期", "交付週期"]}``.
    customer_id, text : str
        The columns to read: ids (text or whole numbers) and texts.
    form : {"nfkc", "nfc", "none"}
        The Unicode form in which texts and keywords are compared. "nfkc" takes full-width letters, digits and
        punctuation for the ordinary ones (ＩＳＯ９００１ is ISO9001); "nfc" only takes an accent for the same whether
        it is written with its letter or behind it; "none" compares code points. No form turns traditional characters
        into simplified ones: list both.
    invalid : {"raise", "drop"}
        Refuse rows without an id or a text, or leave them out with a warning that counts them. An empty text is a
        message that mentions nothing.
    n_jobs : int, optional
        Threads to use; None means all processors. Never changes a result.

    Returns
    -------
    frame of the kind of `messages`
        Ascending by id. The id column keeps its name and type; then `message_count`, and for each group, in the order
        given, `<group>_count` (mentions), `<group>_per_message` (mentions divided by message_count) and
        `<group>_messages_with` (messages with at least one mention).

    Raises
    ------
    InputError
        A column is absent or of a wrong kind, or rows have no id or no text.
    ParameterError
        There is no group, a group has no keyword, one is empty or blank, one stands twice in a group (form and case
        apart), two columns would have the same name, or the form is not known.

    Examples
    --------
    >>> import pandas as pd, xifen as xf
    >>> messages = pd.DataFrame({
    ...     "customer_id": ["C1", "C1", "C2"],
    ...     "text": ["交期太长，能否缩短交期？", "What is the lead time?", "请提供ＩＳＯ９００１证书"],
    ... })
    >>> table = xf.keyword_table(messages, keywords={
    ...     "lead_time": ["lead time", "交期", "交期太长"],
    ...     "certification": ["iso9001", "certificate", "证书", "證書"],
    ... })
    >>> table[["customer_id", "message_count", "lead_time_count", "lead_time_per_message"]]
      customer_id  message_count  lead_time_count  lead_time_per_message
    0          C1              2                3                    1.5
    1          C2              1                0                    0.0
    >>> table["certification_messages_with"].tolist()
    [0, 1]
    """
    if not isinstance(keywords, Mapping):
        raise TypeError(f"keywords is {keywords!r}; wanted a mapping such as {{'price': ['price', '价格']}}")
    groups = [(group, _words(group, words)) for group, words in keywords.items()]
    for parameter, value in (("form", form), ("invalid", invalid)):
        if not isinstance(value, str):
            raise TypeError(f"{parameter} is {value!r}; wanted text")
    frame = Frame(messages, "messages")
    frame.require((customer_id, text))
    names = list(dict.fromkeys((customer_id, text)))
    config = {
        "names": names,
        "customer_id": names.index(customer_id),
        "text": names.index(text),
        "keywords": groups,
        "form": form,
        "invalid": invalid,
    }
    found = _core.keyword_table(frame.stream(names), json.dumps(config), threads(n_jobs))
    for message in found["warnings"]:
        warn(message)
    return frame.by_customer(customer_id, found["columns"])


def _words(group: Any, words: Any) -> list[str]:
    if not isinstance(group, str):
        raise TypeError(f"keywords has the group {group!r}; the name of a group is text")
    if not group:
        raise ParameterError("a group of keywords has no name; its columns are named after it")
    # A text is a sequence of texts, too: its letters would be the keywords.
    if isinstance(words, (str, bytes)) or not hasattr(words, "__iter__"):
        raise TypeError(f"the keywords of group '{group}' are {words!r}; wanted a list such as ['price', '价格']")
    listed: list[str] = list(words)
    for word in listed:
        if not isinstance(word, str):
            raise TypeError(f"group '{group}' has the keyword {word!r}; a keyword is text")
    return listed
