"""The shipped configuration of each proxy, before one table of checks."""
