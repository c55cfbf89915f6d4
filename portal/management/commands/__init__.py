"""One command, which writes documentation from the code."""
