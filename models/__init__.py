"""The nouns: values, tables, errors, and the hot SQL beside them. Imports nothing of ours."""
