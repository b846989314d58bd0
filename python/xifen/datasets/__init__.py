"""Real data to try things on, inside the package: nothing is downloaded."""

from xifen.datasets.cdnow import load_cdnow

__all__ = ["load_cdnow"]
