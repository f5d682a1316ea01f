import hashlib
import json
import pickle
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save

from headmotion.core import stored_spec
from headmotion.core.checkpoint import TensorInfo, load_checkpoint, read_header, save_checkpoint
from headmotion.core.errors import CheckpointError

SPEC = {"representation": {"type": "landmarks68"}, "generator": {"type": "ms-sync", "levels": 4}, "fps": "25"}


def tensors():
    generator = torch.Generator().manual_seed(0)
    return {
        "weight": torch.randn(3, 4, generator=generator),
        "half": torch.ones(5, dtype=torch.float16),
        "count": torch.tensor(7),
        "none": torch.zeros(0, 2),
    }


@pytest.fixture
def path(tmp_path):
    card = {"data": "GRID", "seconds": 3}
    return save_checkpoint(tmp_path / "model.safetensors", SPEC, tensors(), step=12, card=card)


def test_round_trip(path):
    header, loaded = load_checkpoint(path)
    assert header == read_header(path)
    assert (header.format, header.spec, header.step, header.card) == (1, SPEC, 12, {"data": "GRID", "seconds": 3})
    assert header.requires == ({"dist": "headmotion", "version": version("headmotion")},)
    assert header.versions == {"torch": torch.__version__}
    assert header.tensors["weight"] == TensorInfo("F32", (3, 4))
    assert header.parameters == 3 * 4 + 5 + 1
    assert header.size == path.stat().st_size
    assert json.loads(json.dumps(header.summary()))["parameters"] == 18
    assert loaded.keys() == tensors().keys()
    for name, tensor in tensors().items():
        assert torch.equal(loaded[name], tensor)
        assert loaded[name].dtype == tensor.dtype


def test_the_first_released_format_still_loads():
    header, loaded = load_checkpoint(Path(__file__).with_name("checkpoint-format-1.safetensors"))
    assert (header.format, header.spec, header.step, header.card) == (1, SPEC, 12, {"data": "GRID", "seconds": 3})
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors().items())


def test_one_metadata_key_of_sorted_json(path):
    with safe_open(path, "pt") as stored:
        metadata = stored.metadata()
    assert list(metadata) == ["headmotion"]
    described = json.loads(metadata["headmotion"])
    assert metadata["headmotion"] == json.dumps(described, sort_keys=True)
    assert sorted(described) == ["card", "format", "requires", "sha256", "spec", "step", "versions"]
    content = path.read_bytes()
    data = content[8 + int.from_bytes(content[:8], "little") :]
    assert described["sha256"] == hashlib.sha256(data).hexdigest()


def test_same_content_same_bytes(path):
    shuffled = dict(reversed(tensors().items()))
    spec = {key: SPEC[key] for key in sorted(SPEC)}
    other = save_checkpoint(path.with_name("other.safetensors"), spec, shuffled, 12, {"seconds": 3, "data": "GRID"})
    assert other.read_bytes() == path.read_bytes()
    save_checkpoint(other, spec, shuffled, step=13)
    assert other.read_bytes() != path.read_bytes()


def test_shared_and_strided_tensors(tmp_path):
    whole = torch.arange(6.0).view(2, 3)
    stored = {"whole": whole, "again": whole, "across": whole.T, "leaf": torch.nn.Parameter(whole[0])}
    loaded = load_checkpoint(save_checkpoint(tmp_path / "m.safetensors", {}, stored))[1]
    assert all(torch.equal(loaded[name], tensor) for name, tensor in stored.items())


