"""What begins work that nobody asked for: one scheduler leads and ticks, spares wait."""
