"""The sandbox: all emulators and the site behind one port, for the demo and for tests of whole processes.

State is in memory and gone when it stops. What each service does is in its emulator; here they are put together.
"""

import random
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from providers.sandbox.confluence import ConfluenceCloud
from providers.sandbox.confluence_dc import ConfluenceDataCenter
from providers.sandbox.confluence_people import PeopledSite
from providers.sandbox.notion import NotionWorkspace
from providers.sandbox.site import Links, Site
from providers.sandbox.site_confluence import ConfluenceDesk
from providers.sandbox.site_notion import NotionDesk
from providers.sandbox.site_view import Desk
from providers.sandbox.socket_skin import Locked, SocketSkin
from providers.sandbox.wire import Clock

_CONFLUENCE, _DATA_CENTER, _NOTION = "/confluence/wiki", "/confluence-dc", "/notion"


class Sandbox:
    """A Confluence site of each edition, a Notion workspace, and a site on which people edit their pages.

    It listens from construction on and answers after `start`; port 0 takes a free one. Same `seed` and clock, same
    ids. `pages` is the directory of the site's templates. OSError when the port is taken.
    """

    def __init__(self, port: int, clock: Clock, seed: int, host: str = "127.0.0.1", *, pages: Path) -> None:
        self._skin = SocketSkin(host, port)
        root = f"http://{host}:{self._skin.address[1]}"
        self.confluence = ConfluenceCloud(clock, random.Random(seed), f"{root}{_CONFLUENCE}")
        self.notion = NotionWorkspace(clock, random.Random(seed + 1))
        self.data_center = ConfluenceDataCenter(clock, random.Random(seed + 2), f"{root}{_DATA_CENTER}")
        wiki, workspace, own_wiki = Locked(self.confluence), Locked(self.notion), Locked(self.data_center)
        cloud, server = ConfluenceDesk(self.confluence), ConfluenceDesk(self.data_center, "Confluence Data Center")
        desks: dict[str, tuple[Desk, AbstractContextManager[object]]] = {
            "confluence": (cloud, wiki.lock),
            "confluence-dc": (server, own_wiki.lock),
            "notion": (NotionDesk(self.notion), workspace.lock),
        }
        self._skin.mounts = {
            "": Site(desks, pages),
            _CONFLUENCE: Links("confluence", cloud.linked, wiki.handle),
            _DATA_CENTER: Links("confluence-dc", server.linked, own_wiki.handle),
            _NOTION: workspace,
        }
        self._root = root

    def start(self) -> None:
        """Answer requests, in threads of its own."""
        self._skin.start()

    def stop(self) -> None:
        """Stop listening and end every connection, within a second."""
        self._skin.close()

    @property
    def address(self) -> str:
        """The site's URL, without a slash at its end: http://127.0.0.1:8471."""
        return self._root

    def description(self) -> dict[str, dict[str, str]]:
        """Where each service is and the places it begins with: the first line of `syncd sandbox --json`."""
        return {
            "confluence": _wiki(self.confluence),
            "confluence_dc": _wiki(self.data_center),
            "notion": {
                "url": f"{self._root}{_NOTION}",
                "data_source": self.notion.data_source_id,
                "page": self.notion.page_id,
            },
        }


def _wiki(site: PeopledSite) -> dict[str, str]:
    return {"url": site.base_url, "space": site.spaces[site.space_id].key, "parent": site.parent_id}


def serve(port: int, announce: Callable[[dict[str, dict[str, str]]], None], *, pages: Path, host: str = "127.0.0.1") -> None:
    """Run a sandbox until SIGTERM or SIGINT; `announce` gets its description once it answers.

    For the main thread only. OSError when the port is taken.
    """
    sandbox = Sandbox(port, lambda: datetime.now(UTC), random.SystemRandom().getrandbits(64), host, pages=pages)
    over = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        over.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        sandbox.start()
        announce(sandbox.description())
        over.wait()
    finally:
        sandbox.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
