"""The templates there are: the files of the user's directory above the built-in ones.

One bad file never stops the others, and an edit that breaks a file leaves its last good version in use until it is repaired.
Edits keep the comments of the file. What a template says is read by `mapping/template.py`.
"""

import os
import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import tomlkit

from mapping.template import Template, TemplateError, parse_template
from syncd.errors import ConfigError, Misuse, UnknownReference

SIZE_LIMIT = 1_000_000  # bytes of one file
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What one look at the directories gave. `broken`: files that have no good version at all, with what is wrong."""

    templates: Mapping[str, Template] = field(default_factory=dict)
    sources: Mapping[str, Path] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class TemplateLibrary:
    """All templates by id, which is a file's name without `.toml`. Empty until the first `reload`; may be read from several
    threads, since a reload replaces everything at once."""

    def __init__(self, directory: Path, builtins: Path) -> None:
        self._directory, self._builtins = directory, builtins
        self._loaded = _Loaded()

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

    def get(self, template_id: str) -> Template | None:
        """The template, None when there is none of this id. Raises ConfigError when its file was never good."""
        if template_id in self._loaded.broken:
            raise ConfigError([self._loaded.broken[template_id]], "syncd template check")
        return self._loaded.templates.get(template_id)

    def source(self, template_id: str) -> str:
        """The text of a template's file, good or not. Raises UnknownReference, or Misuse where it cannot be read."""
        path = self._loaded.sources.get(template_id)
        if path is None:
            raise UnknownReference("template", template_id, self._loaded.sources, "syncd template list")
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Misuse(f"{path} cannot be read: {error}", "syncd template check") from error

    def set_write(self, template_id: str, external: str) -> Path:
        """Write a template's post-mortems at the destination `external`, or in-house when it is empty; the file that says so
        now. A built-in template is copied to the user's directory first. Raises ConfigError when the file is broken."""
        document = self._document(template_id)
        document["write"] = "external" if external else "in-house"
        if external:
            document["destination"] = external
        return self._save(template_id, document)

    def duplicate(self, template_id: str, new: str) -> Path:
        """Copy a template into the user's directory under another id; the new file."""
        if not _ID.fullmatch(new):
            raise Misuse(f"'{new}' cannot be a template's id: letters, digits, '.', '-' and '_' only.")
        if new in self._loaded.sources:
            raise Misuse(f"There is a template '{new}' already.", f"syncd template show {new}")
        document = self._document(template_id)
        document["name"] = f"{document.get('name', template_id)} (copy)"
        return self._save(new, document)

    def _document(self, template_id: str) -> tomlkit.TOMLDocument:
        text = self.source(template_id)
        self.get(template_id)
        try:
            return tomlkit.parse(text)
        except tomlkit.exceptions.ParseError as error:
            raise ConfigError([f"{self._loaded.sources[template_id]}: {error}"], "syncd template check") from error

    def _save(self, template_id: str, document: tomlkit.TOMLDocument) -> Path:
        path, text = self._directory / f"{template_id}.toml", tomlkit.dumps(document)
        try:
            parse_template(template_id, tomllib.loads(text))
            self._directory.mkdir(parents=True, exist_ok=True)
            _replace(path, text)
        except TemplateError as error:
            raise ConfigError([f"{path}: {error}"], "syncd template check") from error
        except OSError as error:
            raise Misuse(f"{path} cannot be written: {error}.", "syncd doctor") from error
        self.reload()
        return path


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
            raise TemplateError(f"the file is over {SIZE_LIMIT // 1_000_000} MB")
        return parse_template(template_id, tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(f"not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise TemplateError(f"byte {error.start + 1} is not UTF-8") from error
    except OSError as error:
        raise TemplateError(f"cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise TemplateError("nested too deeply") from error


def _replace(path: Path, text: str) -> None:
    """Put the text in the file's place in one step, keeping its permissions."""
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
