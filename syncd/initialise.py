"""`syncd init`: a first configuration, written from the shipped example. Never replaces a file."""

from pathlib import Path

from syncd.errors import Misuse
from syncd.resources import shipped


def initialise(config: Path) -> list[Path]:
    """Write the configuration and the directory for your own templates; what was made. Raises Misuse where one is there."""
    if config.exists():
        raise Misuse(f"{config} is there already; it is left as it is.", "syncd doctor")
    config.parent.mkdir(parents=True, exist_ok=True)
    text = shipped("config.example.toml").read_text(encoding="utf-8")
    with config.open("x", encoding="utf-8") as file:
        config.chmod(0o600)  # tokens may be written into it
        file.write(text)
    templates = config.parent / "templates"
    templates.mkdir(exist_ok=True)
    return [config, templates]
