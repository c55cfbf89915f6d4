"""May they? Pure functions over plain values; nothing in this package imports Django, reads a clock, or fails."""
