"""One field's values: whatever writes one asks here whether it may stand, and in which form it is kept."""

from difflib import get_close_matches

from calling.catalogue.field import Field
from calling.catalogue.patterns import compiled
from calling.catalogue.values import read_json, read_text

LONGEST_UNIQUE = 200  # characters; it stands in an index
SHOWN_CHOICES = 10

REQUIRED = "is required"


class Checker:
    """The demands of one field. Not for the database's part: that nobody else has a unique value."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self._matches = compiled(field.pattern) if field.pattern is not None else None
        self._choices = {choice.casefold(): choice for choice in field.choices}

    def of_text(self, text: str) -> object:
        """The value of a list's cell, or of an argument; None for an empty one. ValueError says why not."""
        text = text.strip()
        return self._held(read_text(self.field.type, text) if text else None)

    def of_json(self, value: object) -> object:
        """The value of a JSON value; None takes it away. ValueError says why not."""
        return self._held(read_json(self.field.type, value))

    def _held(self, value: object) -> object:
        if value is None:
            if self.field.required:
                raise ValueError(REQUIRED)
            return None
        if isinstance(value, str):
            if self.field.unique and len(value) > LONGEST_UNIQUE:
                raise ValueError(f"is longer than {LONGEST_UNIQUE} characters, the most of a unique field")
            if self._matches and not self._matches(value):
                raise ValueError(f"does not match the pattern {self.field.pattern}")
            if self._choices:
                return self._choice(value)
        return value

    def _choice(self, value: str) -> str:
        """The choice as it was declared, however it is written in capitals and small letters."""
        found = self._choices.get(value.casefold())
        if found is None:
            raise ValueError(f"is none of the choices{self._instead(value)}")
        return found

    def _instead(self, value: str) -> str:
        near = get_close_matches(value.casefold()[:100], self._choices, 1)
        if near:
            return f' - did you mean "{self._choices[near[0]]}"?'
        some = ", ".join(self.field.choices[:SHOWN_CHOICES])
        more = len(self.field.choices) - SHOWN_CHOICES
        return f": it is one of {some}" + (f" and {more} more" if more > 0 else "")
