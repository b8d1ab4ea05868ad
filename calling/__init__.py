"""The verbs, in the order data meets them: import, clocks, gates, allocate, ring, outcome, pause, explain."""
