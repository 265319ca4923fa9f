"""The tools that are measured, each in an environment of its own, made when it is not there yet."""

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".venv-bench"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


@dataclass(frozen=True, slots=True)
class Peer:
    """`name` is its file in `tools/`, `package` its name in the requirements."""

    name: str
    package: str
    options: tuple[str, ...] = ()  # for pip


PEERS = (
    Peer("md2conf", "markdown-to-confluence"),
    Peer("md2cf", "md2cf"),
    Peer("cfxmark", "cfxmark"),
    Peer("notionify", "notionify"),
    Peer("marknotion", "marknotion", ("--ignore-requires-python",)),  # it asks for 3.13 and runs on 3.11
    Peer("ultimate_notion", "ultimate-notion"),
)


class NotInstalled(Exception):
    """A tool cannot be had; `str()` is one sentence."""


def pins() -> dict[str, str]:
    """What is to be installed, by package."""
    lines = (line.partition("#")[0].strip() for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines())
    return {line.partition("==")[0]: line for line in lines if line}


def interpreter(peer: Peer) -> Path:
    """The Python that has the tool. Raises NotInstalled."""
    folder, pin = FOLDER / peer.name, pins()[peer.package]
    python, installed = folder / "bin" / "python", folder / "installed"
    if installed.exists() and installed.read_text(encoding="utf-8") == pin:
        return python
    try:
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.options, pin]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotInstalled(f"{peer.name} is left out: no environment could be made for it ({error})") from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip said nothing"]
        raise NotInstalled(f"{peer.name} is left out: pip could not install {pin} ({said[-1].removeprefix('ERROR: ')})")
    installed.write_text(pin, encoding="utf-8")
    return python


def ours() -> Path:
    """The Python that runs this, which has the product."""
    return Path(sys.executable)