def test_header_is_read_without_torch_or_plugins(path):
    code = f"""
import sys
from headmotion.core.checkpoint import read_header
print(read_header({str(path)!r}).parameters)
loaded = {{"torch", "numpy", "safetensors", "headmotion.ms_sync", "headmotion.representations"}} & set(sys.modules)
assert not loaded, loaded
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "18"


def refused(path, pattern):
    for read in (read_header, load_checkpoint):
        with pytest.raises(CheckpointError, match=pattern) as caught:
            read(path)
        assert "\n" not in str(caught.value)


def rewritten(path, **changes):
    """The same file with other metadata."""
    described = json.loads(read_metadata(path)) | changes
    path.write_bytes(save(tensors(), {"headmotion": json.dumps({k: v for k, v in described.items() if v is not None})}))
    return path


def read_metadata(path):
    with safe_open(path, "pt") as stored:
        return stored.metadata()["headmotion"]


def test_pickles_are_not_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save({"weight": torch.zeros(2)}, tmp_path / "zip.safetensors")
    torch.save({"weight": torch.zeros(2)}, tmp_path / "old.safetensors", _use_new_zipfile_serialization=False)
    (tmp_path / "trap.safetensors").write_bytes(pickle.dumps(Trap()))
    (tmp_path / "tiny.safetensors").write_bytes(pickle.dumps(1, protocol=2))
    for name in ("zip", "old", "trap", "tiny"):
        refused(tmp_path / f"{name}.safetensors", "a pickle; it will not be opened")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("card", range(0, 300, 8))
def test_a_header_length_that_looks_like_a_pickle_is_none(tmp_path, card):
    path = save_checkpoint(tmp_path / "m.safetensors", {}, {}, card={"x": "x" * card})
    assert read_header(path).card == {"x": "x" * card}


def test_newer_format(path):
    refused(rewritten(path, format=2), "format 1 or older, got .* of format 2; update headmotion")


@pytest.mark.parametrize("key", ["format", "spec", "requires", "versions", "step", "sha256", "card"])
def test_missing_entry(path, key):
    refused(rewritten(path, **{key: None}), "incomplete metadata")


@pytest.mark.parametrize("bad", [{"spec": 3}, {"requires": [1]}, {"requires": [{"dist": "x"}]}, {"step": "x"}])
def test_bad_entry(path, bad):
    refused(rewritten(path, **bad), "incomplete metadata")


def test_a_state_of_a_training_is_named(path):
    state = {"phase": "generator", "step": 3, "logged": 3, "sha256": "0"}
    path.write_bytes(save(tensors(), {"headmotion": json.dumps(state)}))
    refused(path, "a model, got .*, the state of a training; give the model.safetensors of that run")


def test_another_program_s_file(path):
    path.write_bytes(save(tensors(), {"format": "pt"}))
    refused(path, "the metadata key 'headmotion', got none")
    path.write_bytes(save(tensors()))
    refused(path, "the metadata key 'headmotion', got none")


def test_no_file(tmp_path):
    refused(tmp_path / "none.safetensors", "No such file")
    refused(tmp_path, "A folder")


@given(st.floats(0, 1, exclude_max=True))
def test_cut_short_anywhere(tmp_path_factory, share):
    path = tmp_path_factory.mktemp("cut") / "m.safetensors"
    content = save_checkpoint(path, SPEC, tensors()).read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(path, "a whole .safetensors file")


@given(st.data())
def test_damage_never_goes_unnoticed_and_never_crashes(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damage") / "m.safetensors"
    content = bytearray(save_checkpoint(path, SPEC, tensors()).read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        loaded = load_checkpoint(path)[1]
    except CheckpointError:
        return
    numbers = sum(tensor.nbytes for tensor in tensors().values())
    assert place < len(content) - numbers, "a changed number was loaded"
    assert all(torch.isfinite(tensor).all() for tensor in loaded.values())


def test_other_numbers(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    read_header(path)
    with pytest.raises(CheckpointError, match="match their sha256"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "header",
    [
        b"{}",
        b'{"a": 1}',
        b'{"a": {"dtype": "F32", "shape": [1e999], "data_offsets": [0, 0]}}',
        b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": "no"}}',
        b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, "4"]}}',
        b'{"__metadata__": 3}',
        b'{"__metadata__": {"headmotion": "{"}}',
        b'{"__metadata__": {"headmotion": "[]"}}',
        b'{"__metadata__": {"headmotion": "null"}}',
        b'{"__metadata__": {"headmotion": 3}}',
        b'{"a":' * 100_000,
        b"{\xff",
    ],
)
def test_hostile_headers(tmp_path, header):
    path = tmp_path / "m.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    refused(path, "checkpoint: ")


def test_failed_save_leaves_nothing(tmp_path):
    for bad in ({"spec": {"x": object()}}, {"card": {"loss": float("nan")}}):
        with pytest.raises(CheckpointError, match="JSON values"):
            save_checkpoint(tmp_path / "m.safetensors", tensors=tensors(), **({"spec": SPEC} | bad))
    with pytest.raises(CheckpointError, match=r"ending in \.safetensors"):
        save_checkpoint(tmp_path / "m.pt", SPEC, tensors())
    assert not list(tmp_path.iterdir())


PLUGIN = """
from headmotion.core.hookspecs import hookimpl

