"""National registers of numbers that may not be called: loaded, obeyed, and grown too old."""
