"""Who is called next, by whom: gates, allocation, leases, the ring, and the way back."""
