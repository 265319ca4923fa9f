"""A folder of Markdown files as a knowledge base: one file a page, front matter as its identity, any editor as the site.

The file system is the wire here. A page is found by its file name, and by the incident in its front matter after somebody
renamed it. Writes go to a temporary file that takes the page's place in one step, guarded by a hash of what was read; bytes
that did not change stay. Noticing changes early (watching the folder) is the daemon's business.
"""

import errno
import hashlib
import os
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mapping.document import Doc
from mapping.front_matter import FrontMatterError, split_front_matter
from mapping.incident import Person
from mapping.markdown_page import MarkdownPage, parse_page, project
from mapping.markdown_parse import BESIDE
from mapping.markdown_splice import splice
from providers.contract import (
    Capabilities,
    Change,
    Done,
    Missing,
    Observation,
    Outcome,
    Place,
    Plain,
    ProviderError,
    Refused,
    Rejected,
    Stale,
    TitleTaken,
    Unauthorized,
    Unreachable,
)

PROPERTIES = ("incident", "status")
_SAVING = 2.0  # seconds in which an empty file is one that an editor has opened for writing and not yet filled
_NAME_BYTES = 120  # of a new file's name: fits every file system and a terminal
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]+')


@dataclass(frozen=True, slots=True)
class _Look:
    """What one file said when its modification time and size were `stamp`."""

    stamp: tuple[int, int]
    version: str
    marker: str


