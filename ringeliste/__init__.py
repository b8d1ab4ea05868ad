"""The front door: command line, embedded servers, demo, simulation."""
