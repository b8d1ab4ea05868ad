"""`python -m ringeliste` is `ringeliste`."""

from ringeliste.cli import main

main()
