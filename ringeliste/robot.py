"""`python -m ringeliste.robot`: the simulated dialer of the demo, its lines like those of our processes.

dialer_adapter/simulator.py knows nothing of ours, not even how we log; this is all that is added.
"""

import sys
from collections.abc import Sequence

from dialer_adapter import simulator
from wiring.logs import configure
from wiring.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulated dialer; 2 when it was told something wrong."""
    asked = simulator.parser().parse_args(arguments)
    configure(Settings.from_env(), "robot")
    return simulator.run(asked)


if __name__ == "__main__":
    sys.exit(main())
