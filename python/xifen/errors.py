"""The exceptions of xifen. Each message is a sentence: what, where, got, wanted, next step."""

from __future__ import annotations

__all__ = ["InputError", "ParameterError", "RuleError", "XifenError"]


class XifenError(ValueError):
    """Anything xifen refuses to do, so that one ``except`` catches it all."""


class InputError(XifenError):
    """The data cannot be used: a column or a row is at fault."""


class ParameterError(XifenError):
    """A parameter cannot be used."""


class RuleError(XifenError):
    """A rule's text cannot be used.

    Attributes
    ----------
    position : int or None
        Which character of the rule (0 is the first) is at fault, where one can be named.
    """

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position

    def __reduce__(self) -> tuple[type[RuleError], tuple[str, int | None]]:
        return type(self), (str(self), self.position)
