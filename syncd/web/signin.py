"""Signing in with the token, where one is demanded."""

from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from syncd.access import COOKIE, Access
from syncd.web.site import Site

SESSION_SECONDS = 30 * 24 * 3600


def mount(web: FastAPI, site: Site, access: Access) -> None:
    """Adds `/signin`."""

    @web.get("/signin", include_in_schema=False)
    def form() -> Response:
        return site.render("signin.html", {"wrong": False})

    @web.post("/signin", include_in_schema=False)
    def signin(request: Request, token: Annotated[str, Form()] = "") -> Response:
        if not access.right_token(token.strip()):
            return site.render("signin.html", {"wrong": True}, 401)
        answer = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, access.cookie, SESSION_SECONDS, httponly=True, samesite="strict", secure=secure)
        return answer
