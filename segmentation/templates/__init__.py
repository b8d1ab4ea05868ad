"""Templates: segments and labels that are offered ready-made, and bands worked out of a field's values."""
