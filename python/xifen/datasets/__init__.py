"""Data to try things on, inside the package: nothing is downloaded."""

from xifen.datasets.cdnow import load_cdnow
from xifen.datasets.crm import CRM, make_crm

__all__ = ["CRM", "load_cdnow", "make_crm"]
