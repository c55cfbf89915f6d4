"""The real programs that tests run against, each started by a fixture and stopped by its number."""
