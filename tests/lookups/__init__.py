"""Tests of how the World follows the tables."""
