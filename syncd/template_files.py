"""A template's file on the disk: put there in one step, or, where it is kept elsewhere, the change to make there as a diff.

Kept elsewhere is what lies in a Git work tree (a `.git` in the directory or above it), unless `templates.managed` says
otherwise, and what cannot be written, such as a file of a read-only directory.
"""

import difflib
import hashlib
import os
import re
import tempfile
from pathlib import Path

from syncd.errors import KeptElsewhere

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def mark_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, by which a change is noticed; empty where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def kept_elsewhere(folder: Path, managed: bool | None) -> str:
    """Why files of a folder are not ours to write, empty where they are. `managed`: what the configuration says, if it
    does."""
    if managed is False:
        return ""
    if managed:
        return "the configuration says that it is managed (`templates.managed`)"
    root = _work_tree(folder)
    return f"it is kept in Git, in the work tree {root}" if root else ""


def _work_tree(folder: Path) -> Path | None:
    place = folder.resolve()
    return next((above for above in (place, *place.parents) if (above / ".git").exists()), None)


def to_apply(path: Path, why: str, old: str, new: str) -> KeptElsewhere:
    """What is raised instead of writing: the diff, and the command that takes it."""
    root = _work_tree(path.parent) or path.parent.parent
    way = "git apply" if (root / ".git").exists() else "patch -p1"
    return KeptElsewhere(f"{path} was not changed: {why}.", diff(path.relative_to(root), old, new), f"cd {root} && {way}")


def diff(path: Path, old: str, new: str) -> str:
    """A unified diff, as `git apply` and `patch -p1` understand it; no text is no file."""
    before, after = (f"a/{path}" if old else "/dev/null"), (f"b/{path}" if new else "/dev/null")
    lines = difflib.unified_diff(_LINE.findall(old), _LINE.findall(new), before, after)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def put(path: Path, text: str) -> None:
    """Put the text in the file's place in one step, keeping its permissions; without a text, remove it. Raises OSError."""
    if not text:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, text)


def _replace(path: Path, text: str) -> None:
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
