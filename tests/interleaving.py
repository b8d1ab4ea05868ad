"""Two at once, step by step: one acts just before a statement of the other's, or as soon as it is done."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import TextClause

from models.work import Question, Work

Hook = Callable[[TextClause, Callable[[], Any]], None]
"""`act` once, when whoever comes first executes `statement`."""


def instead_of_run(monkeypatch: pytest.MonkeyPatch, run: Callable[..., Any]) -> None:
    """`run` in place of Work.run, also for what is asked together: one after the other, in the same order."""

    def one_by_one(self: Work, *questions: Question) -> list[Any]:
        return [self.run(statement, **values) for statement, values in questions]

    monkeypatch.setattr(Work, "run", run)
    monkeypatch.setattr(Work, "run_together", one_by_one)


def acting_before(monkeypatch: pytest.MonkeyPatch) -> Hook:
    """`before(statement, act)`: just before it."""
    return _hook(monkeypatch, first=True)


def acting_after(monkeypatch: pytest.MonkeyPatch) -> Hook:
    """`after(statement, act)`: as soon as it is done, with its locks in hand."""
    return _hook(monkeypatch, first=False)


def _hook(monkeypatch: pytest.MonkeyPatch, *, first: bool) -> Hook:
    hooks: list[tuple[TextClause, Callable[[], Any]]] = []
    real = Work.run

    def run(self: Work, statement: TextClause, **values: Any) -> Any:
        due = [hook for hook in hooks if hook[0] is statement]
        for hook in due:
            hooks.remove(hook)  # before anybody acts: the other may execute it as well
        done = None if first else real(self, statement, **values)
        for _, act in due:
            act()
        return real(self, statement, **values) if first else done

    instead_of_run(monkeypatch, run)
    return lambda statement, act: hooks.append((statement, act))
