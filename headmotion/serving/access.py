"""Who may use a server: the addresses it listens on, its token, and the pages that may call it."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from ..core.errors import ServingError
from ..core.short_repr import short_repr

MIN_TOKEN = 16
"""Characters of a token."""


def is_loopback(host: str) -> bool:
    """Return whether only programs on this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class TokenError(ServingError):
    """A client does not know the server's token."""


class Access:
    """Checks of the token and of the origin of a page.

    Args:
        host: the address that the server listens on.
        token: what clients have to know; None: nothing.
        origins: origins of pages that may call the server, such as ``https://example.org``; ``null`` stands for pages
            from files. Pages on this machine may call a server that only this machine can reach and that has no token.

    Raises:
        ServingError: an address that others can reach without a token, a token that is short, or no origin.
    """

    def __init__(self, host: str, token: str | None, origins: Iterable[str] = ()) -> None:
        if token is None and not is_loopback(host):
            remedy = "give --token-file, or listen on 127.0.0.1"
            raise ServingError("server", "a token for an address that others can reach", f"{host} without one", remedy)
        if token is not None and (len(token) < MIN_TOKEN or not token.isascii() or not token.isprintable()):
            raise ServingError("server", f"a token of at least {MIN_TOKEN} printable ASCII characters", "another one")
        self._token, self._origins = token, frozenset(map(_checked_origin, origins))
        self._is_local = is_loopback(host)

    @property
    def has_token(self) -> bool:
        """Whether clients need a token."""
        return self._token is not None

    def check_origin(self, headers: Mapping[str, str]) -> None:
        """Check the page that a request comes from; programs send no origin.

        Raises:
            ServingError: a page that may not call the server.
        """
        origin = headers.get("origin")
        if origin is None or origin in self._origins or (self._is_local and _is_local_page(origin)):
            return
        got = f"one from {short_repr(origin)}"
        raise ServingError("server", "a page of an allowed origin", got, "start the server with --origin")

    def is_authorized(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request names the token in its header ``Authorization: Bearer``."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return self._token is None or (scheme.lower() == "bearer" and self._matches(token.strip()))

    def check_token(self, headers: Mapping[str, str], token: str | None = None) -> None:
        """Check the token of a request, from its header or from its first message.

        Raises:
            TokenError: no token, or another one.
        """
        if self.is_authorized(headers) or (token is not None and self._matches(token)):
            return
        has_token = token is not None or "authorization" in headers
        got = "another one" if has_token else "none"
        raise TokenError("server", "its token", got, "send it as 'Authorization: Bearer TOKEN', or in the hello")

    def _matches(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), (self._token or "").encode())


def _is_local_page(origin: str) -> bool:
    try:
        host = urlsplit(origin).hostname
    except ValueError:
        return False
    return host is not None and is_loopback(host)


def _checked_origin(origin: str) -> str:
    parts = urlsplit(origin)
    if origin != "null" and (not parts.netloc or f"{parts.scheme}://{parts.netloc}" != origin):
        raise ServingError("server", "an origin such as https://example.org", short_repr(origin))
    return origin
