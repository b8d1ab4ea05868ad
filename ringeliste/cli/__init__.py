"""The command line. Commands load what they need when they run, so that `--help` is there at once."""

from ringeliste.cli.app import app, main

__all__ = ["app", "main"]
