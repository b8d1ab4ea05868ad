"""What somebody did to a segment, as a sentence: wherever the history is shown it reads the same."""

from datetime import UTC, datetime, tzinfo
from typing import Any

from calling.segments.history import Deed


def in_words(deed: Deed, zone: tzinfo = UTC) -> str:
    """Kari moved 510 customers here (Job: student) until Fri 6 Mar 17:00: campaign. The end is in `zone`."""
    until = _until(deed.detail.get("until"), zone)
    return f"{deed.author} {_back(deed.detail)}{_said(deed.deed, deed.detail, until)}"


def until(at: datetime, zone: tzinfo) -> str:
    """until Fri 6 Mar 17:00."""
    local = at.astimezone(zone)
    return f"until {local:%a} {local.day} {local:%b %H:%M}"


def _until(written: str | None, zone: tzinfo) -> str:
    return f" {until(datetime.fromisoformat(written), zone)}" if written else ""


def _back(detail: dict[str, Any]) -> str:
    """A roll back does several things at once; each is told as a part of it."""
    return f"rolled back to version {detail['back_to']}: " if "back_to" in detail else ""


def _said(deed: str, detail: dict[str, Any], ends: str) -> str:
    match deed:
        case "created":
            made = "brought it back" if "back_to" in detail else "made it"
            return f"{made}, as {detail.get('name', 'a segment')}"
        case "renamed":
            return f"renamed it from {detail.get('was')} to {detail.get('name')}"
        case "ruled":
            return f"changed its rule, in version {detail.get('version')}"
        case "reordered":
            return f"moved it to place {detail.get('place')}"
        case "paused":
            return f"paused it{ends}: {detail.get('reason')}"
        case "resumed" if detail.get("deleted"):
            return f"ended its pause ({detail.get('reason')}): deleted with it"
        case "resumed":
            return "let it go on"
        case "deleted":
            return "took it away" if "back_to" in detail else "deleted it"
    return _of_many(deed, detail, ends)


_OF_MANY = {
    "held": "moved {} here", "freed": "moved {} back to free", "released": "let go of {}",
    "woken": "made {} ready",
}  # fmt: skip


def _of_many(deed: str, detail: dict[str, Any], ends: str) -> str:
    customers = detail.get("customers", 0)
    many = f"{customers:,} customer{'' if customers == 1 else 's'}"
    what = f" ({detail['what']})" if detail.get("what") else ""
    why = f": {detail['reason']}" if detail.get("reason") else ""
    gave_up = f"; given up half way: {detail['problem']}" if detail.get("problem") else ""
    return _OF_MANY.get(deed, f"{deed} {{}}").format(many) + what + ends + why + gave_up
