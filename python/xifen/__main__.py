"""``python -m xifen`` is the command line."""

from xifen.cli import main

main()
