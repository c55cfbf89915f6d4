"""`scim2-tester`, the conformance suite, against the server in this process."""

from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server


@pytest.mark.django_db(transaction=True)  # a real handler closes its connection after each request
def test_the_conformance_suite_finds_no_error(okta: Any) -> None:
    """By what the server says of itself, and nothing that the test knows."""
    client = WSGISCIMClient(
        get_wsgi_application(),
        base_url="http://localhost/scim/v2",
        headers={"Authorization": f"Bearer {okta.token}"},
    )
    results = check_server(client)
    assert [] == [(each.title, each.reason) for each in results if each.status not in {Status.SUCCESS, Status.SKIPPED}]
    assert [] == [
        (each.title, each.reason)
        for each in results
        if each.status == Status.SKIPPED and each.title != "search_with_attributes"
    ]
    assert len(results) > 100
