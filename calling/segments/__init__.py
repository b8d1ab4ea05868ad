"""What managers and time do to segments: publish, hold, select, sweep; and their history."""
