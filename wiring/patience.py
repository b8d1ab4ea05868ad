"""How long a wall waits for dialers to confirm, in wall time; the same for every door."""

from time import monotonic, sleep

from calling.handout.recalling import Patience

_LOOK_AGAIN_SECONDS = 0.02


def patience(seconds: float) -> Patience:
    """Waits for confirmations until `seconds` from now are over."""
    end = monotonic() + seconds

    def wait() -> bool:
        if monotonic() >= end:
            return False
        sleep(_LOOK_AGAIN_SECONDS)
        return True

    return wait
