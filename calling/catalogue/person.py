"""What every customer has beside own fields: name, e-mail and address, each read in the one way."""

import re

from calling.hours.places import read_legal_place

LONGEST_NAME = 500
LONGEST_EMAIL = 320

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def read_name(text: str) -> str:
    """A name, possibly none. ValueError says what is wrong."""
    if len(text) > LONGEST_NAME:
        raise ValueError(f"is longer than {LONGEST_NAME} characters")
    return text


def read_email(text: str) -> str:
    """An e-mail address. ValueError says what is wrong."""
    if len(text) > LONGEST_EMAIL or not _EMAIL.fullmatch(text):
        raise ValueError("is no e-mail address")
    return text


def read_place(text: str) -> str:
    """The legal place of an address, "PT" or "US-FL". ValueError: what is wrong, what may be meant."""
    return read_legal_place(text)
