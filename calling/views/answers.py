"""What one gate says of a customer: the word that explanations are made of."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """One gate: open or shut, until when (UTC; None: until somebody acts), and a fact in words."""

    gate: str
    open: bool
    until: datetime | None
    fact: str
