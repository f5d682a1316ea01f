import hashlib
import logging
import urllib.request
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from headmotion.core.errors import CheckpointError, DetectorError
from headmotion.core.weights import find_weights, load_archive, load_weights


class Response:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def __enter__(self) -> "Response":
        return self

    def __exit__(self, *_: object) -> None: ...

    def read(self, _: int) -> bytes:
        content, self.content = self.content, b""
        return content


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return tmp_path / "checkpoints"


def test_fetched_weights_are_checked_and_kept(
    hub: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    requests = []

    def respond(url: str, timeout: float) -> Response:
        requests.append(url)
        assert timeout <= 30
        return Response(b"weights")

    monkeypatch.setattr(urllib.request, "urlopen", respond)
    digest = hashlib.sha256(b"weights").hexdigest()[:10]
    url = f"https://host/net-{digest}.pth"
    assert find_weights(None, url, True, "x") == hub / f"net-{digest}.pth"
    assert find_weights(None, url, False, "x").read_bytes() == b"weights"
    assert requests == [url] and [record.levelno for record in caplog.records] == [logging.WARNING]
    with pytest.raises(DetectorError, match="SHA-256"):
        find_weights(None, "https://host/net-0123456789.pth", True, "x", DetectorError)
    assert [path.name for path in hub.iterdir()] == [f"net-{digest}.pth"]


def test_archives_are_read_by_a_torch_that_does_so_safely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "a.pth")
    assert load_archive(tmp_path / "a.pth", "cpu")["a"].tolist() == [1, 1]
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(CheckpointError, match=r"torch 2\.6 or newer.*got torch 2\.5\.1"):
        load_archive(tmp_path / "a.pth", "cpu")


def test_without_leave_nothing_is_fetched(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", None)
    with pytest.raises(CheckpointError, match=r"put net\.pth \(from https://host/net\.pth\) into .*, or ask$"):
        find_weights(None, "https://host/net.pth", False, "x", otherwise="or ask")
    with pytest.raises(CheckpointError, match=r"the weights net\.pth, got no file nowhere\.pth"):
        find_weights("nowhere.pth", "https://host/net.pth", True, "x")


def test_loading_fills_and_freezes_a_network(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    stored = {"weight": torch.ones(2, 3), "bias": torch.zeros(2), "classifier": torch.zeros(9)}
    save_file(stored, path)
    network = nn.Linear(3, 2)
    assert load_weights(network, str(path), "Net") == hashlib.sha256(path.read_bytes()).hexdigest()
    assert torch.equal(network.weight, stored["weight"])
    assert not network.training and not network.weight.requires_grad


def test_weights_that_do_not_fit_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_file({"weight": torch.ones(2, 3)}, path)
    with pytest.raises(CheckpointError, match=r"2 tensors .* 1 are missing or of another shape: bias .*; ask$"):
        load_weights(nn.Linear(3, 2), str(path), "Net", "ask")
    path.write_bytes(b"damaged")
    for source in (path, tmp_path / "none.safetensors"):
        with pytest.raises(CheckpointError, match=r"a \.safetensors file, got"):
            load_weights(nn.Linear(3, 2), str(source), "Net")
