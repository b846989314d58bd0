"""xifen: from an order log to scored, named, explained customers."""

__all__: list[str] = []
