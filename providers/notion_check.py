"""What `doctor` says of Notion, step by step: who we are, what is there, and, with a test page, what we may do.

A refused step names the capability that the connection lacks. The test page ends in the trash whatever happens.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from mapping.notion_text import Json
from providers import notion_place as places
from providers.contract import Missing, ProviderError, Refused, Unauthorized
from providers.notion_columns import Columns, types_of
from providers.notion_place import Parent
from providers.notion_wire import Wire, error_of, provider_error
from providers.transport import NoAnswer

TEST_TITLE = "Write check, safe to delete"
_SETTINGS = "in the connection's settings at https://www.notion.so/profile/integrations"
READ, INSERT, UPDATE = "Read content", "Insert content", "Update content"
COMMENT, USERS = "Insert comments", "Read user information including email addresses"


def identity(wire: Wire) -> str:
    """Whose token it is."""
    me = wire.read("users/me")
    workspace = (me.get("bot") or {}).get("workspace_name") or "a workspace"
    return f"connected to {workspace} as {me.get('name') or 'a connection'}"


def people(wire: Wire) -> str:
    """Whether people can be told by e-mail, without which mentions need `[people]`."""
    try:
        users = list(wire.read_list("users"))
    except Unauthorized:
        return f"people cannot be listed: the capability “{USERS}” is off, so only those under [people] are mentioned"
    persons = [user for user in users if user.get("type") == "person"]
    known = [user for user in persons if (user.get("person") or {}).get("email")]
    if persons and not known:
        return f"people have no e-mail here: the capability “{USERS}” is off, so only those under [people] are mentioned"
    return f"{len(known)} people can be mentioned"


def data_source(columns: Columns, parent: Parent, schema: dict[str, Json]) -> Iterator[str]:
    """What of a data source carries what, and why not."""
    found = columns.found(schema)
    yield f"data source {parent.id} is readable"
    for carrier in columns.wanted:
        what, title = carrier.replace(":", " "), columns.title(carrier)
        if carrier in found:
            yield f"property {found[carrier]} carries the {what}"
            yield from columns.complaints(carrier, schema[found[carrier]])
        elif title in schema:
            needs = " or ".join(sorted(types_of(carrier))).replace("_", " ")
            yield f"property {title} cannot carry the {what}: it is of type {schema[title]['type']}, needed is {needs}"
        else:
            later = f"; {title} is made with the next page" if columns.may_create else ""
            yield f"no property carries the {what}{later}"


def plain_page(wire: Wire, parent: Parent) -> str:
    """Whether the page is there below which new ones are made."""
    page = wire.read(f"pages/{parent.id}")
    if page.get("in_trash"):
        raise Missing(f"page {parent.id} is in the trash", "trashed")
    return f"page {places.title_of(page) or parent.id} is readable"


@dataclass
class WriteCheck:
    """One test page: made, edited, commented on, read, and moved to the trash, each step said as it is done."""

    wire: Wire
    parent: Parent
    title_property: str
    page: str = ""
    block: str = field(default="", init=False)

    def steps(self) -> Iterator[str]:
        """The sentences. Raises the first ProviderError, after the page was taken away again."""
        try:
            yield self._make()
            yield self._edit()
            yield self._comment()
            yield self._read()
        except ProviderError as error:
            raise self._tidied(error) from error
        yield self._trash()

    def _make(self) -> str:
        title = {self.title_property: {"title": places.text_items(TEST_TITLE)}}
        paragraph = {"type": "paragraph", "paragraph": {"rich_text": places.text_items("Made to see whether it works.")}}
        body = {"parent": self.parent.as_json, "properties": title, "children": [paragraph]}
        self.page = str(self._send("making a page", INSERT, "POST", "pages", body)["id"])
        return "a test page was made"

    def _edit(self) -> str:
        """Looks for the block first: without the capability to read there is none to be found."""
        try:
            blocks = list(self.wire.read_list(f"blocks/{self.page}/children"))
        except Unauthorized as error:
            raise _lacks("reading the test page", READ) from error
        self.block = str(blocks[0]["id"])
        text = {"paragraph": {"rich_text": places.text_items("Edited to see whether it works.")}}
        self._send("editing a block", UPDATE, "PATCH", f"blocks/{self.block}", text)
        return "its text was edited"

    def _comment(self) -> str:
        """Comments are not needed, so a missing capability is only said."""
        body = {"parent": {"page_id": self.page}, "rich_text": places.text_items("A test comment.")}
        try:
            self._send("commenting", COMMENT, "POST", "comments", body)
        except Unauthorized:
            return f"it cannot be commented on: the capability “{COMMENT}” is off; syncd does without"
        return "it was commented on"

    def _read(self) -> str:
        block = self.wire.read(f"blocks/{self.block}")
        said = "".join(item["plain_text"] for item in block["paragraph"]["rich_text"])
        if not said.startswith("Edited"):
            raise Refused(f"the test page {self.page} reads “{said}”, which is not what was written")
        return "it reads as it was written"

    def _trash(self) -> str:
        self._send("moving the test page to the trash", UPDATE, "PATCH", f"pages/{self.page}", {"in_trash": True})
        return "it was moved to the trash; nothing else was touched"

    def _tidied(self, failed: ProviderError) -> ProviderError:
        """What went wrong, after the page is in the trash; where even that is refused, the page is named and stays."""
        try:
            if self.page:
                self._trash()
        except ProviderError:
            return Unauthorized(f"{failed}; the page “{TEST_TITLE}” could not be moved to the trash: remove it by hand")
        return failed

    def _send(self, doing: str, capability: str, method: str, path: str, body: Json) -> Json:
        try:
            answer = self.wire.send(method, path, body)
        except NoAnswer as nothing:
            raise provider_error(nothing) from nothing
        if answer.ok:
            found: Json = answer.body
            return found
        if answer.status == 403:
            raise _lacks(doing, capability)
        raise provider_error(error_of(answer))


def _lacks(doing: str, capability: str) -> Unauthorized:
    return Unauthorized(f"{doing} was refused: switch on the capability “{capability}” {_SETTINGS}")
