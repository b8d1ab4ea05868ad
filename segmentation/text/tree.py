"""From what the grammar read to the JSON form; every path remembers its piece of text."""

from collections.abc import Mapping, Sequence
from typing import Any

from lark import Token, Tree

from segmentation.places import Faults, Span
from segmentation.problems import did_you_mean
from segmentation.text.syntax import Parsed
from segmentation.text.tokens import unquoted
from segmentation.text.words import DURATION, OF_NO_FIXED_LENGTH, OF_TYPE, SIGNS, UNIT_OF
from segmentation.values import MAX_LIST

EVERYBODY: dict[str, Any] = {"all": []}
_DEEPEST = 100  # brackets within brackets; the language allows far less
_LONGEST_NUMBER = 30  # digits; more are out of range in any case


class Builder:
    """Makes the JSON form of trees. `types`: field -> type, where known."""

    def __init__(self, faults: Faults, types: Mapping[str, str]) -> None:
        self._faults, self._types = faults, types

    def node(self, tree: Parsed, path: str, deep: int = 0) -> dict[str, Any]:
        """The JSON form of one tree, which belongs at `path`."""
        self._faults.spans[path] = _span(tree)
        if deep > _DEEPEST:
            self._faults.add(path, "has too many brackets within brackets", _span(tree))
            return EVERYBODY
        parts = [part for part in tree.children if isinstance(part, Tree)]
        match tree.data:
            case "bracketed":
                return self.node(parts[0], path, deep + 1)
            case "everybody":
                return EVERYBODY
            case "negated":
                return {"not": self.node(parts[0], f"{path}.not", deep + 1)}
            case "all_of" | "any_of":
                word = str(tree.data)[:3]
                return {
                    word: [self.node(one, f"{path}.{word}[{i}]", deep + 1) for i, one in enumerate(parts)]
                }
        return self._leaf(tree, path)

    def _leaf(self, tree: Parsed, path: str) -> dict[str, Any]:
        before, _, op = str(tree.data).rpartition("__")
        if before == "not":
            self._faults.spans[f"{path}.not"] = _span(tree)
            return {"not": self._question(tree, f"{path}.not", op)}
        return self._question(tree, path, op, before)

    def _question(self, tree: Parsed, path: str, op: str, field: str = "") -> dict[str, Any]:
        parts = [part for part in tree.children if isinstance(part, Tree)]
        words = [word for word in tree.children if isinstance(word, Token)]
        if op == "compare" and (asked := self._yes_or_no(parts, words)):
            self._faults.spans[f"{path}.f"] = _span(parts[0])
            return asked
        if not field:
            named = parts.pop(0)
            field = unquoted(_only(named))
            self._faults.spans[f"{path}.f"] = _span(named)
        self._faults.spans[f"{path}.op"] = _words_span(words) or _span(tree)
        op = self._operator(op, field, words, path)
        leaf: dict[str, Any] = {"f": field, "op": op}
        if not parts:
            return leaf
        return leaf | {"v": self._value(parts, f"{path}.v")}

    def _yes_or_no(self, parts: list[Parsed], words: list[Token]) -> dict[str, Any] | None:
        """`vip = true` says `vip is true`, and `vip != true` that it is not."""
        field, answer, sign = unquoted(_only(parts[0])), _only(parts[1]).type, SIGNS.get(words[0])
        if self._types.get(field) != "yes_no" or answer not in ("TRUE", "FALSE") or sign not in ("eq", "ne"):
            return None
        leaf = {"f": field, "op": f"is_{answer.lower()}"}
        return leaf if sign == "eq" else {"not": leaf}

    def _operator(self, op: str, field: str, words: list[Token], path: str) -> str:
        sign = next((SIGNS[word] for word in words if word.type == "COMPARE"), "")
        if op == "count":
            if sign != "ge":
                self._faults.add(
                    f"{path}.op", "of tags it can be asked how many at least: count >= 2", _join(words)
                )
            return "count_ge"
        op = sign if op == "compare" else op
        return OF_TYPE.get(self._types.get(field, ""), {}).get(op, op)

    def _value(self, parts: list[Parsed], path: str) -> Any:
        self._faults.spans[path] = _span(parts[0])[0], _span(parts[-1])[1]
        if len(parts) == 2:
            return self._list([_only(part) for part in parts], path)
        (part,) = parts
        match part.data:
            case "list":
                return self._list(_values(part), path)
            case "duration":
                return self._duration(part, path)
            case "calendar":
                return "_".join(unquoted(word).lower() for word in part.children if isinstance(word, Token))
        return self._scalar(_only(part), path)

    def _list(self, values: Sequence[Token], path: str) -> list[str | int | float]:
        if len(values) > MAX_LIST:  # it is refused whatever they are
            return [str(value) for value in values]
        return [self._scalar(value, f"{path}[{i}]") for i, value in enumerate(values)]

    def _scalar(self, token: Token, path: str) -> str | int | float:
        self._faults.spans[path] = token.start_pos or 0, token.end_pos or 0
        if token.type != "NUMBER":
            return unquoted(token)
        digits = token.removeprefix("-")
        return int(token) if digits.isdigit() and len(digits) < _LONGEST_NUMBER else float(token)

    def _duration(self, part: Parsed, path: str) -> str:
        written = "".join(unquoted(word) for word in part.children if isinstance(word, Token)).lower()
        found = DURATION.fullmatch(written)
        if found is None or found[2] in UNIT_OF:
            return f"{found[1]}{UNIT_OF[found[2]]}" if found else written
        unit = found[2]
        why = did_you_mean(unit, UNIT_OF) or ": say minutes, hours, days or weeks"
        if unit in OF_NO_FIXED_LENGTH:
            why = ": it has no fixed length; say days or weeks"
        self._faults.add(path, f'"{unit}" is no unit of time{why}', _span(part))
        return "1d"


def _values(part: Parsed) -> Sequence[Token]:
    """Of a list: in one piece, or each by itself."""
    first = part.children[0]
    if isinstance(first, Token) and first.type == "LISTED":
        return first.value  # type: ignore[no-any-return]  # so it was made (segmentation/text/syntax.py)
    return [_only(value) for value in part.children if isinstance(value, Tree)]


def _only(part: Parsed) -> Token:
    (token,) = part.children
    if not isinstance(token, Token):
        raise TypeError(part)
    return token


def _span(tree: Parsed) -> Span:
    return tree.meta.start_pos, tree.meta.end_pos


def _words_span(words: list[Token]) -> Span | None:
    return _join(words) if words else None


def _join(words: list[Token]) -> Span:
    return min(word.start_pos or 0 for word in words), max(word.end_pos or 0 for word in words)
