"""Where parts meet: settings, the application, logs, metrics, hints after the commit."""
