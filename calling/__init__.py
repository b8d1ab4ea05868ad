"""The verbs, a folder a moment: intake, hours, handout, dialers, outcomes, segments, walls, views."""
