"""The templates there are: the files of the user's directory above the built-in ones.

One bad file never stops the others, and an edit that breaks a file leaves its last good version in use until it is repaired.
Edits keep the comments of the file, and are refused where it changed since it was read, or where it is kept elsewhere: then
the change to make there is told as a diff. What a template says is read by `mapping/template.py`, how a file's text changes
is said in `mapping/template_file.py`, how it gets to the disk in `template_files.py`.
"""

import hashlib
import re
import threading
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mapping.template import Template, TemplateError, parse_template, problems
from mapping.template_file import FRESH, edited
from syncd.errors import ChangedMeanwhile, ConfigError, Misuse, UnknownReference, WrongFields
from syncd.template_files import diff, kept_elsewhere, mark_of, put, to_apply

SIZE_LIMIT = 1_000_000  # bytes of one file
TOO_LARGE = f"the file is over {SIZE_LIMIT // 1_000_000} MB"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What one look at the directories gave. `broken`: files that have no good version at all, with what is wrong."""

    templates: Mapping[str, Template] = field(default_factory=dict)
    sources: Mapping[str, Path] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A template's file as it is now. `mark` is the SHA-256 of its bytes; `own`: in the user's directory, not built in;
    `wrong`: what keeps it from being used."""

    id: str
    path: Path
    own: bool
    text: str
    mark: str
    template: Template | None
    wrong: str = ""


class TemplateLibrary:
    """All templates by id, which is a file's name without `.toml`. Empty until the first `reload`; may be read from several
    threads, since a reload replaces everything at once. `managed`: whether somebody else writes the directory's files, such
    as a deployment; None where that is so when they lie in a Git work tree."""

    def __init__(self, directory: Path, builtins: Path, managed: bool | None = None) -> None:
        self._directory, self._builtins, self._managed = directory, builtins, managed
        self._loaded, self._writing = _Loaded(), threading.Lock()

    def reload(self) -> list[str]:
        """Look at the files again; the problems found, each with file, key and reason."""
        files = dict(_files(self._builtins)) | dict(_files(self._directory))
        templates, broken, problems = {}, {}, []
        for template_id, path in sorted(files.items()):
            try:
                templates[template_id] = _read(template_id, path)
            except TemplateError as error:
                last = self._loaded.templates.get(template_id) if self._loaded.sources.get(template_id) == path else None
                if last:
                    templates[template_id] = last
                else:
                    broken[template_id] = f"{path}: {error}"
                problems.append(f"{path}: {error}" + ("; the last good version stays in use" if last else ""))
        self._loaded = _Loaded(templates, files, broken, tuple(problems))
        return list(problems)

    def problems(self) -> list[str]:
        """What the last look found wrong."""
        return list(self._loaded.problems)

    def all(self) -> list[Template]:
        """Every usable template, by id."""
        return list(self._loaded.templates.values())

    def ids(self) -> list[str]:
        """Every template that has a file, usable or not."""
        return sorted(self._loaded.sources)

    def get(self, template_id: str) -> Template | None:
        """The template, None when there is none of this id. Raises ConfigError when its file was never good."""
        if template_id in self._loaded.broken:
            raise ConfigError([self._loaded.broken[template_id]], "syncd template check")
        return self._loaded.templates.get(template_id)

    # --- files ----------------------------------------------------------------------------------------------------------

    def file(self, template_id: str) -> TemplateFile:
        """A template's file, good or not. Raises UnknownReference, or Misuse where it cannot be read."""
        path = self._loaded.sources.get(template_id)
        if path is None:
            raise UnknownReference("template", template_id, self._loaded.sources, "syncd template list")
        try:
            data = path.read_bytes()
            text = data.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Misuse(f"{path} cannot be read: {error}", "syncd template check") from error
        template, wrong = _understood(template_id, text)
        own = path.parent == self._directory
        return TemplateFile(template_id, path, own, text, hashlib.sha256(data).hexdigest(), template, wrong)

    def source(self, template_id: str) -> str:
        """The text of a template's file, good or not. Raises UnknownReference, or Misuse where it cannot be read."""
        return self.file(template_id).text

    def set_write(self, template_id: str, external: str) -> Path:
        """Write a template's post-mortems at the destination `external`, or in-house when it is empty; the file that says so
        now. A built-in template is copied to the user's directory first. Raises ConfigError when the file is broken."""
        file = self._good(template_id)
        more = {"write": "external" if external else "in-house"} | ({"destination": external} if external else {})
        return self._put(template_id, file, _with(file, template_id, more), by_hand=True)

    def duplicate(self, template_id: str, new: str, name: str = "", *, by_hand: bool = True) -> Path:
        """Copy a template into the user's directory under another id and name; the new file."""
        self._free(new)
        file = self._good(template_id)
        name = name or f"{file.template.name if file.template else template_id} (copy)"
        return self._put(new, None, _with(file, new, {"name": name}), by_hand=by_hand)

    def create(self, template_id: str, table: Mapping[str, Any]) -> Path:
        """A new template of the user's own; its file. Raises WrongFields, Misuse where the id is taken, KeptElsewhere."""
        self._free(template_id)
        return self._put(template_id, None, _edited(FRESH, _checked(template_id, table)))

    def save(self, template_id: str, table: Mapping[str, Any], seen: str = "") -> Path:
        """Let a template's file say this table; a built-in one is copied to the user's directory. `seen` is the mark of the
        file that was read, empty for any.

        Raises WrongFields by key, ChangedMeanwhile where the file is another one now, and KeptElsewhere with the diff where
        it is not ours to write. Nothing is written then."""
        file = self._good(template_id)
        if seen and file.mark != seen:
            raise _changed(file)
        return self._put(template_id, file, _edited(file.text, _checked(template_id, table)))

    def changes(self, template_id: str, table: Mapping[str, Any]) -> str:
        """What `save` would change in the file as it is now, as a diff; empty where it cannot be told."""
        file = self.file(template_id)
        if file.wrong or problems(table):
            return ""
        return diff(Path(file.path.name), file.text, edited(file.text, parse_template(template_id, table)))

    def delete(self, template_id: str, seen: str = "") -> Path:
        """Remove a template of the user's own; a built-in one of its name is used again. Raises as `save` does."""
        file = self.file(template_id)
        if not file.own:
            raise Misuse(f"The template {template_id} is built in and stays.", "syncd template list")
        if seen and file.mark != seen:
            raise _changed(file)
        return self._put(template_id, file, "")

    def kept_elsewhere(self) -> str:
        """Why the user's files are not written from a form, empty where they are."""
        return kept_elsewhere(self._directory, self._managed)

    def _good(self, template_id: str) -> TemplateFile:
        file = self.file(template_id)
        if file.wrong:
            raise ConfigError([f"{file.path}: {file.wrong}"], "syncd template check")
        return file

    def _free(self, new: str) -> None:
        if not _ID.fullmatch(new):
            raise Misuse(f"'{new}' cannot be a template's id: letters, digits, '.', '-' and '_' only.")
        if new in self._loaded.sources:
            raise Misuse(f"There is a template '{new}' already.", f"syncd template show {new}")

    def _put(self, template_id: str, before: TemplateFile | None, text: str, *, by_hand: bool = False) -> Path:
        """Let the user's file of this template have this text, none to remove it. Somebody at a shell (`by_hand`) writes in
        a work tree as with an editor: Git shows them what they did."""
        if len(text.encode()) > SIZE_LIMIT:
            raise WrongFields({"": TOO_LARGE})
        path = (self._directory / f"{template_id}.toml").resolve()
        old, mark = (before.text, before.mark) if before and before.own else ("", "")
        kept = "" if by_hand else kept_elsewhere(path.parent, self._managed)
        if kept:
            raise to_apply(path, kept, old, text)
        with self._writing:
            if mark_of(path) != mark:
                self.reload()
                raise _changed(self.file(template_id))
            try:
                put(path, text)
            except OSError as error:
                raise to_apply(path, f"it cannot be written: {error.strerror or error}", old, text) from error
        self.reload()
        return path


