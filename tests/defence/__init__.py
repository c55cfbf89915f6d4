"""Tests of what keeps one caller from taking everything."""
