"""A network has one spelling, and one that is not meant is refused."""

import pytest

from authz.errors import InvalidName
from authz.formats.networks import parse_network

GOOD = {
    "10.1.0.0/16": "10.1.0.0/16",
    " 192.0.2.7 ": "192.0.2.7/32",
    "10.1.0.0/255.255.0.0": "10.1.0.0/16",
    "2001:DB8:0::/32": "2001:db8::/32",
    "::1": "::1/128",
}


@pytest.mark.parametrize(("typed", "stored"), GOOD.items(), ids=GOOD)
def test_a_network_is_stored_in_one_spelling(typed, stored):
    assert stored == parse_network(typed)
    assert stored == parse_network(stored)


@pytest.mark.parametrize(
    "typed",
    [
        "", "any", "10.1.2.3/16", "10.1.0.0/33", "10.1/16", "256.0.0.1", "010.0.0.1", "10.0.0.0/-1", "10.0.0.1:80",
        "fe80::1%eth0", "[::1]", "10.0.0.0/8, 10.1.0.0/16", "example.com", "::1/129", "\uff110.0.0.1", "0x0a.0.0.1",
    ],
)  # fmt: skip
def test_what_is_no_network_or_has_host_bits_is_refused(typed):
    with pytest.raises(InvalidName, match="is not a network"):
        parse_network(typed)
