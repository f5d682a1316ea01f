"""Where packets go."""

from __future__ import annotations

import socket
from typing import Any

from ..core.errors import HeadmotionError


class UdpTarget:
    """A UDP port of another program, which need not listen.

    Args:
        component: who sends, for the error.
        host: name or address of its computer.
        port: its port.

    Raises:
        HeadmotionError: there is no such address.
    """

    def __init__(self, component: str, host: str, port: int) -> None:
        try:
            resolved = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except (OSError, OverflowError, UnicodeError) as error:
            raise HeadmotionError(component, "the address of a receiver", f"{host}:{port} ({error})") from None
        family, _, _, _, address = resolved[0]
        self._address: Any = address
        self._socket = socket.socket(family, socket.SOCK_DGRAM)

    def send(self, packet: bytes) -> None:
        """Send a packet; it is lost without a receiver."""
        self._socket.sendto(packet, self._address)

    def close(self) -> None:
        """Close the socket; closing twice does nothing."""
        self._socket.close()
