"""Who asks: which role a route needs, what whoever asks may see, and whose name the journal gets.

Each route of the interface names one of `READS`, `WRITES` and `ADMINISTERS` among its dependencies; who has which role is
`access.py`'s.
"""

from typing import Annotated

from fastapi import Depends, HTTPException, Request

from mapping.commands import Actor
from syncd.access import Role, Sight


def _need(request: Request, role: Role) -> None:
    if role not in request.app.state.access.roles(request):
        raise HTTPException(403, f"This needs the role {role}.")


async def reads(request: Request) -> None:
    """The route shows something."""
    _need(request, "read")


async def writes(request: Request) -> None:
    """The route changes what people may change."""
    _need(request, "write")


async def administers(request: Request) -> None:
    """The route changes how it runs: templates, connections, brakes of everything."""
    _need(request, "admin")


READS, WRITES, ADMINISTERS = Depends(reads), Depends(writes), Depends(administers)


async def _sight(request: Request) -> Sight:
    sight: Sight = request.app.state.sight
    return sight


async def _actor(request: Request) -> Actor:
    return Actor("store", "API")


Seen = Annotated[Sight, Depends(_sight)]
Who = Annotated[Actor, Depends(_actor)]
