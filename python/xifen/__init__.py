"""xifen: from an order log to scored, named, explained customers."""

from xifen.transactions import release_memory, rfm_table

__all__ = ["release_memory", "rfm_table"]
