"""One process ticks, spares wait. It holds no truth: each tick looks at rows."""
