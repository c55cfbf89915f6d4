"""Tables into values: reads, and never writes."""
