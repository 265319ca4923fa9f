"""One file a tool: how it converts and publishes. Each runs as `python -m bench.tools.NAME` in an environment of its own."""
