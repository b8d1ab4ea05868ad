"""How calls are made: the port, and one file an adapter. Knows values only, no tables."""
