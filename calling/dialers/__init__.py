"""The dialer's side of a lease: orders out, events in."""
