"""Writing to Notion, which has no compare-and-swap: each block is looked at again right before it is changed, nothing is
ever sent twice, and after the first byte that landed every doubt is `Unknown`.

What to write was decided in `mapping/notion_plan.py`; reading and finding pages is `notion.py`.
"""

from collections.abc import Sequence
from dataclasses import replace

from mapping.document import Block
from mapping.notion_blocks import NativeBlock, decode_block
from mapping.notion_plan import Append, Delete, Node, Patch, Step, batches
from mapping.notion_text import Accounts, Json
from providers.contract import Missing, Outcome, ProviderError, RateLimited, Rejected, Stale, Unknown
from providers.notion_wire import Wire, error_of, provider_error, said
from providers.transport import NoAnswer


class Halt(Exception):
    """The write ends here with `outcome`."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome


class Pen:
    """One write in progress: knows whether anything has landed, and so what an error means."""

    def __init__(self, wire: Wire, accounts: Accounts) -> None:
        self._wire = wire
        self._accounts = accounts
        self._wrote = False
        self._ours: set[str] = set()  # blocks that this write has just seen or made

    # --- requests ---

    def look(self, path: str) -> Json:
        """A guard's read. Raises Halt."""
        try:
            return self._wire.read(path)
        except Missing as gone:
            raise self.moved(str(gone)) from gone
        except ProviderError as error:
            raise self._failed(error) from error

    def send(self, method: str, path: str, body: Json | None = None) -> Json:
        """One writing request. Raises Halt."""
        try:
            answer = self._wire.send(method, path, body)
        except RateLimited as error:
            raise self._failed(error) from error
        except NoAnswer as nothing:
            raise self._unanswered(nothing) from nothing
        if answer.ok:
            self._wrote = True
            found: Json = answer.body
            return found
        if answer.status == 409:
            raise self.moved(f"409: {said(answer)}")
        meant = provider_error(error_of(answer))
        if isinstance(meant, RateLimited):
            self._wire.budget.pause(meant.retry_after)
        elif answer.status >= 500:
            raise Halt(Unknown(str(meant)))
        raise self._failed(meant)

    def moved(self, message: str) -> Halt:
        """The page is not what was seen."""
        return Halt(Unknown(f"the page moved during the write: {message}") if self._wrote else Stale(message))

    def _failed(self, error: ProviderError) -> Halt:
        return Halt(Unknown(f"written in part: {error}") if self._wrote else Rejected(error))

    def _unanswered(self, nothing: NoAnswer) -> Halt:
        return Halt(Unknown(str(nothing))) if nothing.sent else self._failed(provider_error(nothing))

    # --- steps ---

    def write(self, steps: Sequence[Step]) -> None:
        """Take the steps in order. Raises Halt at the first that cannot be taken."""
        for step in steps:
            if isinstance(step, Patch):
                self._patch(step)
            elif isinstance(step, Append):
                self._anchor(step)
                self.append(step.parent, step.after, step.nodes)
            else:
                self._delete(step)

    def _patch(self, step: Patch) -> None:
        self._unmoved(step.seen)
        self.send("PATCH", f"blocks/{step.native}", step.body)

    def _delete(self, step: Delete) -> None:
        raw = self._unmoved(step.seen)
        if step.seen.kind == "table":
            self._same_rows(step.seen)
        elif raw.get("has_children"):
            raise self.moved(f"somebody put something under block {step.native}")
        self.send("DELETE", f"blocks/{step.native}")

    def _unmoved(self, seen: Block) -> Json:
        """The block now. Raises Halt when it is not what was seen."""
        raw = self.look(f"blocks/{seen.native}")
        now = decode_block(NativeBlock(raw), self._accounts)
        if raw.get("in_trash") or now != replace(seen, depth=0, rows=()):
            raise self.moved(f"block {seen.native} was changed")
        self._ours.add(seen.native)
        return raw

    def _same_rows(self, table: Block) -> None:
        try:
            raw = list(self._wire.read_list(f"blocks/{table.native}/children"))
        except ProviderError as error:
            raise self._failed(error) from error
        if tuple(decode_block(NativeBlock(row), self._accounts) for row in raw) != table.rows:
            raise self.moved(f"a row of table {table.native} was changed")

    def _anchor(self, step: Append) -> None:
        """Whether the sibling or, before all siblings, the parent is still where it was."""
        native = step.after or step.parent
        if native in self._ours:
            return
        raw = self.look(f"blocks/{native}")
        above = raw.get("parent") or {}
        if raw.get("in_trash") or (step.after and above.get(above.get("type", "")) != step.parent):
            raise self.moved(f"block {native} is not where it was")
        self._ours.add(native)

    def append(self, parent: str, after: str | None, nodes: Sequence[Node]) -> None:
        """Make the blocks under `parent`: behind `after`, before all others (empty), or at the end (None). Raises Halt."""
        for batch in batches(nodes):
            body: Json = {"children": batch.children}
            if after is not None:
                body["position"] = {"type": "after_block", "after_block": {"id": after}} if after else {"type": "start"}
            # The answer names ours first, then every later sibling.
            made = [str(block["id"]) for block in self.send("PATCH", f"blocks/{parent}/children", body)["results"]]
            if len(made) < len(batch.children):
                raise Halt(Unknown(f"{len(made)} of {len(batch.children)} blocks were made"))
            for index, rest in batch.rest.items():
                self.append(made[index], None, rest)
            after = made[len(batch.children) - 1] if after is not None else None


def first_request(nodes: Sequence[Node]) -> list[Json]:
    """The children that the creating request itself can say completely; its answer names no ids to go on from."""
    for batch in batches(nodes):
        whole = min(batch.rest, default=len(batch.children))
        return batch.children[:whole]
    return []
