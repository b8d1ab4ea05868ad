"""Whether a file holds numbers of the country whose register it is said to be."""

from collections.abc import Iterable

from phonenumbers import parse
from phonenumbers.phonenumberutil import (
    country_code_for_region,
    region_code_for_number,
    region_codes_for_country_code,
)

from models.errors import BadInput

_BEGINNING = 7
"""Characters of a number in E.164 that decide its country, where several share a calling code."""


class Home:
    """A country, and whether one of its numbers was seen yet: of millions the first decides."""

    def __init__(self, country: str) -> None:
        self._country = country
        self._code = f"+{country_code_for_region(country)}"
        self._shared = len(region_codes_for_country_code(int(self._code))) > 1
        self._known: dict[str, bool] = {}
        self._seen = False
        self._first: str | None = None

    def look(self, numbers: Iterable[str]) -> None:
        """Look at numbers (E.164) until one is of this country."""
        if not self._seen:
            for number in numbers:
                self._first = self._first or number
                if self._has(number):
                    self._seen = True
                    return

    def check(self, file: str) -> None:
        """Raises BadInput when there were numbers, and none of this country."""
        if self._first is not None and not self._seen:
            raise BadInput(
                f"{file} holds no number of {self._country} ({self._code}): its first is {self._first}. Is it"
                " another register's file? If it is the right one, say --force (`force`)",
                first=self._first, country=self._country,
            )  # fmt: skip

    def _has(self, number: str) -> bool:
        """Who begins with a code of several countries is asked of their plan once for each beginning."""
        if not self._shared or not number.startswith(self._code):
            return number.startswith(self._code)
        beginning = number[:_BEGINNING]
        if beginning not in self._known:
            self._known[beginning] = region_code_for_number(parse(number)) in (None, self._country)
        return self._known[beginning]
