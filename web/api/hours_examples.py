"""Examples of hours, laws and exemptions."""

from typing import Any

from web.api.walls import AIR

NEW: dict[str, Any] = {
    "segment_id": 3, "week": {"mon": [["17:00", "20:00"]], "tue": [["17:00", "20:00"]]},
    "days": {"2026-12-24": []}, "valid_from": "2026-03-01", "reason": "they are at work by day",
}  # fmt: skip
CHANGE: dict[str, Any] = {"valid_to": "2026-06-30", "reason": "only until summer"}
SET: dict[str, Any] = {"id": 4, "in_the_air": AIR}
OTHER: dict[str, Any] = {"id": 5, "in_the_air": AIR}
STANDING: dict[str, Any] = {
    "id": 4, "scope": "segment", "assignment_id": 1, "assignment": "Loans", "segment_id": 3,
    "segment": "Savers", "hours": "mon-tue 17:00-20:00; wed-sun never; 2026-12-24 never",
    "week": {"mon": [["17:00", "20:00"]], "tue": [["17:00", "20:00"]]}, "days": {"2026-12-24": []},
    "valid_from": "2026-03-01", "valid_to": None, "reason": "they are at work by day", "author": "Kari",
    "set_at": "2026-03-02T12:00:00Z", "replaces": None, "walled_at": "2026-03-02T12:00:00Z",
    "ended_at": None, "ended_by": None,
}  # fmt: skip
EXEMPT: dict[str, Any] = {
    "law": "NO", "assignment_id": 1, "valid_to": "2026-03-31", "manager": "Kari Nordmann",
    "reason": "they asked to be called on Saturdays",
}  # fmt: skip
EXEMPTION: dict[str, Any] = {
    "id": 2, "scope": "assignment", "assignment_id": 1, "assignment": "Loans", "law": "NO",
    "name": "Markedsføringsloven section 14", "valid_from": "2026-03-02", "valid_to": "2026-03-31",
    "reason": "they asked to be called on Saturdays", "manager": "Kari Nordmann",
    "author": "Kari Nordmann", "given_at": "2026-03-02T12:00:00Z", "ended_at": None, "ended_by": None,
}  # fmt: skip
LAWS: dict[str, Any] = {
    "items": [
        {
            "key": "NO", "place": "NO", "name": "Markedsføringsloven section 14",
            "hours": "mon-fri 09:00-21:00; sat-sun never", "holidays": "NO: never",
            "own_days": ["05-01", "05-17"], "valid_from": None, "valid_to": None, "binds": True,
            "debts": False,
            "source": "Prop. 43 L (2016-2017) chapter 2, regjeringen.no", "evidence": "text", "note": "",
            "exempted": [EXEMPTION],
        },
        {
            "key": None, "place": "DE", "name": "UWG section 7", "hours": "own hours, no source",
            "holidays": None, "own_days": [], "valid_from": None, "valid_to": None, "binds": True,
            "debts": False,
            "source": "service.rheinstetten.de", "evidence": "none",
            "note": "Calls need consent; no hours were found.", "exempted": [],
        },
    ]
}  # fmt: skip
IN_FORCE: dict[str, Any] = {
    "own": "mon-fri 09:00-20:00; sat-sun never", "stricter": [STANDING], "exemptions": [EXEMPTION],
}  # fmt: skip
