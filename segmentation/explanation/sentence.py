"""Why a customer is in their segment, in one line."""

from segmentation.explanation.readable import instant
from segmentation.explanation.standing import Standing
from segmentation.explanation.values import HoldNow, NextChange

LONGEST = 100  # letters of a rule


def why(
    standing: Standing,
    hold: HoldNow | None,
    rule: tuple[str, str] | None,
    belongs_key: str,
    next_change: NextChange | None,
) -> str:
    """`by its rule: attempts >= 3`, `by rule "Tired", held in "Old" by Ann until released: knows them`.

    `rule`: (name, text) of the one that places them; None: they meet none.
    """
    is_there = belongs_key == standing.key
    said = [_placed(hold, rule, is_there=is_there)]
    if not is_there:
        said.append(f'still in "{standing.segment}", to be moved to "{standing.segment_name(belongs_key)}"')
    if next_change:
        said.append(f'from {instant(next_change.at)} on in "{next_change.name}", by time alone')
    return "; ".join(said)


def _placed(hold: HoldNow | None, rule: tuple[str, str] | None, *, is_there: bool) -> str:
    by = "meets no rule" if rule is None else f'by rule "{rule[0]}"'
    if hold:
        until = f"until {instant(hold.until)}" if hold.until else "until released"
        return f'{by}, held in "{hold.name}" by {hold.author} {until}: {hold.reason}'
    if rule is None:
        return by
    return f"{'by its rule' if is_there else by}: {_shortened(rule[1])}"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"
