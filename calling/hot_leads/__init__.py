"""Hot leads: whoever is to be rung before all others, now. Made by hand or API, watched by a tick, listed."""
