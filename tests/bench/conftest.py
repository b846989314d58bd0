"""Nothing here is a test: tests/test_bench.py runs the benches as a user does."""

collect_ignore_glob = ["*.py"]
