"""When a customer may be called: zones, law, the CRM's own hours, clocks."""
