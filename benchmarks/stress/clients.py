"""Campaign of clients: a server and its studio are asked what no page would ask, and go on answering."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import headmotion as hm

from .byte_mutations import MUTATIONS
from .case import Call, Result, summary
from .documents import STRANGE, replaced
from .files import judged
from .good_files import landmarks, recipe, speech

REQUESTS = 6
"""Requests of a case."""
TIMEOUT_S = 120
"""Longest wait for an answer (s)."""
ANSWERS = {200, 204, 400, 401, 403, 404, 405, 413, 503}
"""Statuses of answers; 503 is a server that has no room."""
CLOSED = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1013}
"""Codes with which a session may be closed; 1011 would be an error of the server."""
BOUNDARY = "headmotion-stress"
CONTROLS = {"lips": 1.2, "smooth": 80, "look_at": [10, -5], "opening": [0.1], "more": [{"type": "blink", "rate": 20}]}
HELLO = {"type": "hello", "version": 1, "rate": 16_000, "samples": "float32", "controls": CONTROLS, "fps": "30"}
POINTS = {"points": [[100.0 + k, 100.0 + k % 9] for k in range(68)]}
FILE_NAMES = (
    *("face.png", "../../face.png", "..\\..\\face.png", "/etc/passwd", "C:face.png", "", ".", "a" * 5000, "con.png"),
    *("a\x1b[31m.png", "\u202egnp.a", "\ud800.png", "%2e%2e%2fface.png", "a\0b.png", "'; x=y", '"quoted"', "<b>.png"),
)
"""Names of files in forms, as a browser would never send most of them."""


def documents(face: str, take: str) -> dict[str, dict[str, Any]]:
    """Return a good request in JSON for each path."""
    generator = recipe()["pipeline"]["generator"]  # type: ignore[index]  # JSON values
    return {
        f"/studio/faces/{face}": {"crop": "head"},
        f"/studio/faces/{face}/landmarks": {"crop": "none", "landmarks": landmarks().tolist()},
        "/studio/models": {"generator": generator},
        "/studio/speech": {"text": "Hello.", "voice": "en-us", "words_per_minute": 160},
        f"/studio/takes/{take}/motion": {"controls": CONTROLS},
        f"/studio/takes/{take}/confidence": {"controls": CONTROLS},
        f"/studio/takes/{take}/file": {"format": "npz", "face": face, "crop": "head", "controls": CONTROLS},
    }


def forms(face: str) -> dict[str, dict[str, Any]]:
    """Return a good form for each path: files by name, and options as JSON values."""
    sound, picture = Path("speech.wav").read_bytes(), Path("face.png").read_bytes()
    return {
        "/v1/motion": {"audio": sound, "options": {"format": "npz", "controls": CONTROLS, "seed": 3}},
        "/v1/motion?picture": {"audio": sound, "picture": picture, "options": {"format": "csv"}},
        "/studio/faces": {"picture": picture, "options": {"crop": "head"}},
        "/studio/takes": {"audio": sound, "options": {"face": face, "seed": 1, "style": None}},
    }


@dataclass(frozen=True)
class ClientsCampaign:
    """Requests, forms and sessions with one thing wrong; the server answers each, and the next good one too.

    Args:
        trees: good inputs, as `trees.make` leaves them.
    """

    trees: Path
    name: str = "clients"
    title: str = "clients of serve and studio"

    def run(self, rng: Random, folder: Path) -> Result:
        """Start a server, and be some bad clients."""
        for setup in ("speech.wav", "face.png"):
            shutil.copytree(self.trees / setup, folder / "here", dirs_exist_ok=True)
        kinds = [rng.choice(["document", "form", "session"]) for _ in range(REQUESTS)]
        one = Call(("clients",), (0,), run=partial(ask, kinds, rng.randrange(1 << 30)), is_local=True)
        variant = f"{kinds[0]}: {', '.join(kinds[1:])}"
        findings, outcome = judged(one, folder, variant)
        facts: dict[str, Any] = json.loads(outcome.out) if outcome.status == 0 else {}
        return Result(variant, tuple(findings), facts=facts, **summary([outcome]))


def ask(kinds: list[str], seed: int) -> None:
    """Start a server in this process, and send it requests of some kinds."""
    from headmotion.studio import studio_server

    rng = Random(seed)
    with studio_server({"small": hm.load("model.safetensors", device="cpu")}, port=0) as server:
        client = Client(server.address, server.url, rng)
        client.check()
        for kind in kinds:
            {"document": client.send_document, "form": client.send_form, "session": client.talk}[kind]()
        client.check()
    print(json.dumps(client.answers))


class Client:
    """One that breaks rules.

    Args:
        address: of the server, for HTTP.
        url: of the server, for sessions.
        rng: decides what is wrong.
    """

    def __init__(self, address: str, url: str, rng: Random) -> None:
        self._host, self._url, self._rng = address.removeprefix("http://"), url, rng
        self._face = self._take = ""
        self.answers: Counter[str] = Counter()
        """Answers by status, and closed sessions by code."""

    def check(self) -> None:
        """Make good requests, which must succeed."""
        self._face = json.loads(self._post("/studio/faces/portrait", b"{}", {}, {200}))["name"]
        form = forms(self._face)["/studio/takes"]
        self._take = json.loads(self._post("/studio/takes", *_encoded(form), {200}))["name"]

    def send_document(self) -> None:
        """Send JSON with one other value, or other bytes, to one of the paths."""
        path, document = self._rng.choice(list(documents(self._face, self._take).items()))
        if self._rng.random() < 0.8:
            replaced(document, self._rng)
        body = json.dumps(document).encode("utf-8", "surrogatepass")
        if self._rng.random() < 0.2:
            body = self._damaged(body)
        if self._rng.random() < 0.1:
            path = quote(path.replace(self._take, str(self._rng.choice(STRANGE))).encode("utf-8", "replace"))[:8000]
        self._post(path, body, {"Content-Type": "application/json"}, ANSWERS)

    def send_form(self) -> None:
        """Send a form with one damaged file, option or field."""
        path, form = self._rng.choice(list(forms(self._face).items()))
        name = self._rng.choice(list(form))
        if name == "options":
            replaced(form[name], self._rng)
        elif self._rng.random() < 0.8:
            form[name] = self._damaged(form[name])
        else:
            del form[name]
        body, headers = _encoded(form, self._rng.choice(FILE_NAMES))
        self._post(path, self._damaged(body) if self._rng.random() < 0.1 else body, headers, ANSWERS)

    def talk(self) -> None:
        """Open a session with one thing wrong, and read until it is closed."""
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.client import connect

        hello = json.loads(json.dumps(HELLO | self._rng.choice([{}, {"reference": POINTS}, {"samples": "int16"}])))
        if self._rng.random() < 0.7:
            replaced(hello, self._rng)
        url = f"{self._url}/v1/stream"
        socket = connect(url, proxy=None, compression=None, close_timeout=TIMEOUT_S)
        with socket, suppress(ConnectionClosed):
            socket.send(json.dumps(hello))
            for _ in range(self._rng.randrange(6)):
                socket.send(self._message())
            socket.send('{"type": "end"}')
            while True:
                received = socket.recv(TIMEOUT_S)
                if isinstance(received, str) and (frames := json.loads(received).get("frames")):
                    socket.send(json.dumps({"type": "received", "frames": frames}))
        self.answers[f"closed {socket.close_code}"] += 1
        assert socket.close_code in CLOSED, (socket.close_code, socket.close_reason)

    def _message(self) -> str | bytes:
        samples = speech(0.3).tobytes()
        running: list[Any] = [{"type": "received", "frames": 1}, {"type": "end"}]
        document = self._rng.choice(running)
        replaced(document, self._rng)
        choices: list[str | bytes] = [samples, samples, self._damaged(samples), json.dumps(document), "[" * 5000, b""]
        return self._rng.choice(choices)

    def _damaged(self, content: bytes) -> bytes:
        return MUTATIONS[self._rng.choice(list(MUTATIONS))](content, self._rng)

    def _post(self, path: str, body: bytes, headers: Mapping[str, str], statuses: set[int]) -> bytes:
        connection = HTTPConnection(self._host, timeout=TIMEOUT_S)
        try:
            connection.request("POST", path, body, dict(headers))
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        self.answers[f"answered {response.status}"] += 1
        assert response.status in statuses, (path, response.status, content[:300])
        if response.status >= 400 and response.headers.get_content_type() == "application/json":
            fields = json.loads(content)
            assert fields["type"] == "error" and fields["message"].isprintable(), fields
        return content


def _encoded(form: Mapping[str, Any], file_name: str = "face.png") -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers of a form, whose files have a name."""
    parts = []
    for name, value in form.items():
        file = f'; filename="{file_name}"' if isinstance(value, bytes) else ""
        content = value if isinstance(value, bytes) else json.dumps(value).encode("utf-8", "surrogatepass")
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        parts.append(head.encode("utf-8", "surrogatepass") + content + b"\r\n")
    body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
