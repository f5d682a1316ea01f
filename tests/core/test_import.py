import subprocess
import sys

import pytest

HEAVY = ("torch", "cv2", "av", "soxr", "librosa", "scipy")


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
