"""How near Hallporter comes to the limit: `uv run python -m benchmarks`. It measures, and nothing depends on it."""
