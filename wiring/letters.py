"""Whether the database's own locale takes capitals for small letters as the rules do.

`contains`, `starts_with` and `ends_with` find "ÅRL" in "årlig" by lower(), whose letters are those of the
locale that the database was made with; under "C" they end at Z. No collation that knows them is there in
every PostgreSQL from 15 on, so none can be written into the SQL.
"""

from sqlalchemy import Connection, text

CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ ÅÄÖÆØÉÜÇÑÃÕŠŽŁĐÞ ΑΩ ЖЯ"
"""Each is one letter, and so is its small one. "I" tells a Turkish locale."""

_LOWERED = text("select lower(cast(:capitals as text)) as small, current_database() as name")


def wrong_letters(connection: Connection) -> str:
    """What is wrong with the database's locale, and what to do; "" if nothing is."""
    found = connection.execute(_LOWERED, {"capitals": CAPITALS}).one()
    wrong = [one for one, small in zip(CAPITALS, found.small, strict=True) if small != one.lower()]
    if not wrong:
        return ""
    return (
        f'the locale of database "{found.name}" does not know {"".join(wrong)[:12]} as capitals: rules about '
        "parts of texts would miss customers. A locale is chosen once: make another database with "
        "`create database NAME template template0 encoding 'UTF8' locale 'C.UTF-8'` "
        "(from PostgreSQL 17 on also `locale_provider builtin builtin_locale 'C.UTF-8'`), and move the data "
        "there with pg_dump"
    )
