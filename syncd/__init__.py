"""The daemon: decides and remembers. May import `providers` and `mapping`."""
