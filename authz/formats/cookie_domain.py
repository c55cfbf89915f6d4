"""The Domain of a cookie (RFC 6265 §4.1.2.3), as far as a browser would honour it.

A browser drops a cookie whose Domain does not cover the host that sets it, or is a public suffix such as co.uk (§5.3),
and says nothing of it: whoever signs in is then not signed in, again and again.
"""

import functools
import re
from ipaddress import ip_address
from typing import Final

from publicsuffixlist import PublicSuffixList

NAME: Final = re.compile(
    r"\.?(?=.{1,253}$)([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
"""A name as the DNS has it (RFC 1035 §2.3.1, RFC 1123 §2.1); a dot before it is ignored (RFC 6265 §5.2.3)."""


def problem(domain: str, host: str) -> str | None:
    """Return why a browser would drop a cookie of this domain that a host sets, in words; None if it keeps it."""
    asked, own = domain.lower(), host.lower().removesuffix(".")
    if "://" in asked or "/" in asked or "@" in asked:
        return "it is the name of a domain, without a scheme or a path"
    if _is_address(asked.removeprefix(".")) or _is_address(own.strip("[]")):
        return "an IP address has no domain that hosts could share"
    if ":" in asked:
        return "it is the name of a domain, without a port"
    if not NAME.fullmatch(asked):
        return "it is no name of the DNS; beyond ASCII, write its xn-- form"
    name = asked.removeprefix(".")
    if _suffixes().privatesuffix(name) is None:
        return "it is a public suffix, under which anybody may have a host"
    if own != name and not own.endswith(f".{name}"):
        return f"the portal's host, {host}, is not in it"
    return None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@functools.cache
def _suffixes() -> PublicSuffixList:
    """Return the list; where it knows nothing of a top-level domain, that is a public suffix, as browsers have it."""
    return PublicSuffixList()
