"""What can go wrong for the person at the command line, and how the process ends then.

    SyncdError                    never raised as such
    ├── Misuse               2    the command cannot mean this
    │   └── UnknownReference 2    no incident, follow-up, template or destination of this name
    ├── ConfigError          2    the configuration or a template file is wrong; every problem is listed at once
    │   └── WrongFields      2    what was typed into a form, or sent as a record, cannot be one; told by field
    ├── ChangedMeanwhile     2    what was to be changed is not any more as it was read; nothing was changed
    ├── KeptElsewhere        2    the file is not ours to write; the change to make is shown instead
    ├── StoreError           2    the database cannot be used: newer than we are, unreadable, or in use
    │   └── Late             2    another process took the page up meanwhile; nothing was changed
    ├── Forbidden            2    this viewer's role may not do that
    ├── RefusedByGate        1    the answer is no
    ├── ProviderDown         3    a service cannot be reached, so nothing is known
    └── NeedsPerson          4    halted until a person has looked

Trouble with a service while it is being talked to is `providers/contract.py`'s `ProviderError`; the engine turns it into
the state of a page, and only a command that waits for an answer turns it into one of these.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar


class SyncdError(Exception):
    """One sentence for a person (`str()`), the next command to type (`hint`, may be empty) and the exit code."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Misuse(SyncdError):
    """The command or request cannot mean what it says."""


class UnknownReference(Misuse):
    """Nothing of this kind has this name; the nearest known name is offered."""

    def __init__(self, kind: str, name: str, known: Iterable[str] = (), hint: str = "") -> None:
        nearest = difflib.get_close_matches(name, list(known), n=1)
        meant = f", did you mean '{nearest[0]}'?" if nearest else "."
        super().__init__(f"There is no {kind} '{name}'{meant}", hint)
        self.name = name


class ConfigError(SyncdError):
    """`problems` holds one line each: file, key and reason."""

    def __init__(self, problems: Sequence[str], hint: str = "syncd doctor") -> None:
        super().__init__("\n".join(problems), hint)
        self.problems = tuple(problems)


class WrongFields(ConfigError):
    """`fields` says what is wrong by key, such as `sections[2].heading`."""

    def __init__(self, fields: Mapping[str, str], hint: str = "") -> None:
        super().__init__([f"{key}: {reason}" if key else reason for key, reason in fields.items()], hint)
        self.fields = dict(fields)


class ChangedMeanwhile(SyncdError):
    """Somebody else changed it; `current` is the mark of what is there now."""

    def __init__(self, message: str, current: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.current = current


class KeptElsewhere(SyncdError):
    """`diff` is the change that was wanted, as a unified diff."""

    def __init__(self, message: str, diff: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.diff = diff


class StoreError(SyncdError):
    """The database is newer than this version, unreadable, or held by another process."""


class Late(StoreError):
    """Another process took the page up since this one decided; its decision counts."""


class Forbidden(SyncdError):
    """Whoever asks has not the role for it."""


class RefusedByGate(SyncdError):
    """The gate said no; `reasons` are its sentences."""

    exit_code = 1

    def __init__(self, message: str, reasons: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message, hint)
        self.reasons = tuple(reasons)


class ProviderDown(SyncdError):
    """A service cannot be reached; the answer is unknown."""

    exit_code = 3


class NeedsPerson(SyncdError):
    """Something is halted; the hint says how to go on."""

    exit_code = 4
