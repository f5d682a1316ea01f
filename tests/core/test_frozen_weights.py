"""Frozen weights inside a checkpoint and outside of it."""

import copy
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import headmotion as hm
from headmotion.core.frozen_weights import FOLDERS_VARIABLE
from headmotion.core.plugins import registry
from headmotion.testing import check_component

PLUGIN = """
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import headmotion as hm


class NetSpec(hm.FrozenWeights, hm.AudioEncoderSpec):
    '''A small frozen network over log mel energies.'''

    type: Literal["frozen/net"] = "frozen/net"
    hidden: int = 8
    '''Channels.'''

    def bundled_weights(self) -> Mapping[str, Path]:
        return {"tiny": Path(__file__).with_name("tiny.safetensors")}

    def build(self, context):
        from frozen_parts import Net

        return Net(self, context)


@hm.hookimpl
def headmotion_specs():
    return [NetSpec]
"""

PARTS = """
import torch
from torch import nn

import headmotion as hm


class Net(hm.AudioEncoder):
    def __init__(self, spec, context):
        super().__init__(spec)
        self.mel = hm.resolve_spec("audio_encoder", "log-mel").build(context)
        self.sample_rate, self.hop, self.channels = self.mel.sample_rate, self.mel.hop, spec.hidden
        self.look_back, self.look_ahead = None, self.mel.look_ahead
        self.network = nn.ModuleDict({
            "norm": nn.BatchNorm1d(26), "lstm": nn.LSTM(26, spec.hidden, batch_first=True),
        })
        self.spec = hm.load_frozen(self.network, spec, context)

    def forward(self, wave, steps=None):
        mel = self.network["norm"](self.mel(wave, steps).mT).mT
        return self.network["lstm"](mel)[0] if mel.shape[1] else mel[..., :self.channels]
"""

SPEECH = (np.sin(np.arange(16_000) / 20).astype(np.float32), 16_000)


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    norm = nn.BatchNorm1d(26)
    norm(torch.randn(9, 26) - 3)
    return nn.ModuleDict({"norm": norm, "lstm": nn.LSTM(26, 8, batch_first=True)})


