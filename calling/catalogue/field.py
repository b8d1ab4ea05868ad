"""A field of a CRM's own, as a plain value: it travels to other processes."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Field:
    """What a CRM keeps of its customers under `key`, and what a value has to be.

    `pattern` is of texts (calling/catalogue/patterns.py), `choices` of choices, in the order shown; none:
    any. `retired_at` (UTC): no longer in use, by whom if that is known; its values stay.
    """

    key: str
    type: str
    label: str
    required: bool = False
    unique: bool = False
    pattern: str | None = None
    choices: tuple[str, ...] = ()
    retired_at: datetime | None = None
    retired_by: str | None = None

    @property
    def retired(self) -> str:
        """Who retired it and when, in words: "by Kari on 2026-03-02". Only of a retired one."""
        by = f"by {self.retired_by} " if self.retired_by else ""
        return f"{by}on {self.retired_at:%Y-%m-%d}"
