"""Hot statements, one a file, readable beside their tables."""

from functools import cache
from importlib.resources import files

from sqlalchemy import TextClause, text


@cache
def load(name: str) -> TextClause:
    """The statement of `models/sql/<name>.sql`, parameters as :name."""
    return text((files(__name__) / f"{name}.sql").read_text(encoding="utf-8"))
