"""Rules as somebody hands them over: as JSON, with SQL predicates in it or without, or as text."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from models.errors import BadInput, BadRule
from segmentation.catalogue import Catalogue, OwnFields, catalogue
from segmentation.expert.within import SQL, Translation
from segmentation.language import read_rule, read_rules
from segmentation.nodes import LabelRule, Node, Rules, dump_node
from segmentation.problems import Problems
from segmentation.references import inlined
from segmentation.text.reading import read_rule_text, read_text
from segmentation.text.writing import write_rule
from segmentation.tree_reader import TreeReader

TEXT = "text"
_EXAMPLES = {TEXT: "segment old: age >= 60", SQL: "age >= 60"}
_IT = ""  # the key of the rule that is asked for: no label has this one


def body_of(given: object, fields: OwnFields) -> object:
    """The JSON body of a rule set; of {"text": ..} what the text says, and of {"sql": ..} as a rule its tree.

    `fields`: the CRM's own, key -> type. Raises BadRuleText or BadRule with every problem and its place,
    BadInput.
    """
    if isinstance(given, dict) and TEXT in given:
        return read_text(_only(given, TEXT), fields)
    translation = Translation(catalogue(fields))
    body = translation.body(given)
    if translation.is_refused:
        translation.refuse(also=_problems_of(body, fields))
    return body


def _problems_of(body: object, fields: OwnFields) -> list[tuple[str, str]]:
    try:
        read_rules(body, fields)
    except BadRule as bad:
        return bad.problems
    return []


def tree_of(given: Mapping[str, Any], known: Catalogue, others: Rules) -> Node:
    """One rule, of {"when": tree}, {"text": ..} or {"sql": ..}; what it names of `others` is put in place.

    Raises BadRule with every problem.
    """
    given = {"when": _when(given, known)[0]}
    problems = Problems()
    keys = {"in_segment": [one.key for one in others.segments], "label": [one.key for one in others.labels]}
    tree = TreeReader(problems, known, keys).rule("when", given.get("when"))
    problems.refuse()
    try:
        return inlined(replace(others, labels=(*others.labels, LabelRule(_IT, _IT, tree)))).labels[-1].when
    except BadRule as bad:  # what it names is right by itself: it is too much together
        raise BadRule([("when", message) for _, message in bad.problems], and_more=bad.and_more) from None


@dataclass(frozen=True, slots=True)
class Translated:
    """One rule in both forms. `notes`: where it does not mean just what was said."""

    when: dict[str, Any]
    text: str
    notes: tuple[str, ...]


def translated(given: Mapping[str, Any], known: Catalogue) -> Translated:
    """One rule, of {"when": tree}, {"text": ..} or {"sql": ..}; the rules that it names need not be there.

    Raises BadRule with every problem.
    """
    when, notes = _when(given, known)
    node = read_rule(when, known)
    return Translated(dump_node(node), write_rule(node), notes)


def _when(given: Mapping[str, Any], known: Catalogue) -> tuple[Any, tuple[str, ...]]:
    """The JSON form of a rule, however it is given, and notes."""
    if TEXT in given:
        return read_rule_text(_only(given, TEXT), known), ()
    translation = Translation(known)
    if SQL in given:
        when = translation.tree("", {SQL: _only(given, SQL)})
    else:
        when = translation.tree("when", given.get("when"))
    translation.refuse()
    return when, tuple(translation.notes)


def _only(given: Mapping[str, Any], key: str) -> str:
    if len(given) > 1 or not isinstance(given[key], str):
        raise BadInput(f'rules: beside "{key}" give nothing else: {{"{key}": "{_EXAMPLES[key]}"}}')
    return str(given[key])
