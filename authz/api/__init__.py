"""The JSON interface for services."""
