"""Who is who in one workspace: accounts from the configuration first, then what the service tells of its users."""

from collections.abc import Iterable, Mapping

from mapping.incident import Person
from mapping.notion_blocks import NativeBlock, text_arrays, walk
from mapping.notion_text import Accounts, Json, dashed, users
from providers.contract import Refused, Unauthorized
from providers.notion_wire import Wire


class Directory:
    """The users known so far; asks the service once, and learns from every mention that is read."""

    def __init__(self, configured: Mapping[str, str]) -> None:
        """`configured` is the user id by e-mail; its ids win over what the service says."""
        self._configured = {email.lower(): _user_id(email, user) for email, user in configured.items()}
        self._names: dict[str, str] = {}
        self._emails: dict[str, str] = {}  # by user id, as the service says
        self._asked = False
        self.accounts = Accounts(self._configured, {})

    def load(self, wire: Wire) -> None:
        """Ask for all users, the first time; a token that may not list them leaves only what is learned elsewhere."""
        if self._asked:
            return
        try:
            self._note(list(wire.read_list("users")))
        except Unauthorized:
            self._note(())
        self._asked = True

    def learn(self, tree: Iterable[NativeBlock]) -> None:
        """Take in the people whom a page mentions."""
        self._note([user for node in walk(tree) for items in text_arrays(node) for user in users(items)])

    def people(self) -> list[Person]:
        """Everybody with a known e-mail."""
        accounts = self.accounts
        return [Person(accounts.names.get(user, ""), email) for user, email in accounts.emails.items()]

    def name(self, user: str) -> str:
        """How the service calls a user; empty when it did not say."""
        return self._names.get(user, "")

    def _note(self, found: Iterable[Json]) -> None:
        for user in found:
            if user.get("name"):
                self._names[user["id"]] = user["name"]
            email = (user.get("person") or {}).get("email")
            if email:
                self._emails[user["id"]] = email.lower()
        told = {email: user for user, email in self._emails.items() if email not in self._configured}
        self.accounts = Accounts({**self._configured, **told}, dict(self._names))


def _user_id(email: str, user: str) -> str:
    found = dashed(user.strip())
    if found is None:
        raise Refused(f"the Notion account of {email} is not a user id: {user!r}")
    return found
