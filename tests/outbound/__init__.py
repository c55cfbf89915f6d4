"""Tests of what we ask of somebody else."""
