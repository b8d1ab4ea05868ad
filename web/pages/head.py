"""What every page has in its head: the theme before anything is painted, and the stylesheets."""

import hashlib
from functools import cache
from importlib.resources import files


@cache
def _address(name: str) -> str:
    """A static file's address; it changes with the content, so that browsers may keep it."""
    content = (files("web") / "static" / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


@cache
def head() -> str:
    """HTML for the head of a page."""
    return (
        f'<script src="{_address("theme.js")}"></script>'
        f'<link rel="stylesheet" href="{_address("style.css")}">'
        f'<link rel="stylesheet" href="{_address("segments.css")}">'
        f'<link rel="stylesheet" href="{_address("promises.css")}">'
        f'<script defer src="{_address("ticking.js")}"></script>'
        '<meta name="robots" content="noindex">'
    )
