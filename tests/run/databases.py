"""Decides on which database a test runs: on both only where the database takes part in the answer.

A test that touches no database runs with SQLite. So does one that touches it only to have somebody to ask about, if its
file or folder stands below with the reason; what the tables do with the same rows is tested on both elsewhere. Every
other test that touches a database runs on both, so a new one does until somebody has thought about it. A test whose
parameter `database` names one runs with that one.
"""

from typing import Any, Final

TOUCHING: Final = frozenset({"db", "transactional_db", "portal", "postgres", "scratch", "shared_portal"})
"""Fixtures by which a test touches a database, itself or through another fixture."""

OTHER: Final = {"sqlite": "postgresql", "postgresql": "sqlite"}

BROWSER: Final = "a page in a real browser; the tests of its view ask the same of the database on both"
SCREEN: Final = "what a screen takes and shows; test_lists.py and test_saving.py run on both, and so does every verb"
WIRE: Final = "what goes over a connection; the database only says, before that, who somebody is"
SOURCE: Final = "what a directory says, and whether to believe it; what becomes of it in the tables is tested on both"
DIALECT: Final = "how SCIM clients say it; what it does to people, groups and lists is tested on both beside it"
PROCESS: Final = "how processes are begun and ended, on an installation with SQLite as a newcomer's is"

ONCE: Final = {
    **dict.fromkeys((
        "tests/admin/test_browser.py", "tests/admin/test_directories_in_browser.py",
        "tests/pages/test_connections_in_browser.py", "tests/peers/test_peers.py", "tests/whole/test_browser.py",
        "tests/whole/test_way_back.py",
    ), BROWSER),
    **dict.fromkeys((
        "tests/admin/test_connections.py", "tests/admin/test_devices.py", "tests/admin/test_directories.py",
        "tests/admin/test_door.py", "tests/admin/test_grants.py", "tests/admin/test_groups.py",
        "tests/admin/test_issuers.py", "tests/admin/test_keys.py", "tests/admin/test_memberships.py",
        "tests/admin/test_people.py", "tests/admin/test_proxies.py", "tests/admin/test_refused.py",
        "tests/admin/test_servers.py", "tests/admin/test_sessions.py", "tests/pages/test_home.py",
        "tests/pages/test_own_connections.py", "tests/pages/test_own_page.py",
    ), SCREEN),
    **dict.fromkeys((
        "tests/edge", "tests/sockets/test_clients.py", "tests/sockets/test_handshake.py",
        "tests/sockets/test_hostile.py", "tests/sockets/test_in_front.py", "tests/sockets/test_keeper.py",
        "tests/sockets/test_methods.py", "tests/sockets/test_relay.py", "tests/sockets/test_rpc.py",
        "tests/sockets/test_serve_tcp.py", "tests/sockets/test_tcp.py", "tests/sockets/test_tcp_hostile.py",
        "tests/sockets/test_topics.py", "tests/whole/test_default.py", "tests/whole/test_nginx.py",
        "tests/whole/test_nginx_closed.py", "tests/whole/test_nginx_hosts.py", "tests/whole/test_nginx_tls.py",
        "tests/whole/proxies",
    ), WIRE),
    **dict.fromkeys((
        "tests/directory/ldap/test_active_directory.py", "tests/directory/ldap/test_failures.py",
        "tests/directory/ldap/test_pieces.py",
        "tests/directory/ldap/test_reading.py", "tests/directory/ldap/test_settings.py",
        "tests/directory/ldap/test_sign_in.py", "tests/directory/oidc/test_claims.py",
        "tests/directory/oidc/test_forged.py", "tests/directory/oidc/test_keycloak.py",
        "tests/directory/oidc/test_keys.py", "tests/directory/oidc/test_real_provider.py",
        "tests/directory/oidc/test_sign_in.py", "tests/directory/oidc/test_sign_out.py",
        "tests/directory/oidc/test_tried.py", "tests/whole/test_leaver.py",
    ), SOURCE),
    **dict.fromkeys((
        "tests/directory/scim/test_clients.py",
        "tests/directory/scim/test_door.py", "tests/directory/scim/test_tester.py",
    ), DIALECT),
    **dict.fromkeys(("tests/portal/test_quickstart.py", "tests/portal/test_serve.py", "tests/portal/test_start.py"),
        PROCESS),
}  # fmt: skip
"""Files and folders of tests that touch a database and do not depend on which, each with the reason."""


def runs_here(item: Any, database: str) -> bool:
    """Tell whether a test runs with this database."""
    named = item.callspec.params.get("database") if hasattr(item, "callspec") else None
    if named in OTHER:
        return bool(named == database)
    return database == "sqlite" or (touches(item) and reason_for_once(item.nodeid) is None)


def touches(item: Any) -> bool:
    """Tell whether a test touches a database at all."""
    marked = item.get_closest_marker("django_db") is not None
    return marked or not TOUCHING.isdisjoint(getattr(item, "fixturenames", ()))


def reason_for_once(test: str) -> str | None:
    """Return why a test that touches the database runs on one alone; None if it runs on both."""
    path = test.partition("::")[0]
    return next((why for name, why in ONCE.items() if path == name or path.startswith(f"{name}/")), None)
