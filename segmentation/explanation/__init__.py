"""Why a customer is in their segment, question by question, and when time alone will change it."""
