"""Who is asking: a bearer key, looked up once and believed for two seconds.

The key alone says the CRM, the role and the person; nothing in a request can name another.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Annotated, Any, Literal, cast

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import text
from starlette.concurrency import run_in_threadpool
from structlog.contextvars import bind_contextvars

from calling import register
from wiring.app import App

Role = Literal["manager", "seller", "dialer"]

BELIEVED_SECONDS = 2.0
"""Wall time for which a key that was good is not looked up again: a revoked one works no longer."""

_MOST_KEPT = 10_000
_ABOUT = text("""
    select k.label, c.name as crm, c.region, o.name as owner
      from api_key k join crm c on c.id = k.crm_id join data_owner o on o.id = c.owner_id
     where k.id = :key_id
""")

_scheme = HTTPBearer(auto_error=False, description="A key of a manager, a seller or a dialer: `rl_…`")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)]


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose key it is, and what it may do."""

    key_id: int
    role: Role
    crm_id: int
    seller_id: int | None
    dialer_id: int | None
    label: str
    crm: str
    region: str
    owner: str

    @property
    def author(self) -> str:
        """How this holder signs pauses, rules and suppressions."""
        return self.label or f"{self.role} key {self.key_id}"


class KeyRing:
    """The keys that were good a moment ago."""

    def __init__(self, app: App, *, ticking: Callable[[], float] = monotonic) -> None:
        self._app, self._ticking, self._lock = app, ticking, Lock()
        self._known: dict[bytes, tuple[Holder, float]] = {}

    def remembered(self, key: str) -> Holder | None:
        """Its holder if it was good within the last two seconds; asks nobody."""
        found = self._known.get(_digest(key))
        return found[0] if found and found[1] > self._ticking() else None

    def holder(self, key: str) -> Holder | None:
        """Its holder, or None: unknown or revoked. Raises Unavailable."""
        if known := self.remembered(key):
            return known
        begun = self._ticking()
        found = self._look_up(key)
        with self._lock:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known.pop(_digest(key), None)
            if found:
                self._known[_digest(key)] = (found, begun + BELIEVED_SECONDS)
        return found

    def _look_up(self, key: str) -> Holder | None:
        with self._app.shared() as session:
            row = register.holder_of(session, key)
            if row is None:
                return None
            about = session.execute(_ABOUT, {"key_id": row.id}).one()
        return Holder(
            row.id, cast("Role", row.role), row.crm_id, row.seller_id, row.dialer_id,
            about.label, about.crm, about.region, about.owner,
        )  # fmt: skip


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


async def _holder(request: Request, credentials: Credentials) -> Holder:
    """The holder of the request's key, or 401."""
    keys: KeyRing = request.app.state.keys
    token = credentials.credentials if credentials else ""
    known = keys.remembered(token) or await run_in_threadpool(keys.holder, token)
    if known is None:
        challenge = {"WWW-Authenticate": 'Bearer realm="ringeliste"'}
        raise HTTPException(401, "give a valid key: `Authorization: Bearer rl_…`", headers=challenge)
    bind_contextvars(crm=known.crm_id, key=known.key_id)
    return known


async def gone(request: Request) -> bool:
    """Whether who asked for this has hung up, or their key was revoked: asked by what takes long."""
    if await request.is_disconnected():
        return True
    keys: KeyRing = request.app.state.keys
    token = request.headers.get("authorization", "").partition(" ")[2].strip()
    return keys.remembered(token) is None and await run_in_threadpool(keys.holder, token) is None


def allow(*roles: Role) -> Any:
    """A parameter of an endpoint: the holder of a key of one of these roles; others get 403."""

    async def allowed(holder: Annotated[Holder, Depends(_holder)]) -> Holder:
        if holder.role not in roles:
            wanted = " or ".join(roles)
            raise HTTPException(403, f"a key of a {holder.role} may not do this; it takes one of a {wanted}")
        return holder

    check: Callable[..., Awaitable[Holder]] = allowed
    return Depends(check)


Anybody = Annotated[Holder, allow("manager", "seller", "dialer")]
Manager = Annotated[Holder, allow("manager")]
OnTheFloor = Annotated[Holder, allow("manager", "seller")]
SellerOnly = Annotated[Holder, allow("seller")]
Caller = Annotated[Holder, allow("seller", "dialer")]
Reporter = Annotated[Holder, allow("manager", "dialer")]
