"""The one signal of ours; nothing depends on who listens."""

from django.dispatch import Signal

changed = Signal()
"""Sent after a change is committed, with `revision`: the World may move on."""
