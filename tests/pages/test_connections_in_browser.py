"""A person whose page holds WebSockets sees them and ends one; an administrator ends the others."""

from typing import TYPE_CHECKING

import pytest

from tests.patience import eventually
from tests.peers.browser import assert_accessible

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.peer("Chromium")

PASSWORD = "correct horse battery"
CONNECT = """() => new Promise((opened, failed) => {
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws/rpc`);
    window.ended = window.ended || [];
    socket.onopen = () => opened(true);
    socket.onclose = (event) => { window.ended.push(event.code); failed(event.code); };
})"""


@pytest.fixture
def url(portal) -> str:
    """Serve a portal that Carol administers, and return its address."""
    here = portal()
    here.manage("create_administrator", "carol@example.com", "--name", "Carol", env={"NEW_PASSWORD": PASSWORD})
    return str(here.serve("serve", "--port", "{port}", ready="/readyz").url)


def sign_in(page: "Page", url: str) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("E-mail").fill("carol@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")


def reload_until(page: "Page", count: int) -> None:
    """Look at one's own page until it lists so many connections."""

    def listed() -> int:
        page.reload()
        return page.get_by_role("button", name="Disconnect from JSON-RPC").count()

    eventually(listed, count)


def test_connections_are_seen_and_ended(url, context, page):
    sign_in(page, url)
    holder = context.new_page()
    holder.goto(f"{url}/logout")  # a page of ours that asks for nothing
    for _ in range(3):
        assert holder.evaluate(CONNECT)
    reload_until(page, 3)
    assert page.get_by_text("by this sign-in").first.is_visible()

    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert_accessible(page)

    page.get_by_role("button", name="Disconnect from JSON-RPC").first.click()
    holder.wait_for_function("window.ended.length === 1")
    assert [4005] == holder.evaluate("window.ended")

    page.goto(f"{url}/admin/authz/connection/")
    assert_accessible(page)
    assert 2 == page.locator("#result_list tbody tr").count()
    page.locator("#result_list tbody tr a").first.click()
    page.wait_for_url("**/change/")
    assert_accessible(page)
    page.get_by_role("link", name="Disconnect all of this person").click()
    page.get_by_label("Reason").fill("the day is over")
    with page.expect_navigation():
        page.locator("button[name=_sure]").click()
    assert page.get_by_text("All connections of this person were ended.").is_visible()
    holder.wait_for_function("window.ended.length === 3")
    assert [4005] * 3 == holder.evaluate("window.ended")
    page.goto(url)
    assert 0 == page.get_by_text("Your live connections").count()
