"""What somebody did to a segment, as a sentence: wherever the history is shown it reads the same."""

from typing import Any

from calling.segments.history import Deed


def in_words(deed: Deed) -> str:
    """Kari moved 510 customers here (Job: student): campaign."""
    return f"{deed.author} {_said(deed.deed, deed.detail)}"


def _said(deed: str, detail: dict[str, Any]) -> str:
    match deed:
        case "created":
            return f"made it, as {detail.get('name', 'a segment')}"
        case "renamed":
            return f"renamed it from {detail.get('was')} to {detail.get('name')}"
        case "ruled":
            return f"changed its rule, in version {detail.get('version')}"
        case "reordered":
            return f"moved it to place {detail.get('place')}"
        case "paused":
            return f"paused it: {detail.get('reason')}"
        case "resumed" if detail.get("deleted"):
            return f"ended its pause ({detail.get('reason')}): deleted with it"
        case "resumed":
            return "let it go on"
        case "deleted":
            return "deleted it"
    return _of_many(deed, detail)


_OF_MANY = {
    "held": "moved {} here", "freed": "moved {} back to free", "released": "let go of {}",
    "woken": "made {} ready",
}  # fmt: skip


def _of_many(deed: str, detail: dict[str, Any]) -> str:
    customers = detail.get("customers", 0)
    many = f"{customers:,} customer{'' if customers == 1 else 's'}"
    what = f" ({detail['what']})" if detail.get("what") else ""
    why = f": {detail['reason']}" if detail.get("reason") else ""
    gave_up = f"; given up half way: {detail['problem']}" if detail.get("problem") else ""
    return _OF_MANY.get(deed, f"{deed} {{}}").format(many) + what + why + gave_up
