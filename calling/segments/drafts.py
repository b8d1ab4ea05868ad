"""Rules as somebody hands them over: as JSON, or as text."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from models.errors import BadInput, BadRule
from segmentation.catalogue import Catalogue, OwnFields
from segmentation.language import read_rules
from segmentation.nodes import LabelRule, Node, Rules
from segmentation.problems import Problems
from segmentation.references import inlined
from segmentation.text.reading import read_rule_text, read_text
from segmentation.tree_reader import TreeReader

TEXT = "text"
_IT = ""  # the key of the rule that is asked for: no label has this one


def body_of(given: object, fields: OwnFields) -> object:
    """The JSON body of a rule set; of {"text": ..} what the text says. `fields`: the CRM's own, key -> type.

    Raises BadRuleText with every problem and its place, BadInput.
    """
    if not isinstance(given, dict) or TEXT not in given:
        return given
    return read_text(_only(given, TEXT), fields)


def rules_of(given: object, fields: OwnFields) -> Rules:
    """A rule set, either way. Raises BadRule with every problem."""
    return read_rules(body_of(given, fields), fields)


def tree_of(given: Mapping[str, Any], known: Catalogue, others: Rules) -> Node:
    """One rule, of {"when": tree} or {"text": ..}; the rules of `others` that it names are put in place.

    Raises BadRule with every problem.
    """
    if TEXT in given:
        given = {"when": read_rule_text(_only(given, TEXT), known)}
    problems = Problems()
    keys = {"in_segment": [one.key for one in others.segments], "label": [one.key for one in others.labels]}
    tree = TreeReader(problems, known, keys).rule("when", given.get("when"))
    problems.refuse()
    try:
        return inlined(replace(others, labels=(*others.labels, LabelRule(_IT, _IT, tree)))).labels[-1].when
    except BadRule as bad:  # what it names is right by itself: it is too much together
        raise BadRule([("when", message) for _, message in bad.problems], and_more=bad.and_more) from None


def _only(given: Mapping[str, Any], key: str) -> str:
    if len(given) > 1 or not isinstance(given[key], str):
        raise BadInput(f'rules: as text give nothing but the text: {{"{key}": "segment old: age >= 60"}}')
    return str(given[key])
