"""Where on the disk: the data directory under one name, and a private place for the sockets."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import BadInput, Unavailable
from ringeliste.embedded.account import Account

_LONGEST_SOCKET_DIRECTORY = 80  # a socket's whole path may have 107 bytes, on some systems 103


def named(data_dir: Path) -> Path:
    """One name for one directory: a server is recognised by it in its command line."""
    found = data_dir.expanduser().resolve()
    if wrong := sorted(set(str(found)) & set("\"'\\$`,\n")):
        raise BadInput(
            f"RINGELISTE_DATA: {found}: a path with {' '.join(wrong)} confuses the servers; move it"
        )
    return found


def make_data_directory(data_dir: Path) -> None:
    """Make a directory that the servers' account may enter, whatever our umask; theirs in it are private."""
    if not data_dir.exists():
        with refusals(data_dir):
            data_dir.mkdir(parents=True, exist_ok=True)
            data_dir.chmod(0o755)


def socket_directory(data_dir: Path) -> Path:
    """In the data directory, or where its path is too long for a socket, a short one named after it."""
    inside = data_dir / "run"
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET_DIRECTORY:
        return inside
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path("/tmp") / f"ringeliste-{name}"  # noqa: S108 - not TMPDIR: every process must find the same


def make_private(account: Account, directory: Path) -> None:
    """Make the socket directory; one that others may write to, or that others own, is not trusted."""
    account.directory(directory)
    mine = account.user.pw_uid if account.user else os.geteuid()
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != mine or found.st_mode & 0o077:
        raise Unavailable(f"{directory} belongs to somebody else or is open to others: remove it")


@contextmanager
def refusals(data_dir: Path) -> Iterator[None]:
    """The file system's refusals, in words that help."""
    try:
        yield
    except PermissionError as refused:
        message = f"{data_dir} belongs to another user: go on as that one, or set RINGELISTE_DATA"
        raise Unavailable(message) from refused
