"""Networks: what counts as one place on the internet."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

NOWHERE = "nowhere"
"""Where a caller without an address is: a local socket, or a proxy that says nothing of use."""
_ONE_NETWORK = 64
_ONE_CUSTOMER = 48


def network_of(address: str | None) -> str:
    """The IPv4 address, or the IPv6 network of 64 bits, which is the least that a customer gets (RFC 6177)."""
    found = _parsed(address)
    if found is None:
        return NOWHERE
    return str(ip_network((found, _ONE_NETWORK), strict=False)) if isinstance(found, IPv6Address) else str(found)


def wider_network_of(address: str | None) -> str | None:
    """The IPv6 network of 48 bits, which is the most that a customer usually gets; None for IPv4."""
    found = _parsed(address)
    return str(ip_network((found, _ONE_CUSTOMER), strict=False)) if isinstance(found, IPv6Address) else None


def _parsed(address: str | None) -> IPv4Address | IPv6Address | None:
    """The address; of one that IPv6 carries for IPv4, the latter. None for what is none."""
    try:
        found = ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
