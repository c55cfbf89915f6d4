"""Keeps people and groups in step with directories: read into Observed, plan, brake, apply, record."""
