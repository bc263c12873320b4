"""Networks: what counts as one place on the internet."""

from ipaddress import IPv6Address, ip_address, ip_network

NOWHERE = "nowhere"
"""Where a caller without an address is: a local socket, or a proxy that says nothing of use."""
_IPV6_PREFIX = 64


def network_of(address: str | None) -> str:
    """The IPv4 address, or the IPv6 network of 64 bits, which is the least that a customer gets (RFC 6177)."""
    if address is None:
        return NOWHERE
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return NOWHERE
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((found, _IPV6_PREFIX), strict=False))
