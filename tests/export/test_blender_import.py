"""What the Blender script does without Blender: its arguments, rates and tables. What calls bpy is not run here."""

from __future__ import annotations

import importlib.util
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from types import SimpleNamespace as Namespace

import pytest

import headmotion as hm
from headmotion.core.interfaces.specs import resolve_spec
from headmotion.export import write_motion
from headmotion.export.live_link import HEADER, SHAPES

SCRIPT = Path(__file__).parents[2] / "examples" / "blender_import.py"
ARM = {"type": "joints", "names": ["hip", "knee"], "parents": [-1, 0], "offsets": [[0, 0, 0], [0, -1, 0]]}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("blender_import", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_arguments_follow_two_dashes(script: ModuleType) -> None:
    options = script.arguments(["blender", "--python", "x.py", "--", "talk.glb", "--audio", "speech.wav"])
    assert (options.motion, options.audio, options.fps) == (Path("talk.glb"), Path("speech.wav"), None)
    options = script.arguments(["blender", "--", "face.csv", "--object", "Head", "--fps", "30000/1001"])
    assert (options.object, options.fps) == ("Head", Fraction(30000, 1001))


@pytest.mark.parametrize("argv", [["blender", "talk.glb"], ["--", "talk.mp4"], ["--", "face.csv", "--object", "Head"]])
def test_mistakes_end_the_script(script: ModuleType, argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        script.arguments(argv)
    assert "usage: blender_import.py" in capsys.readouterr().err


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001), Fraction(25, 2)])
@pytest.mark.parametrize("suffix", [".glb", ".gltf", ".bvh"])
def test_the_rate_is_the_motions(script: ModuleType, fps: Fraction, suffix: str, tmp_path: Path) -> None:
    if suffix != ".bvh":
        pytest.importorskip("pygltflib", reason="needs the extra gltf")
    neutral = resolve_spec("representation", ARM).build(None).neutral()  # type: ignore[attr-defined]
    motion = hm.Motion(neutral.expand(3, -1, -1), fps, ARM)
    assert script.rate(write_motion(motion, tmp_path / f"body{suffix}")) == fps
    whole, base = script.blender_rate(fps)
    assert isinstance(whole, int) and whole / base == pytest.approx(float(fps)) and base >= 1


def test_a_table_by_name(script: ModuleType, tmp_path: Path) -> None:
    rows = [["00:00:00:00.000", "61", *(str(k / 100) for k in range(61))]] * 2
    (tmp_path / "face.csv").write_text("\n".join(",".join(row) for row in [list(HEADER), *rows]) + "\n")
    values = script.shapes(tmp_path / "face.csv")
    assert list(values) == list(SHAPES)
    assert values["EyeBlinkLeft"] == [0.0, 0.0] and values["TongueOut"] == [0.51, 0.51]


class Key:
    """A shape key that writes down how it is keyed."""

    def __init__(self, name: str) -> None:
        self.name, self.value, self.keyed = name, 0.0, {}

    def keyframe_insert(self, path: str, frame: int) -> None:
        assert path == "value"
        self.keyed[frame] = self.value


def test_every_frame_of_a_known_shape_is_keyed(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    keys = [Key("Basis"), Key("jawOpen")]
    head = Namespace(data=Namespace(shape_keys=Namespace(key_blocks=keys)))
    bpy = Namespace(data=Namespace(objects={"Head": head}))
    assert script.import_shapes(bpy, {"JawOpen": [0.1, 0.4], "TongueOut": [0.0, 0.0]}, "Head") == 2
    assert keys[1].keyed == {1: 0.1, 2: 0.4} and not keys[0].keyed
    assert "TongueOut" in capsys.readouterr().out
