"""Tests of whole portals: real processes, real proxies, a real browser."""
