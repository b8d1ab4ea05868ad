"""What is changed about customers themselves: their data, and the tags they carry."""
