"""Networks and addresses in their one spelling (RFC 4632 and RFC 4291)."""

from ipaddress import ip_network

from authz.errors import InvalidName


def parse_network(text: str) -> str:
    """Return a network in CIDR form; a lone address becomes /32 or /128."""
    try:
        network = ip_network(text.strip())
    except ValueError as error:
        message = f"{text.strip()!r} is not a network: {error}"
        raise InvalidName(message) from None
    if getattr(network.network_address, "scope_id", None) is not None:
        message = f"{text.strip()!r} is not a network: it names an interface of one machine"
        raise InvalidName(message)
    return str(network)
