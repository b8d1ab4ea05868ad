"""Promised calls: a time on the customer's wall becomes an instant, is kept, changed, handed over, listed."""
