"""What it costs, beside the physical limit measured in the same run."""