@pytest.fixture
def file(fake_plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file of weights, and a plugin with a part that reads it."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "frozen_parts.py").write_text(PARTS)
    monkeypatch.syspath_prepend(modules)
    monkeypatch.delitem(sys.modules, "frozen_parts", raising=False)
    monkeypatch.delenv(FOLDERS_VARIABLE, raising=False)
    fake_plugins.install("headmotion-frozen", PLUGIN, name="frozen")
    registry.cache_clear()
    with torch.random.fork_rng(devices=[]):
        save_file(network(7).state_dict(), tmp_path / "net.safetensors")
    yield tmp_path / "net.safetensors"
    registry.cache_clear()


def spec(file: Path, **fields: object) -> dict[str, object]:
    return {"audio_encoder": {"type": "frozen/net", "weights": str(file), **fields}}


def test_the_weights_are_the_files_and_nobody_trains_them(file: Path) -> None:
    encoder = hm.build(spec(file), device="cpu").audio_encoder
    with torch.random.fork_rng(devices=[]):
        expected = network(7).eval()
    for name, tensor in expected.state_dict().items():
        if "num_batches" not in name:
            assert torch.equal(encoder.network.state_dict()[name], tensor), name
    encoder.train()
    assert not list(encoder.parameters())
    assert not any(module.training for module in copy.deepcopy(encoder).network.modules())
    wave = torch.from_numpy(SPEECH[0])[None]
    mel = expected["norm"](encoder.mel(wave).mT).mT
    assert torch.equal(encoder(wave), expected["lstm"](mel)[0].detach())
    # Buffers that nobody stores stay out of the checkpoint.
    assert not any(name.startswith("mel.") for name in encoder.state_dict())


def test_inside_the_checkpoint_the_file_is_not_needed(file: Path, tmp_path: Path) -> None:
    pipe = hm.build(spec(file), device="cpu")
    motion = pipe.generate(SPEECH)
    path = pipe.save(tmp_path / "model.safetensors")
    assert "audio_encoder.network.lstm.weight_ih_l0" in pipe.state_dict()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    file.unlink()
    loaded = hm.load(path, device="cpu")
    assert torch.equal(loaded.generate(SPEECH).values, motion.values)
    # What is loaded says where the weights came from, and gives the same file again.
    assert loaded.spec == pipe.spec
    assert loaded.spec.model_dump()["audio_encoder"]["weights_sha256"] == digest
    assert loaded.save(tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_outside_the_checkpoint_the_file_is_found_by_its_sha256(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = hm.build(spec(file, weights_in_checkpoint=False), device="cpu")
    motion = pipe.generate(SPEECH)
    path = pipe.save(tmp_path / "model.safetensors")
    assert not any(name.startswith("audio_encoder.") for name in pipe.state_dict())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert torch.equal(hm.load(path, device="cpu").generate(SPEECH).values, motion.values)

    shared = tmp_path / "shared"
    shared.mkdir()
    file.rename(shared / "net.safetensors")
    missing = rf"audio_encoder frozen/net: expected the weights net\.safetensors with SHA-256 {digest}, got no file .*"
    with pytest.raises(hm.CheckpointError, match=missing + "HEADMOTION_WEIGHTS names$"):
        hm.load(path, device="cpu")
    monkeypatch.setenv(FOLDERS_VARIABLE, f"{tmp_path / 'nowhere'}:{shared}")
    assert torch.equal(hm.load(path, device="cpu").generate(SPEECH).values, motion.values)
    (shared / "net.safetensors").rename(shared / f"{digest}.safetensors")
    assert torch.equal(hm.load(path, device="cpu").generate(SPEECH).values, motion.values)

    # Another file under the old name does not hide the right one, and is refused where it is the only one.
    with torch.random.fork_rng(devices=[]):
        save_file(network(8).state_dict(), file)
    assert torch.equal(hm.load(path, device="cpu").generate(SPEECH).values, motion.values)
    monkeypatch.delenv(FOLDERS_VARIABLE)
    with pytest.raises(hm.CheckpointError, match=rf"SHA-256 {digest}, got .*net\.safetensors with SHA-256 [0-9a-f]+; "):
        hm.load(path, device="cpu")


def test_bundled_weights_have_a_name(file: Path) -> None:
    plugin = sys.modules[type(hm.resolve_spec("audio_encoder", spec(file)["audio_encoder"])).__module__]
    file.rename(Path(str(plugin.__file__)).with_name("tiny.safetensors"))
    assert not list(hm.build(spec(Path("tiny")), device="cpu").audio_encoder.parameters())


def test_a_wrong_file_is_one_error(file: Path) -> None:
    with pytest.raises(hm.CheckpointError, match=r"expected the weights net\.safetensors with SHA-256 0000"):
        hm.build(spec(file, weights_sha256="0" * 64), device="cpu")
    with pytest.raises(hm.SpecError, match="weights_sha256"):
        hm.build(spec(file, weights_sha256="0"), device="cpu")
    with pytest.raises(hm.CheckpointError, match="tensors by their published names"):
        hm.build(spec(file, hidden=9), device="cpu")
    with pytest.raises(
        hm.CheckpointError, match=r"got no file nowhere; .*HEADMOTION_WEIGHTS names, or name one of tiny$"
    ):
        hm.build(spec(Path("nowhere")), device="cpu")
    file.write_bytes(b"no tensors")
    with pytest.raises(hm.CheckpointError, match=r"expected a \.safetensors file"):
        hm.build(spec(file), device="cpu")


@pytest.mark.parametrize("inside", [True, False])
def test_such_a_part_conforms(file: Path, inside: bool) -> None:
    fields = spec(file, weights_in_checkpoint=inside)["audio_encoder"]
    check_component(hm.resolve_spec("audio_encoder", fields))
