"""The expert form: an SQL predicate translated into a rule; no database sees it (docs/rule-text.md)."""
