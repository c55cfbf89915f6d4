"""The fixtures themselves: each starts a real program and leaves nothing behind."""

import asyncio
import sys
import urllib.request

import pytest
from django.db import connection

from tests.patience import HANG
from tests.peers.browser import assert_accessible
from tests.peers.nginx import render
from tests.peers.processes import DidNotStart, free_port, listens

PAGE = """
server {
  listen 127.0.0.1:@PORT@;
  default_type text/html;
  add_header Content-Security-Policy "default-src 'self'";
  location / { return 200 '<!doctype html><html lang=en><title>A page</title><main><h1>Hello</h1></main></html>'; }
  location /barred { return 200 '<!doctype html><html lang=en><title>A page</title><img src=x></html>'; }
}
"""


def test_a_process_is_waited_for_and_stopped(process):
    port = free_port()
    server = process([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)], port=port)
    assert listens(port)
    assert 0 != server.stop()
    assert not listens(port)


def test_a_process_that_ends_early_shows_what_it_said(process):
    with pytest.raises(DidNotStart, match="no such luck"):
        process([sys.executable, "-c", "raise SystemExit('no such luck')"], port=free_port())


def test_nginx_answers_a_whole_configuration(nginx):
    whole = "user www-data;\nevents {}\nhttp { server { listen 8080; location / { return 200 'hello'; } } }"
    url = nginx(whole, replace={"listen 8080": "listen 127.0.0.1:@PORT@"})
    with urllib.request.urlopen(url, timeout=HANG) as answer:
        assert b"hello" == answer.read()


def test_a_shipped_configuration_that_changed_is_noticed(tmp_path):
    with pytest.raises(AssertionError, match="does not say 'portal:8000'"):
        render("listen 127.0.0.1:@PORT@;", directory=tmp_path, port=1, replace={"portal:8000": "127.0.0.1:1"})


def test_a_database_is_made_and_dropped(postgres):
    url = postgres.create()
    name = url.rpartition("/")[2]
    assert postgres.has(name)
    postgres.drop(url)
    assert not postgres.has(name)


def test_a_page_is_opened_beside_the_test_s_transaction(db, nginx, page):
    """Both sides of the browser's loop see the one connection that the test rolls back."""
    assert connection.in_atomic_block
    page.goto(nginx(PAGE))
    assert "Hello" == page.inner_text("h1")
    assert connection.in_atomic_block
    assert_accessible(page)


def test_a_barrier_is_found(nginx, page):
    page.goto(nginx(PAGE) + "/barred")
    with pytest.raises(AssertionError, match="image-alt"):
        assert_accessible(page)


def test_the_browser_leaves_no_event_loop_behind(browser, db):
    assert browser.is_connected()


def test_a_later_test_may_run_a_loop_of_its_own(db):
    async def answer() -> int:
        return 42

    assert 42 == asyncio.run(answer())
    assert connection.in_atomic_block


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_portal_begins_with_a_migrated_database(portal, database):
    here = portal(database=database)
    listed = here.manage("showmigrations").stdout
    assert "[X]" in listed
    assert "[ ]" not in listed
