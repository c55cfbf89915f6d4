"""Gives tests of the whole their installations, and an application that tells what reached it."""

from collections.abc import Iterator

import pytest

from tests.installation import install
from tests.whole.echo import Echo

__all__ = ["install"]  # pytest finds the fixture here


@pytest.fixture
def echo() -> Iterator[Echo]:
    """Return an application behind the proxy that answers with what it was sent."""
    application = Echo()
    yield application
    application.stop()
