"""How often somebody may be rung: the law's limits and an owner's own, counted in rings."""
