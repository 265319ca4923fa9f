"""Who asks: which role a route needs, what whoever asks may see, and whose name the journal gets.

Each route of the interface names one of `READS`, `WRITES` and `ADMINISTERS` among its dependencies; who asks, with which
role, is `access.py`'s, and known as `viewer.py`'s `viewer`.
"""

from typing import Annotated

from fastapi import Depends, Request

from mapping.commands import Actor
from syncd.access import Sight
from syncd.viewer import demand, viewer


async def reads() -> None:
    """The route shows something."""
    demand("read")


async def writes() -> None:
    """The route changes what people may change."""
    demand("write")


async def administers() -> None:
    """The route changes how it runs: templates, connections, brakes of everything."""
    demand("admin")


READS, WRITES, ADMINISTERS = Depends(reads), Depends(writes), Depends(administers)


async def _sight(request: Request) -> Sight:
    sight: Sight = request.app.state.sight
    return sight


async def _actor() -> Actor:
    return viewer().actor


Seen = Annotated[Sight, Depends(_sight)]
Who = Annotated[Actor, Depends(_actor)]
