"""The account that the servers run under: ours, or as root a system user, since PostgreSQL refuses root."""

import os
import pwd
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import Unavailable

SYSTEM_USER = "ringeliste"

# The caller's locale, PG* variables and working directory are none of the servers' business.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


@dataclass(frozen=True, slots=True)
class Account:
    """Runs programs as `user` (ourselves when None) and gives it directories of its own."""

    user: pwd.struct_passwd | None = None

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run to the end and capture what it said; the caller looks at `returncode`."""
        return subprocess.run(
            [str(word) for word in command],
            **self._identity(),
            env=_ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def reaches(self, path: Path) -> bool:
        """Whether the account may run the program, or enter the directory, at `path`."""
        return self.run("test", "-x", path).returncode == 0

    def directory(self, path: Path) -> Path:
        """Make `path` (its parent exists), readable by this account alone. What others made stays theirs."""
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        found = path.lstat()
        if self.user and found.st_uid == os.geteuid() and stat.S_ISDIR(found.st_mode):
            os.chown(path, self.user.pw_uid, self.user.pw_gid, follow_symlinks=False)
        return path

    def _identity(self) -> dict[str, Any]:
        if self.user is None:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}


def server_account() -> Account:
    """The account for this process's servers; as root the system user is made when it is missing."""
    if os.geteuid() != 0:
        return Account()
    try:
        return Account(pwd.getpwnam(SYSTEM_USER))
    except KeyError:
        _make_system_user()
        return Account(pwd.getpwnam(SYSTEM_USER))


def _make_system_user() -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    try:
        made = subprocess.run([*command, SYSTEM_USER], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        problem = "there is no useradd"
    else:
        problem = made.stderr.strip()
        if made.returncode in (0, 9):  # 9: somebody else has just made it
            return
    message = (
        f"PostgreSQL does not run as root, and the user {SYSTEM_USER!r} could not be made ({problem}): "
        "make it, or start as another user"
    )
    raise Unavailable(message)
