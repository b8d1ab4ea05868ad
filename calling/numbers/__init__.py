"""Which of a customer's numbers is rung: the plan of an assignment, and why one comes before another."""
