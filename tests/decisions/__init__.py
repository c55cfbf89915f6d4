"""Tests of the pure core: policy worlds, a reference model, and what must hold between them."""
