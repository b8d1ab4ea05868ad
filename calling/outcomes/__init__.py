"""What a call came to, and what that makes of its customer."""
