"""What the tests run asks nobody outside this machine: an audit hook refuses it."""

import ipaddress
import socket
import sys
from typing import Any


class NetworkAsked(BaseException):
    """Something of a test would leave the machine; no `except Exception` hides it."""


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise NetworkAsked for a connection, or a question for a name, that leads outside."""
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and not _own(str(address[0])):
            raise NetworkAsked(f"{event} {address}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname") and not _own(arguments[0]):
        raise NetworkAsked(f"{event} {arguments[0]}")


def _own(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def hold() -> None:
    """From now on, in this process."""
    sys.addaudithook(refuse)
