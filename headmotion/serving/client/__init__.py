"""Clients of a server: `connect` for programs that wait, `connect_async` for asyncio."""

from .async_client import AsyncClientSession, connect_async
from .connect_options import ConnectOptions
from .sync_client import ClientSession, connect

__all__ = ["AsyncClientSession", "ClientSession", "ConnectOptions", "connect", "connect_async"]
