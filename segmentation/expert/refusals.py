"""Why a piece of SQL is not taken, in a few words."""

from sqlglot import exp

from segmentation.expert.gate import NotTaken, span_of

_BECAUSE: tuple[tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], str], ...] = (
    ((exp.Query, exp.Exists), "a query within the predicate is not taken"),
    ((exp.DDL, exp.DML, exp.Command), "a statement is not taken: write one predicate"),
    (exp.Cast, "casts are not taken: write the value as its field has it, a day as '2026-03-02'"),
    (exp.Interval, "an interval stands beside now(), as in last_call < now() - interval '3 days'"),
    (exp.Case, "CASE is not taken"),
    (exp.Column, "two columns are not compared: a column stands beside a value"),
    ((exp.Literal, exp.Null, exp.Boolean, exp.Neg), "every comparison asks one column: none stands here"),
    ((exp.Placeholder, exp.Parameter), "there is nothing to fill in: write the value itself"),
    ((exp.Tuple, exp.Array), "rows and arrays are not taken"),
    ((exp.NullSafeEQ, exp.NullSafeNEQ), "IS DISTINCT FROM is not taken: write = or <>, and IS NULL"),
    ((exp.RegexpLike, exp.RegexpILike, exp.SimilarTo), "patterns other than LIKE and ILIKE are not taken"),
    (exp.In, "IN takes a list of values in brackets"),
)


def why_not(node: exp.Expr, sql: str) -> NotTaken:
    """The refusal of one node."""
    span = span_of(node, sql)
    for kinds, why in _BECAUSE:
        if isinstance(node, kinds):
            return NotTaken(why, span)
    if isinstance(node, exp.Func):
        name = str(node.this) if isinstance(node, exp.Anonymous) else node.sql_name()
        return NotTaken(f"the function {name.lower()[:40]} is not taken", span)
    return NotTaken(f"{node.key.upper()} is not taken", span)
