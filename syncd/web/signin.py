"""Signing in with a token and out again, where somebody is asked who they are."""

from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from syncd.access import SIGN_OUT, Access
from syncd.web.site import Site


def mount(web: FastAPI, site: Site, access: Access) -> None:
    """Adds `/signin` and `/signout`."""

    @web.get("/signin", include_in_schema=False)
    def form() -> Response:
        return site.render("signin.html", {"wrong": ""})

    @web.post("/signin", include_in_schema=False)
    def signin(request: Request, token: Annotated[str, Form()] = "") -> Response:
        answer = RedirectResponse("/", 303)
        refused = access.sign_in(request, answer, token.strip())
        return site.render("signin.html", {"wrong": refused.message}, refused.status) if refused else answer

    @web.post(SIGN_OUT, include_in_schema=False)
    def signout(request: Request) -> Response:
        answer = RedirectResponse("/signin", 303)
        access.sign_out(request, answer)
        return answer
