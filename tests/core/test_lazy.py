import subprocess
import sys

import pytest

import headmotion
from headmotion.core.errors import DetectorError, HeadmotionError
from headmotion.core.lazy import import_optional, is_installed, lazy_names, require_packages

HEAVY = ("torch", "cv2", "av", "soxr", "librosa", "scipy")


def test_names_are_imported_on_first_use():
    get, names = lazy_names("headmotion", {"Asset": "core.assets"}, ["controls"])
    from headmotion.core.assets import Asset

    assert get("Asset") is Asset
    assert get("controls") is sys.modules["headmotion.controls"]
    assert {"Asset", "controls", "__version__"} <= set(names())
    with pytest.raises(AttributeError, match="module 'headmotion' has no attribute 'nothing'"):
        get("nothing")


def test_every_public_name_can_be_imported():
    assert all(getattr(headmotion, name) is not None for name in headmotion.__all__)
    assert set(headmotion.__all__) <= set(dir(headmotion))


def test_a_missing_package_is_one_line_with_a_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "absent_package", None)
    with pytest.raises(DetectorError, match=r"^detector x: expected the package absent_package, got .*; ") as caught:
        import_optional("absent_package", "headmotion[extra]", "detector x", DetectorError)
    assert str(caught.value).endswith("; pip install 'headmotion[extra]'")
    with pytest.raises(HeadmotionError, match=r"no_such_package_at_all\.part, got none of that name;"):
        import_optional("no_such_package_at_all.part", "other", "report")
    with pytest.raises(HeadmotionError, match=r"got no absent_package; pip install other$"):
        require_packages(["json", "absent_package"], "other", "report")
    require_packages(["json"], "other", "report")
    assert import_optional("json", "other", "report") is sys.modules["json"]
    assert is_installed("json") and not is_installed("absent_package")


@pytest.mark.parametrize(
    "statement",
    [
        "import headmotion",
        "from headmotion import hookimpl, GeneratorSpec, PipelineSpec, HeadmotionError",
        "import headmotion.core.spec, headmotion.core.plugins, headmotion.core.hookspecs",
        "import headmotion.core.checkpoint, headmotion.core.files",
        "from headmotion.core.plugins import registry; registry()",
    ],
)
def test_import_is_light(statement):
    code = f"import sys\n{statement}\nprint(*[name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
