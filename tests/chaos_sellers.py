"""`python chaos_sellers.py`: the simulated sellers of ringeliste/sellers.py, their calls noted."""

import argparse
import asyncio
import sys
from pathlib import Path
from time import time
from typing import Any

import httpx
from telephones import Telephones

from ringeliste import sellers
from ringeliste.desk_api import DeskApi
from wiring.logs import configure
from wiring.settings import Settings


class NotedApi(DeskApi):
    """A seller's way to the API. What they were shown, when it rang and how it ended is noted."""

    def __init__(self, client: httpx.AsyncClient, key: str, telephones: Telephones) -> None:
        super().__init__(client, key)
        self._telephones = telephones
        self._card: dict[str, Any] = {}

    async def next_customer(self) -> tuple[dict[str, Any] | None, float]:
        """Only a card that is new to them was handed out now."""
        card, wait = await super().next_customer()
        if card and card["lease_id"] != self._card.get("lease_id") and card["state"] == "taken":
            self._telephones.took(card["lease_id"], card["external_id"])
        self._card = card or {}
        return card, wait

    async def ring(self, lease_id: str) -> None:
        """It rings when leave is given."""
        asked = time()
        await super().ring(lease_id)
        self._telephones.rang(lease_id, self._card["external_id"], self._card["e164"], asked)

    async def outcome(self, lease_id: str, outcome: str, talk_seconds: int) -> dict[str, Any]:
        """The call is over before it is reported."""
        self._telephones.ended(lease_id, outcome)
        return await super().outcome(lease_id, outcome, talk_seconds)


def main() -> int:
    """Run them until told to stop."""
    more = argparse.ArgumentParser(add_help=False)
    more.add_argument("--telephones", type=Path, required=True)
    ours, rest = more.parse_known_args()
    asked = sellers.parser().parse_args(rest)
    configure(Settings.from_env(), "sellers")
    telephones = Telephones(ours.telephones, ours.telephones.stem)
    asyncio.run(sellers.serve(asked, lambda client, key: NotedApi(client, key, telephones)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
