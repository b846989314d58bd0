"""Plans: a segmentation as one file, and what comes of it."""

from xifen.plan._plan import Plan
from xifen.plan.segmentation import Segmentation

__all__ = ["Plan", "Segmentation"]
