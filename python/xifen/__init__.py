"""xifen: from an order log to scored, named, explained customers."""

from xifen.binning import Binner, RFMScorer
from xifen.transactions import clv_table, ledger_summary, order_ledger, release_memory, rfm_table

__all__ = ["Binner", "RFMScorer", "clv_table", "ledger_summary", "order_ledger", "release_memory", "rfm_table"]
