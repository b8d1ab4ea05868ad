"""An SQL predicate read into the JSON form of a rule that means what the SQL would have meant.

Each node is asked for what makes it true, or for what makes it false; NULL makes neither. Only what is named
here is taken, with only the arguments named here: whatever the parser may learn is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from models.errors import BadRule
from segmentation.catalogue import Catalogue
from segmentation.expert.gate import NotTaken, parsed, span_of
from segmentation.expert.leaves import (
    MIRRORED,
    Asked,
    alike,
    among,
    compared,
    compared_with_now,
    compared_with_today,
)
from segmentation.expert.parts import Part, as_json, negated, together
from segmentation.expert.refusals import why_not
from segmentation.expert.values import FromNow, Literally, arguments, unbracketed, value_of
from segmentation.language import read_rule
from segmentation.places import Faults
from segmentation.text.words import in_words

NOTE_LIKE = "LIKE is read as ILIKE: rules that ask for a part of a text take capitals and small letters alike"

_SIGNS: Mapping[type[exp.Expr], str] = {
    exp.EQ: "eq", exp.NEQ: "ne", exp.LT: "lt", exp.LTE: "le", exp.GT: "gt", exp.GTE: "ge",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Predicate:
    """The JSON form of a rule, and where it does not mean exactly what the SQL said."""

    when: dict[str, Any]
    notes: tuple[str, ...]


def read_predicate(sql: str, known: Catalogue) -> Predicate:
    """Translate one SQL predicate. Raises BadRuleText with every problem and its place."""
    faults = Faults(sql)
    translator = _Translator(sql, known)
    try:
        when = as_json(translator.part(parsed(sql), truth=True), "when", faults)
        read_rule(when, known)
    except NotTaken as refused:
        faults.add("when", refused.why, refused.span)
    except RecursionError:  # what the library made of it is deeper than it looks
        faults.add("when", "is nested too deep", (0, len(sql)))
    except BadRule as bad:
        faults.take(bad, dict(in_words({"when": when}, bad, known)))
    for one in translator.refused:
        faults.add("when", one.why, one.span)
    faults.refuse()
    return Predicate(when, tuple(translator.notes))


class _Translator:
    """Goes through one predicate."""

    def __init__(self, sql: str, known: Catalogue) -> None:
        self._sql, self._known = sql, known
        self.notes: dict[str, None] = {}
        self.refused: list[NotTaken] = []

    def part(self, node: exp.Expr, *, truth: bool) -> Part:
        """What makes `node` true, or false. Raises NotTaken."""
        node = unbracketed(node)
        match node:
            case exp.Not():
                return self.part(node.this, truth=not truth)
            case exp.And() | exp.Or():
                parts = [self._one_of_many(one, truth) for one in _chain(node)]
                is_all = isinstance(node, exp.And) is truth
                return together("all" if is_all else "any", span_of(node, self._sql), *parts)
            case exp.Boolean():
                everybody = Part(span_of(node, self._sql), "all")
                return everybody if bool(node.this) is truth else negated(everybody)
            case exp.Column():
                return self._asked(node, node).leaf("is_true" if truth else "is_false")
        return self._question(node, truth)

    def _one_of_many(self, node: exp.Expr, truth: bool) -> Part:
        """What is refused is noted, so that the rest is read as well."""
        try:
            return self.part(node, truth=truth)
        except NotTaken as refused:
            self.refused.append(refused)
            return Part(refused.span, "all")

    def _question(self, node: exp.Expr, truth: bool) -> Part:
        given = arguments(node)
        match node:
            case exp.Is() if given <= {"this", "expression", "negate"}:
                return self._is(node, truth is not bool(node.args.get("negate")))
            case exp.In() if given == {"this", "expressions"}:
                return self._in(node, truth)
            case exp.Between() if given == {"this", "low", "high"}:
                return self._between(node, truth)
            case exp.Like() | exp.ILike() if given <= {"this", "expression", "negate"}:
                return self._like(node, truth is not bool(node.args.get("negate")))
            case exp.EQ() | exp.NEQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE() if given == {
                "this",
                "expression",
            }:
                return self._compared(node, _SIGNS[type(node)], node.this, node.expression, truth)
        raise why_not(node, self._sql)

    def _compared(self, node: exp.Expr, op: str, left: exp.Expr, right: exp.Expr, truth: bool) -> Part:
        if isinstance(unbracketed(right), exp.Column) and not isinstance(unbracketed(left), exp.Column):
            left, right, op = right, left, MIRRORED[op]
        asked, value = self._asked(left, node), value_of(right, self._sql)
        match value:
            case None:
                raise why_not(unbracketed(right), self._sql)
            case Literally():
                return compared(asked, op, value.value, value.span, truth=truth)
        return self._moment(asked, op, value, truth)

    def _moment(self, asked: Asked, op: str, value: FromNow, truth: bool) -> Part:
        if value.start == "today":
            if asked.type not in ("date", ""):
                instead = ": compare it with now()" if asked.type == "instant" else ""
                raise NotTaken(f"{asked.column} is no date{instead}", value.span)
            if value.seconds % 86_400:
                raise NotTaken("from current_date on whole days are counted", value.span)
            return compared_with_today(asked, op, value.seconds // 86_400, truth=truth)
        if asked.type == "date":
            raise NotTaken(f"{asked.column} is a date: compare it with current_date", value.span)
        if asked.type not in ("instant", ""):
            raise NotTaken(f"{asked.column} is no instant, so it is not compared with now()", value.span)
        if op in ("eq", "ne"):
            raise NotTaken("nothing is exactly now(): compare with < or >", value.span)
        return compared_with_now(asked, op, value.seconds, truth=truth)

    def _between(self, node: exp.Between, truth: bool) -> Part:
        low, high = (value_of(node.args[end], self._sql) for end in ("low", "high"))
        if truth and isinstance(low, Literally) and isinstance(high, Literally):
            asked = self._asked(node.this, node)
            where = (low.span[0], high.span[1])
            return asked.leaf("between", [low.value, high.value], where, (low.span, high.span))
        ends = (("ge", node.args["low"]), ("le", node.args["high"]))
        parts = [self._compared(node, op, node.this, end, truth) for op, end in ends]
        return together("all" if truth else "any", span_of(node, self._sql), *parts)

    def _in(self, node: exp.In, truth: bool) -> Part:
        asked, found = self._asked(node.this, node), []
        for one in node.expressions:
            value = value_of(one, self._sql)
            if not isinstance(value, Literally):
                raise why_not(unbracketed(one), self._sql)
            found.append(value)
        return among(asked, [value.value for value in found], [value.span for value in found], truth=truth)

    def _is(self, node: exp.Is, truth: bool) -> Part:
        """IS is never NULL itself, so what makes it false is that it is not true."""
        asked, word = self._asked(node.this, node), node.expression
        match word:
            case exp.Null():
                return asked.leaf("empty" if truth else "not_empty")
            case exp.Boolean():
                part = asked.leaf("is_true" if word.this else "is_false")
                return part if truth else negated(part)
        raise why_not(word, self._sql)

    def _like(self, node: exp.Like | exp.ILike, truth: bool) -> Part:
        asked, value = self._asked(node.this, node), value_of(node.expression, self._sql)
        if not isinstance(value, Literally) or not isinstance(value.value, str):
            raise why_not(node.expression, self._sql)
        pattern, text = value.value, value.value.strip("%")
        if any(sign in text for sign in "%_\\"):
            raise NotTaken("a pattern may have % at its ends only, and no _ and no \\", value.span)
        is_like = isinstance(node, exp.Like)
        if not text:
            return asked.known() if truth else negated(Part(asked.span, "all"))
        if text == pattern:
            if is_like:
                return compared(asked, "eq", text, value.span, truth=truth)
            raise NotTaken("a pattern without % asks for the whole text: write =", value.span)
        if is_like and text.lower() != text.upper():
            self.notes[NOTE_LIKE] = None
        op = "contains" if pattern[0] == pattern[-1] else "ends_with" if pattern[0] == "%" else "starts_with"
        return alike(asked, op, text, value.span, truth=truth)

    def _asked(self, node: exp.Expr, question: exp.Expr) -> Asked:
        column = unbracketed(node)
        if not isinstance(column, exp.Column) or not isinstance(column.this, exp.Identifier):
            raise why_not(column, self._sql)
        if arguments(column) != {"this"}:
            raise NotTaken("a column stands alone, without a table before it", span_of(column, self._sql))
        name = str(column.this.this) if column.this.args.get("quoted") else str(column.this.this).lower()
        field = self._known.get(name)
        spans = span_of(column, self._sql), span_of(question, self._sql)
        return Asked(name, field.type if field else "", *spans)


def _chain(node: exp.Expr) -> list[exp.Expr]:
    """`a and b and c` leans to the left, as deep as it is long."""
    kind, parts = type(node), []
    while type(node) is kind:
        parts.append(node.expression)
        node = node.this
    return [node, *reversed(parts)]
