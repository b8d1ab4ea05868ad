"""A file becomes customers with numbers, clocks and fields, and they enter an assignment."""
