"""The human side beside the blocks: properties, pages, databases, sharing, comments and people, as in Notion's own app.

What people do with blocks is `notion_editor.py`.
"""

from providers.sandbox import notion_text as text
from providers.sandbox.notion_check import Json
from providers.sandbox.notion_comments import CommentEndpoints
from providers.sandbox.notion_editor import ADA, Editor, act
from providers.sandbox.notion_properties import Property, Schema, read_values, written_by_hand
from providers.sandbox.notion_tree import PAGE, Node, Tree


class People(Editor):
    """The app of one workspace. Every method names the person's account by e-mail; KeyError when nobody has it."""

    def __init__(self, tree: Tree, comments: CommentEndpoints) -> None:
        super().__init__(tree)
        self._comments = comments

    # --- people ---

    def add_person(self, name: str, email: str, *, guest: bool = False) -> str:
        """Somebody joins; a guest can be asked for by id and is in no list. Returns the user id."""
        person: Json = {"object": "user", "id": self._tree.new_id(), "name": name, "avatar_url": None}
        self._tree.users[person["id"]] = {**person, "type": "person", "person": {"email": email}}
        if guest:
            self._tree.guests.add(person["id"])
        return str(person["id"])

    def rename_person(self, email: str, name: str) -> None:
        """Somebody is called otherwise from now on; mentions show it, no page's time moves."""
        user = self._person(email)
        self._tree.users[user] = {**self._tree.users[user], "name": name}

    # --- pages ---

    @act
    def ui_set_property(self, page_id: str, name: str, value: object, account_email: str = ADA) -> None:
        """Sets a property: text, an option's name, a list of names or e-mails, a number, true or false, a day, or None."""
        page = self._open(page_id)
        schema = self._tree.schema_of(page)
        prop = _found(schema, name)
        if prop.type == "people" and isinstance(value, list):
            value = [{"id": self._person(email)} for email in value]
        page.values.update(read_values(schema, {name: written_by_hand(prop, value)}, "properties"))
        self._edited(page, account_email)

    @act
    def ui_rename(self, page_id: str, title: str, account_email: str = ADA) -> None:
        """Gives a page another title."""
        page = self._open(page_id)
        page.values["title"] = text.plain(title)
        self._edited(page, account_email)

    def ui_lock(self, page_id: str, locked: bool = True) -> None:
        """Locks a page against people; the API may go on writing."""
        page = self._tree.nodes[page_id]
        page.payload = {**page.payload, "is_locked": locked}

    @act
    def ui_move_page(self, page_id: str, parent_id: str, account_email: str = ADA) -> None:
        """Moves a page below another page or into a data source; its id stays, properties of the old place go."""
        page = self._tree.nodes[page_id]
        self._place(page, self._tree.nodes[parent_id], next(reversed(self._tree.nodes[parent_id].children), None))
        self._edited(page, account_email)

    @act
    def ui_duplicate_page(self, page_id: str, account_email: str = ADA) -> str:
        """A second page beside the first with the same content and properties; all ids are new. Returns the page's."""
        page = self._tree.nodes[page_id]
        copy = self._copied(page, page.parent or "", self._person(account_email))
        copy.values["title"] = text.plain(f"{self._tree.title(page)} (1)")
        self._edited(copy, account_email)
        return copy.id

    def trash(self, page_id: str, account_email: str = ADA) -> None:
        """Puts a page, with all below it, into the trash."""
        self._set_trash(page_id, True, account_email)

    def restore(self, page_id: str, account_email: str = ADA) -> None:
        """Takes a page out of the trash."""
        self._set_trash(page_id, False, account_email)

    def _set_trash(self, page_id: str, in_trash: bool, account_email: str) -> None:
        page = self._tree.nodes[page_id]
        page.in_trash = in_trash
        self._edited(page, account_email)
        parent = self._tree.nodes[page.parent] if page.parent is not None else None
        if parent is not None and parent.kind == PAGE:
            self._edited(parent, account_email)

    # --- databases ---

    def ui_add_property(self, source_id: str, name: str, kind: str, account_email: str = ADA) -> None:
        """A new column."""
        source = self._tree.nodes[source_id]
        self._tree.schema_of_source(source).add(name, kind)
        self._tree.touch(source, self._person(account_email))

    def ui_rename_property(self, source_id: str, name: str, new: str, account_email: str = ADA) -> None:
        """Gives a column another name; its id and values stay."""
        source, prop = self._column(source_id, name)
        prop.name = new
        self._tree.touch(source, self._person(account_email))

    def ui_remove_property(self, source_id: str, name: str, account_email: str = ADA) -> None:
        """Deletes a column with its values."""
        source, prop = self._column(source_id, name)
        if source.schema is not None:
            del source.schema.properties[prop.id]
        self._tree.touch(source, self._person(account_email))

    def ui_rename_option(self, source_id: str, name: str, option: str, new: str, account_email: str = ADA) -> None:
        """Gives an option of a select or status another name; pages that have it show the new one."""
        source, prop = self._column(source_id, name)
        prop.options = [{**known, "name": new} if known["name"] == option else known for known in prop.options]
        self._tree.touch(source, self._person(account_email))

    def _column(self, source_id: str, name: str) -> tuple[Node, Property]:
        source = self._tree.nodes[source_id]
        return source, _found(self._tree.schema_of_source(source), name)

    # --- sharing ---

    def share(self, identifier: str, reader: str = "") -> None:
        """Lets connections see an object and what is below it again; `reader` is one connection's user id, empty is all."""
        self._tree.hidden.setdefault(reader, {})[identifier] = False

    def unshare(self, identifier: str, reader: str = "") -> None:
        """Hides an object and everything below it from all connections, or from one."""
        self._tree.hidden.setdefault(reader, {})[identifier] = True

    # --- comments ---

    def ui_comment(self, target_id: str, text_: str, account_email: str = ADA) -> str:
        """Comments on a page or block; returns the discussion's id."""
        thread = self._comments.thread_on(self._tree.nodes[target_id])
        self._comments.add(thread, text.plain(text_), self._person(account_email))
        return thread.id

    def ui_resolve(self, discussion_id: str) -> None:
        """Closes a thread."""
        self._comments.resolve(discussion_id)


def _found(schema: Schema, name: str) -> Property:
    prop = schema.find(name)
    if prop is None:
        raise KeyError(name)
    return prop
