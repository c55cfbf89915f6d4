"""The administration in a real browser: its scripts run under the content policy, on wide screens and narrow ones."""

import re
from typing import TYPE_CHECKING

import pytest

from tests.peers.browser import assert_accessible

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.peer("Chromium")

PASSWORD = "correct horse battery"
KEY = re.compile(r"ghk_[a-z2-7]{8}_[A-Za-z0-9]{43}_[0-9A-Za-z]{6}")
SELECT2 = frozenset({"aria-input-field-name"})
"""Django's Select2 gives an inner part of its control a role without a name; the control itself has one."""
NOUNS = (
    "user",
    "group",
    "membership",
    "server",
    "grant",
    "apikey",
    "session",
    "connection",
    "source",
    "run",
    "issuer",
    "proxy",
)
ADDED = tuple(noun for noun in NOUNS if noun not in {"session", "connection", "run"})
"""What can be added by hand."""
KINDS = tuple(f"/admin/authz/source/add/?kind={kind}" for kind in ("ldap", "oidc", "scim"))
"""The forms of directories."""


@pytest.fixture
def administration(portal, page) -> str:
    """Serve a portal in which Carol has just signed in, and return its address."""
    here = portal()
    here.manage("create_administrator", "carol@example.com", "--name", "Carol", env={"NEW_PASSWORD": PASSWORD})
    url = here.serve("serve", "--port", "{port}", ready="/livez").url
    page.goto(f"{url}/admin/")
    page.fill("input[name=email]", "carol@example.com")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{url}/admin/")
    return str(url)


def save(page: "Page", button: str = "_save") -> None:
    with page.expect_navigation():
        page.locator(f"button[name={button}]").click()


def choose(page: "Page", where: str, text: str) -> None:
    """Search in a field that asks the server, and take what it finds."""
    page.locator(f"{where} .select2-selection").last.click()
    page.keyboard.type(text)
    page.locator(".select2-results__option--highlighted", has_text=text).wait_for()
    page.keyboard.press("Enter")


def test_a_day_of_an_administrator(administration, page):
    page.goto(f"{administration}/admin/authz/user/add/")
    page.fill("#id_email", "alice@example.com")
    save(page)
    page.goto(f"{administration}/admin/authz/group/add/")
    page.fill("#id_name", "engineering")
    page.get_by_text("Add another Member").click()
    choose(page, "#memberships-group tbody:not(.empty-form)", "alice@example.com")
    save(page, "_continue")
    assert page.locator("#memberships-group").get_by_text("alice@example.com").is_visible()

    page.goto(f"{administration}/admin/authz/apikey/add/")
    choose(page, ".field-person", "alice@example.com")
    page.fill("#id_name", "laptop")
    page.check("input[value=use]")
    save(page)
    assert KEY.fullmatch(page.input_value("#secret"))
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied.").wait_for()
    page.get_by_text("I have copied it").click()
    page.wait_for_url("**/change/")
    assert not KEY.search(page.content())

    page.goto(f"{administration}/admin/authz/user/?q=alice")
    page.locator("input.action-select").check()
    page.locator("select[name=action]").select_option("suspend_selected")
    with page.expect_navigation():
        page.get_by_role("button", name="Run").click()
    page.fill("input[name=reason]", "on leave")
    save(page, "_sure")
    assert page.get_by_text("Suspended: 1.").is_visible()
    assert page.locator("#result_list").get_by_text("suspended").is_visible()


def test_every_list_and_form_fits_and_keeps_to_the_content_policy(administration, page):
    paths = [f"/admin/authz/{noun}/" for noun in NOUNS]
    paths += [*(f"/admin/authz/{noun}/add/" for noun in ADDED), *KINDS]
    paths += [f"/admin/authz/{noun}/1/{way}/" for noun, way in (("user", "change"), ("server", "change"))]
    paths += [
        "/admin/",
        "/admin/authz/user/1/suspend/",
        "/admin/authz/user/1/password/",
        "/admin/authz/group/2/delete/",
    ]
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for path in paths:
            page.goto(administration + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def test_the_pages_have_no_barriers(administration, page):
    paths = ["/admin/", "/admin/authz/user/1/suspend/", "/admin/authz/user/1/password/", "/admin/authz/group/2/change/"]
    paths += [*(f"/admin/authz/{noun}/add/" for noun in ADDED), *KINDS]
    for path in [*paths, "/admin/authz/user/", "/admin/authz/session/"]:
        page.goto(administration + path)
        assert_accessible(page, but=SELECT2)


def test_a_form_that_was_opened_before_another_was_saved_says_so(page, administration):
    page.goto(f"{administration}/admin/authz/group/add/")
    page.fill("input[name=name]", "builders")
    save(page, "_continue")
    other = page.context.new_page()
    other.goto(page.url)
    other.fill("textarea[name=description]", "Builds things.")
    save(other)
    page.set_viewport_size({"width": 390, "height": 844})
    page.fill("input[name=name]", "makers")
    save(page)
    said = page.get_by_text("Somebody has changed this since you opened it")
    assert said.is_visible()
    assert "Builds things." in said.inner_text()
    assert_accessible(page, but=SELECT2)
    page.goto(page.url)
    page.fill("input[name=name]", "makers")
    save(page)
    assert page.get_by_role("link", name="makers").first.is_visible()
