"""The database of the tests that run within this process: a copy of the run's template."""

from collections.abc import Iterator

import dj_database_url
import pytest
import pytest_django
from django.conf import settings
from django.db import connections

from tests.peers import template
from tests.peers.browser import DRIVER
from tests.peers.portal import new_database


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_blocker: pytest_django.DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """Take the place of pytest-django's own, which would migrate a database in each worker."""
    url = new_database(request.config.getoption("--database"), tmp_path_factory.mktemp("database"))
    with django_db_blocker.unblock():
        connections.close_all()
        name = dj_database_url.parse(url)["NAME"]
        settings.DATABASES["default"]["NAME"] = connections["default"].settings_dict["NAME"] = name
    yield
    driver = request.config.stash.get(DRIVER, None)
    with django_db_blocker.unblock():
        connections.close_all()
        if driver:
            with driver.awake():
                connections.close_all()  # the browser's loop has a connection of its own
    template.drop(url)
