"""Tests of the JSON interface."""