class Folder(Plain):
    """Pages in folders below `root`, to which `Place.options["path"]` is relative. Native ids are file names."""

    capabilities = Capabilities(compare_and_swap=True, published=False, native_ids=False, settle_seconds=0, pictures=True)

    def __init__(self, root: Path, now: Callable[[], float] = time.time) -> None:
        """`now` is the clock of the file system, in seconds since the epoch."""
        self._now = now
        self._root = root
        self._looks: dict[Path, _Look] = {}
        self._markers: dict[Path, str] = {}  # of pages read, to find them after a rename

    def check(self, place: Place, *, write: bool = False) -> Sequence[str]:
        """That the folder is there or can be made; `write` makes and removes a file in it."""
        folder = self._folder(place)
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if not there.is_dir() or not os.access(there, os.R_OK | os.W_OK | os.X_OK):
            raise Unauthorized(f"{there} is not a folder that we may write")
        if not write:
            return (f"{folder} is there" if there == folder else f"{folder} will be made in {there}",)
        with _troubles(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _temporary(folder / "check", b"").unlink()
        return (f"{folder} can be written",)

    def find(self, place: Place, marker: str, title: str) -> Observation | None:
        """The newest page of this incident. Raises `TitleTaken` when another's file has the name that the title gives."""
        folder = self._folder(place)
        if not folder.is_dir():
            return None
        found = self._newest(folder, marker)
        if found:
            return self._observed(folder, found)
        name = file_name(title or marker)
        if (folder / name).exists():
            raise TitleTaken(f"{name} is there already and is not the page of {marker}")
        return None

    def create(self, place: Place, doc: Doc, marker: str) -> Outcome:
        """A new file named after the title. It never replaces one."""
        folder = self._folder(place)
        name = file_name(doc.title or marker)
        values = {"incident": marker, **_properties(doc)} if marker else _properties(doc)
        text = splice(parse_page(""), _one_line(doc.title) or marker, values, doc.blocks)
        try:
            with _troubles(folder / name):
                folder.mkdir(parents=True, exist_ok=True)
                _link_new(folder / name, text.encode())
            return Done(name, self._observed(folder, folder / name))
        except FileExistsError:
            return Rejected(TitleTaken(f"{name} is there already"))
        except ProviderError as error:
            return Rejected(error)

    def reread(self, place: Place, native_id: str, lost: Collection[str]) -> Observation:
        return self.read(place, native_id)

    def read(self, place: Place, native_id: str) -> Observation:
        """The page now, under its new name when somebody renamed it."""
        folder = self._folder(place)
        if not folder.is_dir():
            raise Unreachable(f"the folder {folder} is not there")
        path = _inside(folder, native_id)
        if not path.is_file():
            path = self._renamed(folder, path)
        with _troubles(path):
            stat = path.stat()
        if not stat.st_size and self._now() - stat.st_mtime < _SAVING:
            raise Unreachable(f"{native_id} is being saved")
        return self._observed(folder, path)

    def write(self, place: Place, seen: Observation, target: Doc, note: str, *, over_draft: bool = False) -> Outcome:
        """The changed lines only; nothing at all when nothing changed. `note` has no place in a file."""
        folder = self._folder(place)
        try:
            path = _inside(folder, seen.native_id)
            page = self._page_as_seen(path, seen)
            if page is None:
                return Stale(f"{seen.native_id} was changed or renamed since it was read")
            title = _one_line(target.title) if target.title != seen.doc.title else None
            text = splice(page, title or None, _properties(target), target.blocks)
            if text == page.text:
                return Done(seen.native_id, seen)
            if not _swapped(path, seen.version, text.encode()):
                return Stale(f"{seen.native_id} was changed while it was being written")
            return Done(seen.native_id, self._observed(folder, path))
        except Missing as error:
            return Stale(str(error))
        except ProviderError as error:
            return Rejected(error)

    def attach(self, place: Place, native_id: str, name: str, data: bytes) -> Outcome:
        """A file in `attachments/`, beside the pages."""
        try:
            path = _inside(self._folder(place), BESIDE + name)
            with _troubles(path):
                path.parent.mkdir(exist_ok=True)
                if not path.exists():
                    _temporary(path, data).replace(path)
                    _sync(path.parent)
        except ProviderError as error:
            return Rejected(error)
        return Done(native_id)

    def page_id(self, place: Place, link: str) -> str:
        """A file in the folder, by its path (absolute, from here, or from the folder itself) or as a `file:` link."""
        parts, folder = urlsplit(link.strip()), self._folder(place)
        if parts.scheme not in ("", "file"):
            return ""
        path = Path(unquote(parts.path) if parts.scheme else link.strip())
        for candidate in (path.absolute().resolve(), (folder / path).resolve()):
            if candidate.is_file() and candidate.is_relative_to(folder):
                return candidate.relative_to(folder).as_posix()
        return ""

    def versions(self, place: Place, native_ids: Sequence[str]) -> Mapping[str, Change]:
        """A hash of each file; None for one that is gone or renamed. Files are read only when their time or size changed."""
        folder = self._folder(place)
        if not folder.is_dir():
            raise Unreachable(f"the folder {folder} is not there")
        return {native_id: Change(native_id, self._version(folder, native_id)) for native_id in native_ids}

    def messages(self, place: Place, native_id: str) -> Sequence[str]:
        return ()

    def project(self, doc: Doc) -> Doc:
        """What a Markdown page can say of it."""
        return Doc(_one_line(doc.title), project(doc.blocks), tuple(_properties(doc).items()))

    def people(self) -> Sequence[Person]:
        """Nobody: a folder knows no accounts."""
        return ()

    # --- files and what they say

    def _folder(self, place: Place) -> Path:
        return (self._root / place.options.get("path", ".")).resolve()

    def _observed(self, folder: Path, path: Path) -> Observation:
        with _troubles(path):
            content, changed = path.read_bytes(), path.stat().st_mtime
        page = _parsed(path, content)
        marker = page.properties.get("incident", "")
        self._markers[path] = marker
        values = tuple((name, page.properties[name]) for name in PROPERTIES if name in page.properties)
        return Observation(
            native_id=path.relative_to(folder).as_posix(),
            url=path.as_uri(),
            version=_version(content),
            doc=Doc(page.title or path.stem, page.blocks, values),
            marker=marker,
            edited_at=datetime.fromtimestamp(changed, UTC),
            payload=page,
        )

    def _page_as_seen(self, path: Path, seen: Observation) -> MarkdownPage | None:
        """The page that was seen, None when the file is another by now."""
        if not path.is_file():
            return None
        with _troubles(path):
            content = path.read_bytes()
        return _parsed(path, content) if _version(content) == seen.version else None

    def _look(self, path: Path) -> _Look:
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._looks.get(path)
        if not known or known.stamp != stamp:
            content = path.read_bytes()
            known = self._looks[path] = _Look(stamp, _version(content), _marker(content))
        return known

    def _version(self, folder: Path, native_id: str) -> str | None:
        try:
            path = _inside(folder, native_id)
            with _troubles(path):
                return self._look(path).version
        except Missing:
            return None

    def _newest(self, folder: Path, marker: str) -> Path | None:
        """The file changed last of those whose front matter names this incident."""
        with _troubles(folder):
            ours = [path for path in _pages(folder) if marker and self._look(path).marker == marker]
            return max(ours, key=lambda path: path.stat().st_mtime_ns, default=None)

    def _renamed(self, folder: Path, path: Path) -> Path:
        # a process that never read the page knows its incident only from the name that we gave the file
        marker = self._markers.get(path) or path.stem.split(" ")[0]
        found = self._newest(folder, marker)
        if not found:
            raise Missing(f"{path.name} is not in {folder}", "not_found")
        return found


def file_name(title: str) -> str:
    """A file name for a title: `INC-12 Checkout returns 502.md`. What file systems forbid becomes a dash; long ones end at a
    word."""
    name = " ".join(_FORBIDDEN.sub("-", " ".join(title.split())).split()).strip(". ")
    limit = _NAME_BYTES - len(".md")
    if len(name.encode()) > limit:
        cut = name.encode()[: limit + 1].decode(errors="ignore")
        name = cut.rpartition(" ")[0] or cut.encode()[:limit].decode(errors="ignore")
    return (name.rstrip(". ") or "Untitled") + ".md"


def _one_line(title: str) -> str:
    return " ".join(title.split())


def _properties(doc: Doc) -> dict[str, str]:
    return {name: value for name in PROPERTIES if (value := doc.property(name)) is not None}


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _marker(content: bytes) -> str:
    """The incident in the front matter; empty where it cannot be read."""
    try:
        return split_front_matter(content.decode())[0].values.get("incident", "")
    except (UnicodeDecodeError, FrontMatterError):
        return ""


def _parsed(path: Path, content: bytes) -> MarkdownPage:
    try:
        return parse_page(content.decode())
    except UnicodeDecodeError as error:
        raise Refused(f"{path.name} is not UTF-8 text (byte {error.start}); it is left alone until it is") from error
    except FrontMatterError as error:
        raise Refused(f"{path.name}: {error}; it is left alone until it can be read") from error


def _inside(folder: Path, native_id: str) -> Path:
    """The file of a page, its links followed. Raises `Refused` for one outside of the folder, `Missing` for hidden ones."""
    path = (folder / native_id).resolve()
    if not path.is_relative_to(folder) or path == folder:
        raise Refused(f"{native_id} leads out of {folder}")
    if any(part.startswith(".") for part in path.relative_to(folder).parts):
        raise Missing(f"{native_id} is in a hidden folder", "trashed")
    return path


def _pages(folder: Path) -> Iterator[Path]:
    """The Markdown files of a folder; hidden ones, and links that lead out of it, are none."""
    for path in sorted(folder.glob("*.md")):
        if not path.name.startswith(".") and path.is_file() and path.resolve().is_relative_to(folder):
            yield path


@contextmanager
def _troubles(path: Path) -> Iterator[None]:
    """The file system's errors in the words of the contract; that a file exists already is the caller's to say."""
    try:
        yield
    except FileExistsError:
        raise
    except FileNotFoundError as error:
        raise Missing(f"{path.name} is not in {path.parent}", "not_found") from error
    except PermissionError as error:
        raise Unauthorized(f"{path}: permission denied") from error
    except OSError as error:
        raise Unreachable(f"{path}: {error.strerror or error}") from error


# --- writing in one step ----------------------------------------------------------------------------------------------


def _temporary(path: Path, content: bytes) -> Path:
    """A hidden file beside the page, its content safe on the disk. One left behind by a crash is replaced."""
    temporary = path.with_name(f".syncd-{_version(path.name.encode())}.tmp")
    temporary.unlink(missing_ok=True)
    with temporary.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def _link_new(path: Path, content: bytes) -> None:
    """Raises `FileExistsError` and leaves the file alone if there is one."""
    temporary = _temporary(path, content)
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP):
            raise
        with path.open("xb") as file:  # memory cards and network shares have no links
            file.write(content)
    finally:
        temporary.unlink()
    _sync(path.parent)


def _swapped(path: Path, version: str, content: bytes) -> bool:
    """Whether the file was still the one with this version and now has the new content, under its old permissions."""
    with _troubles(path):
        temporary = _temporary(path, content)
        try:
            temporary.chmod(path.stat().st_mode & 0o7777)
            if _version(path.read_bytes()) != version:
                return False
            temporary.replace(path)
            _sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
    return True


def _sync(folder: Path) -> None:
    """The folder's entries are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
