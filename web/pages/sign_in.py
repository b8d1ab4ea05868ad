"""Signing in with a key. The browser keeps it in a cookie that no script reads and no other site sends."""

from html import escape
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from web.keys import Holder, KeyRing
from web.pages.head import head

COOKIE = "ringeliste_key"
LONGEST_KEY = 200

_WHY = {
    "key": "That key is not valid. It begins with rl_ and is shown only once: when it is made.",
    "role": "The floor is for managers. Sign in with a manager's key.",
}


def routes(keys: KeyRing) -> APIRouter:
    """/sign-in and /sign-out."""
    router = APIRouter(include_in_schema=False)

    @router.get("/sign-in")
    async def ask(why: str = "") -> HTMLResponse:
        """The form; `why` names what was wrong the last time."""
        return _form(why)

    @router.post("/sign-in")
    async def sign_in(request: Request, key: Annotated[str, Form()] = "") -> Response:
        """Take the key, or ask again."""
        return await enter(request, keys, key)

    @router.post("/sign-out")
    async def sign_out() -> Response:
        """Forget the key."""
        answer = RedirectResponse("/sign-in", 303)
        answer.delete_cookie(COOKIE)
        return answer

    return router


async def enter(request: Request, keys: KeyRing, key: str) -> Response:
    """To the floor with a good key in the browser's keeping; back to the form with a bad one."""
    key = key.strip()
    if len(key) > LONGEST_KEY or await run_in_threadpool(keys.holder, key) is None:
        return RedirectResponse("/sign-in?why=key", 303)
    answer = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, key, httponly=True, samesite="strict", secure=secure)
    return answer


def key_of(request: Request) -> str:
    """The key that the browser keeps; empty without one."""
    return request.cookies.get(COOKIE, "")


async def holder_of(request: Request, keys: KeyRing) -> Holder | None:
    """Whose key the browser keeps, if it is good."""
    key = key_of(request)
    return await run_in_threadpool(keys.holder, key) if key else None


def _form(why: str) -> HTMLResponse:
    page = (files("web") / "static" / "sign-in.html").read_text(encoding="utf-8")
    said = f'<p class="wrong" role="alert">{escape(_WHY[why])}</p>' if why in _WHY else ""
    return HTMLResponse(
        page.replace("<!--head-->", head()).replace("<!--why-->", said), headers={"cache-control": "no-store"}
    )
