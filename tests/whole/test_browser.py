"""A person with a browser: signs in, administers, and the proxy's answer changes with what is saved."""

from typing import TYPE_CHECKING

import pytest

from tests.acts import PASSWORD
from tests.installation import ask
from tests.patience import eventually
from tests.peers.browser import assert_accessible

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.peer("Chromium")
NARROW = {"width": 390, "height": 844}


@pytest.fixture
def here(install):
    return install(database="sqlite")


@pytest.fixture
def url(here):
    return here.portal.serve("serve", "--no-sequencer", "--port", "{port}", ready="/readyz").url


def sign_in(page: "Page", url: str, name: str, password: str = PASSWORD) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("E-mail").fill(f"{name}@example.com")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def fits(page: "Page") -> bool:
    """Return whether nothing has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_one_signs_in_looks_around_and_signs_out(here, url, page):
    page.goto(url)
    assert f"{url}/login" == page.url
    assert_accessible(page)
    sign_in(page, url, "alice", "wrong")
    page.get_by_role("alert").wait_for()
    assert "do not belong together" in page.get_by_role("alert").inner_text()
    assert_accessible(page)
    sign_in(page, url, "alice")
    page.wait_for_url(f"{url}/")
    assert "Alice" == page.get_by_role("heading", level=1).inner_text()
    assert page.get_by_text("search").is_visible()
    assert not page.get_by_role("link", name="Administration").is_visible()
    assert_accessible(page)
    page.set_viewport_size(NARROW)
    assert fits(page)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{url}/login")
    assert fits(page)
    page.goto(url)
    assert f"{url}/login" == page.url


def choose(page: "Page", where: str, text: str) -> None:
    """Search in a field that asks the server, and take what it finds."""
    page.locator(f"{where} .select2-selection").last.click()
    page.keyboard.type(text)
    page.locator(".select2-results__option--highlighted", has_text=text).wait_for()
    page.keyboard.press("Enter")


def save(page: "Page") -> None:
    with page.expect_navigation():
        page.locator("button[name=_save]").click()


def test_what_carol_saves_is_what_the_proxy_is_told(here, url, page):
    """Mallory may use nothing; she is put in a group, the group is granted a server, and then she is suspended."""
    edge = here.edge()

    def mallory():
        return ask(edge, "/crm/x", here.cookie("mallory")).status

    sign_in(page, url, "carol")
    page.wait_for_url(f"{url}/")
    page.get_by_role("link", name="Administration").click()
    page.wait_for_url(f"{url}/admin/")
    assert 403 == mallory()

    page.goto(f"{url}/admin/authz/group/add/")
    page.fill("#id_name", "visitors")
    page.get_by_text("Add another Member").click()
    choose(page, "#memberships-group tbody:not(.empty-form)", "mallory@example.com")
    save(page)
    assert 403 == mallory()

    page.goto(f"{url}/admin/authz/grant/add/")
    choose(page, ".field-server", "crm")
    choose(page, ".field-group", "visitors")
    save(page)
    eventually(mallory, 200)
    assert 401 == ask(edge, "/crm/x").status

    page.goto(f"{url}/admin/authz/user/?q=mallory")
    page.get_by_role("link", name="mallory@example.com").click()
    page.get_by_role("link", name="Suspend").or_(page.get_by_role("button", name="Suspend")).first.click()
    page.wait_for_load_state()
    if page.get_by_role("button", name="Suspend").count():
        page.get_by_role("button", name="Suspend").first.click()
        page.wait_for_load_state()
    eventually(mallory, 401)
    assert 200 == ask(edge, "/crm/x", here.cookie("bob")).status
