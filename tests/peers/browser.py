"""Chromium, driven as a person would use it."""

import asyncio
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.peers import parts
from tests.peers.needs import need
from tests.run.leftovers import kept

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ARGUMENTS = [
    "--no-sandbox",  # the sandbox refuses to run as root
    "--disable-dev-shm-usage",  # a container's /dev/shm is too small for it
    "--disable-gpu",
    # A browser under test calls nobody but the portal.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

SERIOUS = frozenset({"serious", "critical"})


UNSAFE = "DJANGO_ALLOW_ASYNC_UNSAFE"


class Driver:
    """The program that drives the browser, and the event loop that it leaves marked as running in this thread.

    Under that mark Django opens a second connection, which does not see the transaction of the first, and refuses to
    use it; asyncio.run() is refused as well. So the mark holds for the whole of a test that uses the browser, with
    Django's refusal lifted, and for no other test.
    """

    def __init__(self) -> None:
        # Half a second that only a run with browser tests pays.
        from playwright.sync_api import sync_playwright  # noqa: PLC0415

        self._playwright = sync_playwright().start()
        self._loop = asyncio.get_running_loop()
        self._browser: Browser | None = None
        asyncio._set_running_loop(None)  # noqa: SLF001  asyncio offers it to whoever implements a loop

    def browser(self, program: Path) -> "Browser":
        """Return the browser, which the first caller starts."""
        if self._browser is None:
            with kept():
                self._browser = self._playwright.chromium.launch(executable_path=str(program), args=ARGUMENTS)
        return self._browser

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Mark the loop as running and let Django's database be called beside it."""
        before = asyncio._get_running_loop()  # noqa: SLF001  see __init__
        asyncio._set_running_loop(self._loop)  # noqa: SLF001
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(UNSAFE, "true")
            yield
        asyncio._set_running_loop(before)  # noqa: SLF001

    def stop(self) -> None:
        """Close the browser and the program that drives it."""
        with self.awake():
            if self._browser is not None:
                self._browser.close()
            self._playwright.stop()


DRIVER = pytest.StashKey[Driver]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Wake the browser's loop before the first fixture of a test that uses it, and for that test only."""
    uses_browser = "browser" in getattr(item, "fixturenames", ())
    if not uses_browser or parts.named("Chromium").find() is None:
        return (yield)
    if DRIVER not in item.config.stash:
        with kept():
            item.config.stash[DRIVER] = Driver()
    with item.config.stash[DRIVER].awake():
        return (yield)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Close the browser with the last test."""
    if driver := session.config.stash.get(DRIVER, None):
        driver.stop()


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> "Iterator[Browser]":
    """Return the browser, for a test about several people: `alice = browser.new_context().new_page()`.

    Name it, `context` or `page` as an argument of the test or of its fixtures: getfixturevalue() comes too late.
    """
    program = need("Chromium")
    browser = request.config.stash[DRIVER].browser(program)
    yield browser
    for context in browser.contexts:
        context.close()


@pytest.fixture
def context(browser: "Browser") -> "BrowserContext":
    """Return a browser profile without cookies: one person at one desk."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    return context


@pytest.fixture
def page(context: "BrowserContext") -> "Iterator[Page]":
    """Return an empty page; its test fails if a script of the page does, or if the content policy stops one."""
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda line: broken.append(line.text) if "Content Security Policy" in line.text else None)
    yield page
    assert not broken, "scripts of the page failed:\n" + "\n".join(broken)


def assert_accessible(page: "Page", *, but: frozenset[str] = frozenset()) -> None:
    """Refuse a page on which axe-core finds a serious or critical barrier; `but` names rules to leave out."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  only a run with browser tests reads its script

    found = Axe().run(page).response["violations"]
    barriers = [
        f"{each['id']} ({each['impact']}): {each['help']}\n    " + "\n    ".join(node["html"] for node in each["nodes"])
        for each in found
        if each["impact"] in SERIOUS and each["id"] not in but
    ]
    assert not barriers, f"{page.url} is not accessible:\n" + "\n".join(barriers)
