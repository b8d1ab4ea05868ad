"""The Procfile: the one place that says which processes there are, for us and for any process manager."""

import os
import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from honcho.environ import parse_procfile

from models.errors import Unavailable

RELEASE = "release"
"""Runs to its end before the others begin."""

PACKAGES = Path(__file__).resolve().parent.parent
"""Where our packages lie: a checkout, or site-packages. Every process of ours begins here."""


def commands() -> dict[str, list[str]]:
    """Every process of the Procfile with the command that starts it, in its order."""
    return {name: command_of(line) for name, line in parse_procfile(_text()).processes.items()}


def command_of(line: str) -> list[str]:
    """A line of the Procfile as a command under this very interpreter, whatever the PATH says.

    So it works from a virtual environment that nobody has activated.
    """
    program, *arguments = shlex.split(line)
    if program in ("python", "python3"):
        return [sys.executable, *arguments]
    beside = Path(sys.executable).parent / program
    if os.access(beside, os.X_OK):
        return [str(beside), *arguments]
    if find_spec(program) is not None:
        return [sys.executable, "-m", program, *arguments]
    found = shutil.which(program)
    if found is None:
        raise Unavailable(f"the Procfile names {program!r}, which is not installed beside {sys.executable}")
    return [found, *arguments]


def _text() -> str:
    """The checkout's own, else the copy inside the wheel."""
    for file in (PACKAGES / "Procfile", PACKAGES / "ringeliste" / "Procfile"):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    raise Unavailable(f"there is no Procfile in {PACKAGES}")
