"""The administration: Django admin, one file per noun, and a client of `changes`."""
