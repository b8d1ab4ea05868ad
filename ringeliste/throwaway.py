"""Directories of servers that are made to be thrown away: a simulation's, a benchmark's."""

import shutil
from pathlib import Path

from models.errors import BadInput
from ringeliste import embedded

MARK = ".thrown-away-by-ringeliste"
"""Only a directory with this file in it is ever removed: others may keep something of theirs there."""


def begin(folder: Path) -> None:
    """Make `folder`, empty but for the mark; what an earlier run left in it goes. Raises BadInput."""
    remove(folder)
    folder.mkdir(parents=True)
    folder.chmod(0o755)  # the servers' account may be another one
    (folder / MARK).touch()


def check(folder: Path) -> None:
    """Raises BadInput when `folder` is not ours to remove."""
    if folder.exists() and not (folder / MARK).exists() and any(folder.iterdir()):
        raise BadInput(f"{folder} holds something that is not ours: move it away, or set RINGELISTE_DATA")


def remove(folder: Path) -> None:
    """Stop the servers of `folder` and remove it. Raises BadInput when it is not ours to remove."""
    if not folder.exists():
        return
    check(folder)
    embedded.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)
