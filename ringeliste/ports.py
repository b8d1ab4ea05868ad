"""Where the web can listen, and where a browser on this machine finds it."""

import socket

from models.errors import Conflict

TRIED = 50


def usable_port(host: str, port: int, *, may_move: bool) -> int:
    """`port` if nobody listens there, else the next free one if it may move; 0 takes any.

    Raises Conflict when it is taken and may not move.
    """
    if port == 0:
        return _free(host, 0)
    why = ""
    for candidate in range(port, min(port + TRIED if may_move else port + 1, 65536)):
        try:
            return _free(host, candidate)
        except OSError as error:
            why = why or str(error.strerror or error).lower()  # of the port that was asked for
    raise Conflict(
        f"nobody can listen on port {port} of {host} ({why}): set RINGELISTE_WEB_PORT to a free one (0: any)"
    )


def free_ports(host: str, first: int, count: int) -> list[int]:
    """So many ports in a row that nobody listens on, from `first` on. Raises Conflict."""
    free: list[int] = []
    why = ""
    for candidate in range(first, min(first + TRIED, 65536)):
        try:
            free.append(_free(host, candidate))
        except OSError as error:
            free, why = [], f" ({str(error.strerror or error).lower()})"
        if len(free) == count:
            return free
    raise Conflict(f"no {count} ports of {host} in a row are free from {first} on{why}")


def _free(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as server:
        return int(server.getsockname()[1])


def reachable_at(host: str, port: int) -> str:
    """The address for a browser on this machine; who listens everywhere listens here too."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"http://[{here}]:{port}" if ":" in here else f"http://{here}:{port}"
