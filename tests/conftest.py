"""What pytest cannot be told in pyproject.toml."""

import os
import signal

# Where these are set, pytest compares even long lists line by line for the text of a failure, which takes hours.
for variable in ("CI", "BUILD_NUMBER"):
    os.environ.pop(variable, None)

# Shells start background jobs with Ctrl-C ignored, and a test presses it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
