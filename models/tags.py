"""The one form of a tag: rules, lists, programs and people all mean the same by it."""

import re
import unicodedata

LONGEST = 50

_TAG = re.compile(r"[^\W_][\w.-]*")


def folded(text: str) -> str:
    """A tag as it is compared: small letters, each sign in its one spelling, no space around it."""
    return unicodedata.normalize("NFC", text.strip().lower())


def read_tag(text: str) -> str:
    """A tag in its form: letters and digits of any script, and "-", "_", "." inside; capitals become small.

    ValueError says what is wrong, and what to write instead.
    """
    tag = folded(text)
    if not tag:
        raise ValueError("is empty")
    if len(tag) > LONGEST:
        raise ValueError(f"is {len(tag)} characters long; a tag has at most {LONGEST}")
    if not _TAG.fullmatch(tag):
        raise ValueError(f"is no tag: letters, digits, - _ and . inside, no spaces{_instead(tag)}")
    return tag


def _instead(tag: str) -> str:
    near = re.sub(r"[^\w.]+", "-", tag).strip("-_.")
    return f'; write "{near}"' if _TAG.fullmatch(near) else ""
