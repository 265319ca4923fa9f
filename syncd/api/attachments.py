"""Pictures over HTTP: the bytes are the body of the request. They are shown by `syncd/web/pictures.py`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from syncd.api import shapes
from syncd.api.caller import WRITES, Seen
from syncd.api.shapes import answers
from syncd.api.versions import Answer
from syncd.app import App
from syncd.store.attachments import too_large

BODY = {"requestBody": {"required": True, "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}}


async def body_of(request: Request) -> bytes:
    """The bytes of a request; reading ends where they are too many. Raises Misuse."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        too_large(len(data))
    return bytes(data)


def routes(router: APIRouter, app: App) -> None:
    """Adds the routes of this resource."""

    @router.post(
        "/incidents/{ref}/attachments",
        dependencies=[WRITES],
        openapi_extra=BODY,
        **answers(shapes.Picture, status=201),
    )
    def add(ref: str, sight: Seen, data: Annotated[bytes, Depends(body_of)]) -> Answer:
        """Keep a picture for prose of this incident, where `![words](url)` shows it."""
        return {"url": app.add_picture(sight.incident(ref).reference, data)}
