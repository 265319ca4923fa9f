"""What every table of the configuration is made of."""

import difflib
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

PREFIX = "SYNCD_"
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def wrong(reason: str) -> PydanticCustomError:
    """Why a value cannot be, as the sentence that people read."""
    return PydanticCustomError("syncd", "{reason}", {"reason": reason})


def nearest(name: str, known: Sequence[str]) -> str:
    """`, did you mean 'listen'?` when a known name is near, else nothing."""
    found = difflib.get_close_matches(name, known, n=1)
    return f", did you mean '{found[0]}'?" if found else ""


def address(url: str) -> str:
    """An address without its last slash. An Atlassian site without a path is meant with its `/wiki`."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong(f"'{url}' is not an address that begins with https:// or http://")
    wiki = "/wiki" if parts.hostname.endswith(".atlassian.net") and parts.path in ("", "/") else ""
    return url.rstrip("/") + wiki


class Table(BaseModel):
    """A table of the file; a key that it does not know is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def lower_keys(value: object) -> object:
    """A table whose keys are e-mails."""
    return {str(email).lower(): accounts for email, accounts in value.items()} if isinstance(value, dict) else value
