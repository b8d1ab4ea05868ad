"""Two at once, step by step: one acts just before a statement of the other's."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import TextClause

from models.work import Work

Before = Callable[[TextClause, Callable[[], Any]], None]


def acting_before(monkeypatch: pytest.MonkeyPatch) -> Before:
    """`before(statement, act)`: `act` once, just before whoever comes first executes `statement`."""
    hooks: list[tuple[TextClause, Callable[[], Any]]] = []
    real = Work.run

    def run(self: Work, statement: TextClause, **values: Any) -> Any:
        for hook in [hook for hook in hooks if hook[0] is statement]:
            hooks.remove(hook)
            hook[1]()
        return real(self, statement, **values)

    monkeypatch.setattr(Work, "run", run)
    return lambda statement, act: hooks.append((statement, act))