def _edited(text: str, template: Template) -> str:
    try:
        return edited(text, template)
    except TemplateError as error:
        raise WrongFields({error.where: error.reason}) from error


def _with(file: TemplateFile, template_id: str, more: Mapping[str, str]) -> str:
    """The file's text with a few keys said otherwise."""
    return _edited(file.text, parse_template(template_id, {**_table(file.text), **more}))


def _table(text: str) -> dict[str, Any]:
    return tomllib.loads(text.removeprefix("\ufeff"))


def _checked(template_id: str, table: Mapping[str, Any]) -> Template:
    wrong = {error.where: error.reason for error in problems(table)}
    if wrong:
        raise WrongFields(wrong)
    return parse_template(template_id, table)


def _understood(template_id: str, text: str) -> tuple[Template | None, str]:
    try:
        return parse_template(template_id, _table(text)), ""
    except tomllib.TOMLDecodeError as error:
        return None, f"not TOML: {error}"
    except TemplateError as error:
        return None, str(error)
    except RecursionError:
        return None, "nested too deeply"


def _changed(file: TemplateFile) -> ChangedMeanwhile:
    why = f"{file.path} was changed since it was read; nothing was written. Look at it, then save again."
    return ChangedMeanwhile(why, file.mark, f"syncd template show {file.id}")


def _files(directory: Path) -> Iterator[tuple[str, Path]]:
    """The template files of a directory; what editors leave beside them is none."""
    if not directory.is_dir():
        return
    for path in directory.iterdir():
        if path.suffix == ".toml" and not path.name.startswith("."):
            yield path.stem, path


def _read(template_id: str, path: Path) -> Template:
    try:
        if not _ID.fullmatch(template_id):
            raise TemplateError("the file's name may only hold letters, digits, '.', '-' and '_'")
        if path.stat().st_size > SIZE_LIMIT:
            raise TemplateError(TOO_LARGE)
        return parse_template(template_id, tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(f"not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise TemplateError(f"byte {error.start + 1} is not UTF-8") from error
    except OSError as error:
        raise TemplateError(f"cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise TemplateError("nested too deeply") from error
