"""Measures speed and size as ratios against named references in the same run."""
