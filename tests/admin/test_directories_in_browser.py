"""A directory in a real browser: added, brought in step by the worker beside the portal, held, and approved."""

import json
from typing import Any

import pytest

from tests.admin.test_browser import PASSWORD
from tests.patience import HANG, until
from tests.peers.browser import assert_accessible
from tests.peers.portal import WITH_WORKER
from tests.peers.slapd import GROUPS, PEOPLE, READER, READER_PASSWORD, dn_of

pytestmark = [pytest.mark.peer("Chromium"), pytest.mark.peer("OpenLDAP")]

NARROW = {"width": 360, "height": 740}


def wait_for(page: Any, words: str) -> None:
    """Wait until a page that looks again by itself says these words."""
    until(lambda: words in page.inner_text("main, #main, body"), repr(words))
    assert words in page.inner_text("body")


def follow(page: Any, name: str) -> None:
    """Press a button above a form."""
    with page.expect_navigation():
        page.locator(f'a[href*="/source/1/{name}"]:visible, a[href*="/run/"][href*="/{name}"]:visible').first.click()


def press(page: Any, name: str) -> None:
    """Press a button above a form, and answer its question with yes."""
    follow(page, name)
    with page.expect_navigation():
        page.locator("button[name=_sure]").click()


def test_a_day_with_a_directory(portal: Any, page: Any, slapd: Any) -> None:
    here = portal()
    here.manage("create_administrator", "root@gate.example.com", "--name", "Root", env={"NEW_PASSWORD": PASSWORD})
    url = here.serve("serve", "--port", "{port}", WITH_WORKER, ready="/livez").url
    page.goto(f"{url}/admin/")
    page.fill("input[name=email]", "root@gate.example.com")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{url}/admin/")

    page.goto(f"{url}/admin/authz/source/add/")
    page.get_by_role("link", name="LDAP: OpenLDAP, 389 and others").click()
    fields = {
        "name": "corp", "urls": slapd.url, "people_base": PEOPLE, "groups_base": GROUPS, "bind_dn": READER,
        "new_secret": READER_PASSWORD, "free_number": "1",
    }  # fmt: skip
    for name, text in fields.items():
        page.fill(f"[name={name}]", text)
    with page.expect_navigation():
        page.locator("button[name=_continue]").click()
    follow(page, "test")
    wait_for(page, "is not trusted")  # its certificate is signed by an authority that nobody named
    page.go_back()
    page.fill("[name=ca]", slapd.ca)
    with page.expect_navigation():
        page.locator("button[name=_continue]").click()
    follow(page, "test")
    wait_for(page, "find groups")
    assert "alice@example.com" in page.inner_text("body")
    assert_accessible(page)
    page.go_back()

    press(page, "sync")
    wait_for(page, "4 people created")
    for name in ("alice", "bob"):
        slapd.delete(dn_of(name))
    page.goto(f"{url}/admin/authz/source/1/change/")
    press(page, "sync")
    wait_for(page, "2 of 4 people would be suspended")
    wait_for(page, "waits for approval")
    assert_accessible(page)
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    page.set_viewport_size({"width": 1280, "height": 900})

    page.goto(f"{url}/admin/")
    assert "ldap:corp waits for approval" in page.inner_text("body")
    assert_accessible(page)
    page.get_by_role("link", name="ldap:corp waits for approval").click()
    press(page, "approve")
    wait_for(page, "by root@gate.example.com")
    page.get_by_text("done", exact=True).wait_for(timeout=HANG * 1000)
    found = here.manage("shell", "-c", "import json\nfrom authz.models import User\nprint(json.dumps(list(User.objects."
        "filter(is_active=True).order_by('email').values_list('email', flat=True))))").stdout  # fmt: skip
    assert ["carol@example.com", "mallory@example.com", "root@gate.example.com"] == json.loads(found.splitlines()[-1])
