"""What a seller's page wants to know at once: that a customer is there, or was taken away."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from web.api.common import TheDesks
from web.api.docs import answers
from web.desks import Desks
from web.keys import SellerOnly

router = APIRouter(tags=["me"])

BEAT_SECONDS, STREAM_SECONDS = 15.0, 60.0
"""So long at most nothing is sent: proxies close what is silent. And so long a stream lasts: whoever listens
comes again by themself, and shows their key."""

_EVENTS = """A stream of server-sent events; each has a name and no data that counts:

`look`: first of all, and whenever something may have been missed; `customer_ready`: one was dealt to you, so
`POST /me/next`; `lease_taken_away`: one was taken back. A hint, never the truth: `GET /me/lease` is.

A stream lasts a minute; event sources come again by themselves."""


_STREAM = {
    "description": "The stream.",
    "content": {
        "text/event-stream": {
            "schema": {"type": "string"}, "example": "event: customer_ready\ndata: {}\n\n",
        },
    },
}  # fmt: skip


@router.get(
    "/me/news", response_class=StreamingResponse, description=_EVENTS, responses={**answers(), 200: _STREAM}
)
async def news(desks: TheDesks, holder: SellerOnly) -> StreamingResponse:
    """What happens to your customers, as it happens."""
    await desks.begun()
    return StreamingResponse(
        _told(desks, (holder.crm_id, holder.seller_id or 0)),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _told(desks: Desks, seller: tuple[int, int]) -> AsyncIterator[str]:
    with desks.told(seller) as words:
        yield _event("look")
        ends = monotonic() + STREAM_SECONDS
        while not desks.closing and monotonic() < ends:
            try:
                yield _event(await asyncio.wait_for(words.get(), BEAT_SECONDS))
            except TimeoutError:
                yield ": here\n\n"


def _event(word: str) -> str:
    return f"event: {word}\ndata: {{}}\n\n"
