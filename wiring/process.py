"""How a process of ours begins: settings read, logs on their way, or a clear word and an end."""

import sys

from models.errors import BadSettings
from wiring.app import App, app
from wiring.logs import configure

WRONG_SETTINGS = 2
"""Exit code when the environment is wrong: starting again will not help."""


def begin(process: str) -> App:
    """The application of this process, its logs named `process`. Wrong settings end it, all of them named."""
    try:
        made = app()
    except BadSettings as error:
        problems = error.data.get("problems", [error.message])
        sys.stderr.write("".join(f"{process}: {problem}\n" for problem in problems))
        raise SystemExit(WRONG_SETTINGS) from None
    configure(made.settings, process)
    return made
