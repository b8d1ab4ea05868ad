"""The doors for people and machines: API and pages."""
