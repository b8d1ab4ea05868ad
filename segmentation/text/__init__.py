"""Rules as people write and read them; the same trees as the JSON form (docs/rule-text.md)."""
