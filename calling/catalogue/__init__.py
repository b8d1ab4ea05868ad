"""The CRM's own fields: which there are, what their values have to be, and how that changes while in use."""
