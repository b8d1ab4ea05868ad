"""The canonical tree of rules as text; read back, it is the same tree."""

from collections.abc import Iterator
from typing import Any

from segmentation.nodes import Node, Rules, dump, dump_node
from segmentation.text.tokens import KEYWORDS, MOMENT, WORD, quoted
from segmentation.text.words import WRITTEN, spoken_duration

WIDTH = 100
_INDENT = "    "
_OF_TIME = frozenset({"older_than", "within_last", "due_within", "overdue_by", "anniversary_within"})


def write_text(rules: Rules) -> str:
    """A rule set as text: segments in order of priority, then labels; a blank line between two."""
    return write_body(dump(rules))


def write_body(body: dict[str, Any]) -> str:
    """The same of the canonical JSON: whatever it asks is written, whether or not the field still exists."""
    segments = [_block("segment", one) for one in body["segments"]]
    return "\n".join([*segments, *(_block("label", one) for one in body.get("labels", []))])


def write_rule(node: Node) -> str:
    """One rule on one line."""
    return _text(dump_node(node))


def _block(kind: str, one: dict[str, Any]) -> str:
    name = "" if one["name"] == one["key"] else f" {quoted(one['name'])}"
    heading = f"{kind} {_bare(one['key'])}{name}:"
    line = f"{heading} {_text(one['when'])}"
    if len(line) <= WIDTH:
        return f"{line}\n"
    return "".join(f"{line}\n" for line in (heading, *_lines(one["when"])))


def _lines(node: dict[str, Any]) -> Iterator[str]:
    """The parts of a group one below the other."""
    for word, link in (("all", "and"), ("any", "or")):
        parts = node.get(word, [])
        if len(parts) > 1:
            yield f"{_INDENT}{_part(parts[0], word)}"
            yield from (f"{_INDENT}{link} {_part(part, word)}" for part in parts[1:])
            return
    yield f"{_INDENT}{_text(node)}"


def _text(node: dict[str, Any]) -> str:
    if "not" in node:
        part = node["not"]
        return f"not ({_text(part)})" if _is_group(part) else f"not {_text(part)}"
    for word, link in (("all", " and "), ("any", " or ")):
        if word in node:
            parts = node[word]
            if len(parts) == 1:
                return f"{word} of ({_text(parts[0])})"
            return link.join(_part(part, word) for part in parts) or "everybody"
    return _leaf(node["f"], node["op"], node.get("v"))


def _part(node: dict[str, Any], inside: str) -> str:
    """`and` binds before `or`; a group within its like keeps brackets, or it would melt into it."""
    melts = _is_group(node) and (inside == "all" or "any" in node)
    return f"({_text(node)})" if melts else _text(node)


def _is_group(node: dict[str, Any]) -> bool:
    return len(node.get("all", node.get("any", []))) > 1


def _leaf(field: str, op: str, value: Any) -> str:
    if field == "in_segment" and op in ("any", "none"):
        return f"{'in' if op == 'any' else 'outside'} segment {_list(value)}"
    if field == "due" and op in ("due_within", "overdue_by"):
        return f"{WRITTEN[op]} {_duration(value)}"
    return f"{_name(field)}{_rest(op, value)}"


def _rest(op: str, value: Any) -> str:
    if op == "is_true":
        return ""
    if value is None:
        return f" {WRITTEN[op]}"
    if op == "between":
        return f" between {_value(value[0])} and {_value(value[1])}"
    if op in _OF_TIME:
        return f" {WRITTEN[op]} {_duration(value)}"
    if op == "on":
        return f" on {value.replace('_', ' ')}"
    return f" {WRITTEN[op]} {_list(value) if isinstance(value, list) else _value(value)}"


def _duration(value: str) -> str:
    return spoken_duration(value) or quoted(value)


def _list(values: list[Any]) -> str:
    return f"({', '.join(map(_value, values))})"


def _value(value: Any) -> str:
    if not isinstance(value, str):
        return repr(value)
    return value if MOMENT.fullmatch(value) else _bare(value)


def _name(field: str) -> str:
    return field if field == "due" else _bare(field)


def _bare(text: str) -> str:
    return text if WORD.fullmatch(text) and text.upper() not in KEYWORDS else quoted(text)
