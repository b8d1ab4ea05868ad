"""The doors for people and machines: API v1 and the pages. No rule of calling lives here."""
