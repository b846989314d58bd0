"""What pytest cannot be told in pyproject.toml."""

import os

# Where these are set, pytest compares even long lists line by line for the text of a failure, which takes hours.
for variable in ("CI", "BUILD_NUMBER"):
    os.environ.pop(variable, None)
