"""The engine: every connection works as `ringeliste_app`, behind the walls, and gives up in time."""

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url

from models.errors import BadSettings
from models.work import TRANSACTION_TIMEOUT_SINCE
from wiring.arrays import PlainListDumper
from wiring.settings import Settings

APP_ROLE = "ringeliste_app"

_NETWORK = {
    "connect_timeout": 5,
    # A server that vanished without a word is noticed within half a minute, not after hours.
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


def make_engine(settings: Settings, *, ping: bool = True) -> Engine:
    """An engine on the settings' database as the application's role. Connects at first use.

    `ping`: each connection is tried before it is used, since a server may have restarted.
    """
    if not settings.database_url:
        raise BadSettings(
            f"DATABASE_URL: not set, and no embedded servers are known in {settings.data}; "
            "start them with `ringeliste up`, or set it"
        )
    url = make_url(settings.database_url)
    engine = create_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.lock_seconds,
        pool_pre_ping=ping,
        isolation_level="READ COMMITTED",
        hide_parameters=True,  # a telephone number in an error's text would travel far
        connect_args={**_NETWORK, "options": _options(settings, str(url.query.get("options", "")))},
    )
    event.listen(engine, "connect", _limit_transactions(settings.transaction_seconds))
    event.listen(engine, "connect", _send_lists_plainly)
    return engine


def _options(settings: Settings, theirs: str) -> str:
    """What each session begins with. Ours come last and win: the role is the wall."""
    ours = {
        "application_name": "ringeliste",
        "timezone": "UTC",
        "jit": "off",  # a compiled plan of 40 rules costs more than the scan it speeds up
        "statement_timeout": f"{settings.statement_seconds}s",
        "lock_timeout": f"{settings.lock_seconds}s",
        "idle_in_transaction_session_timeout": f"{settings.statement_seconds}s",
        "role": APP_ROLE,
    }
    return " ".join([theirs, *(f"-c {name}={value}" for name, value in ours.items())]).strip()


def _limit_transactions(seconds: int) -> Any:
    """PostgreSQL before 17 does not know the setting and would refuse the connection: ask it first."""

    def limit(connection: Any, _record: Any) -> None:
        if connection.info.server_version >= TRANSACTION_TIMEOUT_SINCE:
            connection.execute(f"set transaction_timeout = '{int(seconds)}s'")
            connection.commit()

    return limit


def _send_lists_plainly(connection: Any, _record: Any) -> None:
    connection.adapters.register_dumper(list, PlainListDumper)
