"""Tests of the verbs: what they refuse, what they write, and that they do all of it or nothing."""
