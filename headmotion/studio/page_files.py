"""The files of the page: HTML, style and ES modules, as they lie in the folder ``page``."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
INDEX = "index.html"
HEADERS = {
    # Nothing is loaded from elsewhere: pictures come as data, recordings as blobs, live motion over a WebSocket.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self' data: blob: ws:; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # So that a newer version of headmotion is not mixed with files of an older one.
    "Cache-Control": "no-cache",
}


def page_files() -> dict[str, tuple[bytes, str]]:
    """Return the content and the type of each file by its name."""
    folder = files("headmotion.studio") / "page"
    contents = {}
    for entry in folder.iterdir():
        suffix = "." + entry.name.rpartition(".")[2]
        if suffix in TYPES:
            contents[entry.name] = entry.read_bytes(), TYPES[suffix]
    return contents


class PageFiles:
    """The endpoint of the files; names are only compared with those in the folder."""

    def __init__(self) -> None:
        self._files = page_files()

    async def serve(self, request: Request) -> Response:
        """Return a file, or status 404."""
        file = self._files.get(request.path_params.get("name", INDEX))
        if file is None:
            return Response("no such file\n", 404, media_type="text/plain")
        content, media_type = file
        return Response(content, headers=HEADERS, media_type=media_type)
