"""Writing to Notion, which has no compare-and-swap: each block is looked at again right before it is changed, nothing is
ever sent twice, and after the first byte that landed every doubt is `Unknown`.

What to write was decided in `mapping/notion_plan.py`; reading and finding pages is `notion.py`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from mapping.notion_blocks import NativeBlock, content, decode_block
from mapping.notion_copy import Node
from mapping.notion_plan import Append, Delete, Patch, Step, batches
from mapping.notion_text import Accounts, Json
from providers.contract import Missing, Outcome, ProviderError, RateLimited, Rejected, Stale, Unknown
from providers.notion_wire import Wire, error_of, provider_error, said
from providers.transport import Answer, NoAnswer


class Halt(Exception):
    """The write ends here with `outcome`."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome


Settle = Callable[[Answer | None], Json | None]
"""Asked when nobody knows whether a request was done: what it would have answered if it was, else None. Given the answer
with the service's own account of what it saved, None where there was no answer at all."""


class Pen:
    """One write in progress: knows whether anything has landed, and so what an error means."""

    def __init__(self, wire: Wire, accounts: Accounts) -> None:
        self._wire = wire
        self._accounts = accounts
        self._wrote = False
        self.doubted = False  # a request that failed was found done; the page has the last word on that
        self._ours: set[str] = set()  # blocks that this write has just seen or made

    # --- requests ---

    def look(self, path: str) -> Json:
        """A guard's read, right before the request that it guards: for both there is room in the budget, so that nothing
        but the network stands between them. Raises Halt."""
        try:
            self._wire.budget.ready(2)
            return self._wire.read(path)
        except Missing as gone:
            raise self.moved(str(gone)) from gone
        except ProviderError as error:
            raise self._failed(error) from error

    def send(self, method: str, path: str, body: Json | None = None, settle: Settle = lambda answer: None) -> Json:
        """One writing request, never sent twice. Raises Halt."""
        try:
            answer = self._wire.send(method, path, body)
        except RateLimited as error:
            raise self._failed(error) from error
        except NoAnswer as nothing:
            if not nothing.sent:
                raise self._failed(provider_error(nothing)) from nothing
            return self._settled(None, settle, str(nothing))
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
            return self._settled(answer, settle, str(meant))
        raise self._failed(meant)

    def _settled(self, answer: Answer | None, settle: Settle, why: str) -> Json:
        """What became of a request that was not answered well, by the service's own account and by looking."""
        try:
            found = settle(answer)
        except ProviderError:
            found = None
        if found is None:
            raise Halt(Unknown(why))
        self._wrote = self.doubted = True
        return found

    def moved(self, message: str) -> Halt:
        """The page is not what was seen."""
        return Halt(Unknown(f"the page moved during the write: {message}") if self._wrote else Stale(message))

    def _failed(self, error: ProviderError) -> Halt:
        return Halt(Unknown(f"written in part: {error}") if self._wrote else Rejected(error))

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
        path = f"blocks/{step.native}"

        def settle(answer: Answer | None) -> Json | None:
            raw = self._wire.read(path)
            return raw if decode_block(NativeBlock(raw), self._accounts) == step.after else None

        self._unmoved(step.seen)
        self.send("PATCH", path, step.body, settle)

    def _delete(self, step: Delete) -> None:
        """The block goes with all inside, so all of that is looked at; the block itself last."""
        path = f"blocks/{step.native}"

        def settle(answer: Answer | None) -> Json | None:
            raw = self._wire.read(path)
            return raw if raw.get("in_trash") else None

        self._same_inside(step.seen)
        raw = self._unmoved(step.seen)
        if bool(raw.get("has_children")) != bool(step.seen.raw.get("has_children")):
            raise self.moved(f"somebody put something under block {step.native}, or took it away")
        gone = self.send("DELETE", path, None, settle)
        if content(NativeBlock(gone)) != content(step.seen):  # the answer shows what went: somebody was faster than we
            self.send("PATCH", path, {"in_trash": False})
            raise self.moved(f"block {step.native} was changed while it was removed; it is back")

    def _same_inside(self, seen: NativeBlock) -> None:
        if not seen.children:
            return
        try:
            raw = list(self._wire.read_list(f"blocks/{seen.id}/children"))
        except ProviderError as error:
            raise self._failed(error) from error
        if [(child.id, content(child)) for child in seen.children] != [(b["id"], content(NativeBlock(b))) for b in raw]:
            raise self.moved(f"what is inside block {seen.id} was changed")
        for child in seen.children:
            self._same_inside(child)

    def _unmoved(self, seen: NativeBlock) -> Json:
        """The block now. Raises Halt when it is not what was seen."""
        raw = self.look(f"blocks/{seen.id}")
        if raw.get("in_trash") or content(NativeBlock(raw)) != content(seen):
            raise self.moved(f"block {seen.id} was changed")
        self._ours.add(seen.id)
        return raw

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
            made = self._made(parent, after, batch.children)
            for index, rest in batch.rest.items():
                self.append(made[index], None, rest)
            after = made[-1] if after is not None else None

    def _made(self, parent: str, after: str | None, children: list[Json]) -> list[str]:
        """The ids of the new blocks of one request."""
        body: Json = {"children": children}
        if after is not None:
            body["position"] = {"type": "after_block", "after_block": {"id": after}} if after else {"type": "start"}
        path = f"blocks/{parent}/children"

        def settle(answer: Answer | None) -> Json | None:
            ours = committed(answer, "committed_child_ids") or []
            there = [block["id"] for block in self._wire.read_list(path)] if len(ours) == len(children) else []
            return {"results": [{"id": block} for block in ours]} if [b for b in there if b in ours] == ours != [] else None

        # The answer names ours first, then every later sibling.
        made = [str(block["id"]) for block in self.send("PATCH", path, body, settle)["results"][: len(children)]]
        if len(made) < len(children):
            raise Halt(Unknown(f"{len(made)} of {len(children)} blocks were made"))
        return made


def committed(answer: Answer | None, name: str) -> Any:
    """What the service says it saved although it failed to answer; None where it does not say."""
    more = answer.body.get("additional_data") if answer and isinstance(answer.body, dict) else None
    return more.get(name) if isinstance(more, dict) else None


def first_request(nodes: Sequence[Node]) -> list[Json]:
    """The children that the creating request itself can say completely; its answer names no ids to go on from."""
    for batch in batches(nodes):
        whole = min(batch.rest, default=len(batch.children))
        return batch.children[:whole]
    return []
