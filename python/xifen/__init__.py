"""xifen: from an order log to scored, named, explained customers."""

from xifen import datasets, errors
from xifen.binning import Binner, RFMScorer
from xifen.presets import list_presets, load_preset
from xifen.rules import RuleSegmenter
from xifen.text import keyword_table
from xifen.transactions import clv_table, ledger_summary, order_ledger, release_memory, rfm_table

__all__ = [
    "Binner",
    "RFMScorer",
    "RuleSegmenter",
    "clv_table",
    "datasets",
    "errors",
    "keyword_table",
    "ledger_summary",
    "list_presets",
    "load_preset",
    "order_ledger",
    "release_memory",
    "rfm_table",
]