@hookimpl
def headmotion_migrate(spec, version):
    if version == "0.9":
        return {"type": spec["type"], "new": spec["old"], "inner": spec.get("inner")}
"""
FOREIGN = {"generator": {"type": "zoo/runner", "old": 1, "inner": [{"type": "zoo/leg", "old": 2}]}, "x": {"old": 3}}


def test_plugin_that_is_missing(path, fake_plugins, monkeypatch):
    save_checkpoint(path, FOREIGN, tensors())
    assert read_header(path).requires[1] == {"dist": "headmotion-zoo", "version": ""}
    with pytest.raises(CheckpointError, match=r"plugin of 'zoo/runner'.*; .* such as headmotion-zoo$"):
        load_checkpoint(path)
    fake_plugins.install("headmotion-zoo", "import no_such_module_at_all")
    broken = fake_plugins.registry()
    monkeypatch.setattr(stored_spec, "registry", lambda: broken)
    with pytest.raises(CheckpointError, match="its plugin is error: ModuleNotFoundError"):
        load_checkpoint(path)


def test_migration_of_each_spec_by_its_own_plugin(path, fake_plugins, monkeypatch):
    fake_plugins.install("headmotion-zoo", PLUGIN, version="0.9")
    fake_plugins.install("headmotion-other", PLUGIN.replace('if version == "0.9"', "if True"))
    registry = fake_plugins.registry()
    monkeypatch.setattr(stored_spec, "registry", lambda: registry)
    save_checkpoint(path, FOREIGN, tensors())
    assert read_header(path).requires[1] == {"dist": "headmotion-zoo", "version": "0.9"}
    leg = {"type": "zoo/leg", "new": 2, "inner": None}
    header, _ = load_checkpoint(path)
    assert header.spec == {"generator": {"type": "zoo/runner", "new": 1, "inner": [leg]}, "x": {"old": 3}}
    assert read_header(path).spec == FOREIGN, "the header is what the file says"


def test_migration_of_own_types(path, fake_plugins, monkeypatch):
    fake_plugins.install("headmotion", PLUGIN.replace("return {", "return spec | {"), name="room", version="0.9")
    registry = fake_plugins.registry()
    monkeypatch.setattr(stored_spec, "registry", lambda: registry)
    save_checkpoint(path, {"generator": {"type": "ms-sync", "old": 1}}, tensors())
    assert load_checkpoint(path)[0].spec == {"generator": {"type": "ms-sync", "old": 1, "new": 1, "inner": None}}


def test_migration_that_fails(path, fake_plugins, monkeypatch):
    fake_plugins.install("headmotion-zoo", PLUGIN.replace('spec["old"]', 'spec["oldest"]'), version="0.9")
    registry = fake_plugins.registry()
    monkeypatch.setattr(stored_spec, "registry", lambda: registry)
    save_checkpoint(path, FOREIGN, tensors())
    with pytest.raises(CheckpointError, match="plugin zoo: expected to migrate 'zoo/leg', got KeyError: 'oldest'"):
        load_checkpoint(path)


def test_a_stored_spec_asks_for_no_download(path):
    detector = {"type": "face-alignment", "fetch": True}
    save_checkpoint(path, {"detector": detector, "more": [{"type": "x", "inner": detector}], "fetch": True}, tensors())
    header, _ = load_checkpoint(path)
    quiet = detector | {"fetch": False}
    assert header.spec == {"detector": quiet, "more": [{"type": "x", "inner": quiet}], "fetch": True}
    assert read_header(path).spec["detector"] == detector, "the header is what the file says"
