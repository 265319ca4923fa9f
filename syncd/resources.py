"""Where the shipped files are: `syncd/templates`, `syncd/systemd` and `syncd/config.example.toml` in an installed wheel, the
directories beside `syncd/` in a checkout. What is in them is read elsewhere.
"""

from importlib.resources import files
from pathlib import Path


def shipped(name: str) -> Path:
    """The path of a shipped file or directory. FileNotFoundError when the installation lacks it."""
    package = Path(str(files("syncd")))
    for place in (package / name, package.parent / name):
        if place.exists():
            return place
    raise FileNotFoundError(f"the installation lacks '{name}'; install syncd again")


def templates() -> Path:
    """The directory of the built-in templates (`*.toml`; the web pages' templates are in its `web`)."""
    return shipped("templates")
