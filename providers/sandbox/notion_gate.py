"""Before any endpoint: whose token it is, what its connection may do, and how often it may ask.

Limits are off until a test or the demo sets them: per connection a budget for each window of 60 seconds, for the whole
workspace one whose waits may be longer than a minute, and a block that asking again never ends.
"""

import math
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from providers.sandbox.notion_check import Json, Refusal
from providers.sandbox.notion_tree import Tree

WINDOW = timedelta(seconds=60)
CAPABILITIES = frozenset(
    {"read_content", "update_content", "insert_content", "read_comments", "insert_comments", "read_users", "read_emails"}
)
_WORDS = {
    "public_api_request_rate_limit": "This connection sent too many requests. Please try again later.",
    "public_api_space_request_rate_limit": "This workspace sent too many requests. Please try again later.",
    "public_api_request_blocked": "Requests of this connection are blocked.",
}


class Gate:
    """The connections of one workspace, each a bot of its own, by token.

    `per_window` is what one connection may ask in a window; `closed_until` closes the workspace to all of them; `blocked`
    are connections that are refused for good.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._workspace_id = tree.new_id()
        self._bots: dict[str, str] = {}
        self._revoked: set[str] = set()
        self._may: dict[str, frozenset[str]] = {}
        self._asked: dict[str, list[datetime]] = {}
        self.per_window: int | None = None
        self.closed_until: datetime | None = None
        self.blocked: set[str] = set()

    # --- tokens ---

    def bot(self, token: str) -> str:
        """The user id of the connection with this token, which is made the first time."""
        if token not in self._bots:
            self._bots[token] = self._add_bot()
        return self._bots[token]

    def revoke(self, token: str) -> None:
        """The token is no good from now on."""
        self._revoked.add(token)

    def renew(self, token: str) -> None:
        """The token is good again."""
        self._revoked.discard(token)

    def limit(self, token: str, capabilities: Collection[str]) -> None:
        """What the connection may do, out of `CAPABILITIES`; all of it until this is called."""
        self._may[self.bot(token)] = frozenset(capabilities)

    def admit(self, header: str) -> str:
        """The caller's user id. Raises Refusal for a token that is no good and for one that asks too often."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip() or token in self._revoked:
            raise Refusal(401, "unauthorized", "API token is invalid.")
        caller = self.bot(token)
        self._count(caller)
        return caller

    def may(self, caller: str, capability: str) -> bool:
        """Whether the connection has a capability."""
        return capability in self._may.get(caller, CAPABILITIES)

    def require(self, caller: str, capability: str) -> None:
        """Refuses what the connection may not do."""
        if capability and not self.may(caller, capability):
            raise Refusal(403, "restricted_resource", "Insufficient permissions for this endpoint.")

    def shown(self, user: Json, caller: str) -> Json:
        """A user as this connection may see them: e-mail addresses are a capability of their own."""
        if user["type"] != "person" or self.may(caller, "read_emails"):
            return user
        return {**user, "person": {}}

    def _add_bot(self) -> str:
        number = len(self._bots) + 1
        name = "Sandbox" if number == 1 else f"Sandbox {number}"
        bot: Json = {"object": "user", "id": self._tree.new_id(), "name": name, "avatar_url": None}
        about: Json = {"owner": {"type": "workspace", "workspace": True}, "workspace_id": self._workspace_id}
        limits = {"max_file_upload_size_in_bytes": 5_242_880}
        about = {**about, "workspace_name": "Sandbox", "workspace_limits": limits}
        self._tree.users[bot["id"]] = {**bot, "type": "bot", "bot": about}
        return str(bot["id"])

    # --- how often ---

    def _count(self, caller: str) -> None:
        now = self._tree.clock()
        if caller in self.blocked:
            raise _limited("public_api_request_blocked", None)
        if self.closed_until is not None and now < self.closed_until:
            raise _limited("public_api_space_request_rate_limit", self.closed_until - now)
        if self.per_window is None:
            return
        asked = [at for at in self._asked.get(caller, []) if now - at < WINDOW]
        self._asked[caller] = asked
        if len(asked) >= self.per_window:
            raise _limited("public_api_request_rate_limit", asked[0] + WINDOW - now)
        asked.append(now)


def _limited(reason: str, wait: timedelta | None) -> Refusal:
    """429; the waiting time stands in the header and in the body."""
    told: dict[str, Any] = {"rate_limit_reason": reason}
    if wait is not None:
        told["retry_after"] = str(math.ceil(wait.total_seconds()))
    return Refusal(429, "rate_limited", _WORDS[reason], told)
