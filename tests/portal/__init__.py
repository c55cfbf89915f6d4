"""Tests of the project: settings, checks, logging, and the first start."""
