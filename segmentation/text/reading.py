"""Rules written as text, read into the JSON form; the validator is the one of language.py."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from lark import Token

from models.errors import BadInput, BadRule
from segmentation.catalogue import Catalogue, OwnFields, catalogue
from segmentation.language import MAX_LABELS, MAX_SEGMENTS, read_rule, read_rules
from segmentation.places import Faults
from segmentation.text.blocks import Block, blocks, named, span_of
from segmentation.text.syntax import parse
from segmentation.text.tokens import tokens
from segmentation.text.tree import EVERYBODY, Builder
from segmentation.text.words import in_words

MAX_CHARACTERS = 1_000_000
MAX_PIECES = 200_000  # words, values and signs

Body = dict[str, Any]

_MOST = {"segments": MAX_SEGMENTS, "labels": MAX_LABELS}


def read_text(text: str, fields: OwnFields) -> Body:
    """A rule set's text as the JSON body that read_rules takes. `fields`: the CRM's own.

    Raises BadRuleText with every problem and its place, BadInput if the text is too long.
    """
    faults, known = _faults(text), catalogue(fields)
    body: Body = {"segments": []}
    for block in blocks(_pieces(text), faults):
        if faults.is_full:
            faults.refuse()
        where = f"{block.kind}s"
        number = len(body.setdefault(where, []))
        body[where].append(_one(block, f"{where}[{number}]", faults, known, is_read=number < _MOST[where]))
    try:
        read_rules(body, fields)
    except BadRule as bad:
        faults.take(bad, dict(in_words(body, bad, known)))
    faults.refuse()
    return body


def read_rule_text(text: str, known: Catalogue) -> Body:
    """The text of one rule, without a heading, as the JSON form of its tree. Raises as read_text does."""
    faults = _faults(text)
    when = _rule(_pieces(text), "when", faults, known)
    try:
        read_rule(when, known)
    except BadRule as bad:
        faults.take(bad, dict(in_words({"when": when}, bad, known)))
    faults.refuse()
    return when


def _faults(text: str) -> Faults:
    if len(text) > MAX_CHARACTERS:
        raise BadInput(f"the rules are {len(text)} characters long; at most {MAX_CHARACTERS} are allowed")
    return Faults(text)


def _pieces(text: str) -> list[Token]:
    pieces = list(islice(tokens(text), MAX_PIECES + 1))
    if len(pieces) > MAX_PIECES:
        raise BadInput(f"the rules have more than {MAX_PIECES:,} words and signs: give them as JSON")
    return pieces


def _one(block: Block, path: str, faults: Faults, known: Catalogue, *, is_read: bool) -> Body:
    faults.spans[path] = block.head
    faults.spans[f"{path}.key"] = span_of([block.key])
    faults.spans[f"{path}.name"] = span_of([block.name or block.key])
    if not block.rule:
        faults.add(f"{path}.when", "has no rule: say who belongs here, or everybody", block.head)
        return named(block) | {"when": EVERYBODY}
    if not is_read:  # there are too many, which is told
        return named(block) | {"when": EVERYBODY}
    return named(block) | {"when": _rule(block.rule, f"{path}.when", faults, known)}


def _rule(pieces: Sequence[Token], path: str, faults: Faults, known: Catalogue) -> Body:
    tree = parse(pieces, path, faults, known)
    if tree is None:
        return EVERYBODY
    return Builder(faults, {key: field.type for key, field in known.items()}).node(tree, path)
