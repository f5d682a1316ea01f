import os
import subprocess
import sys
from pathlib import Path

import pytest

ELSEWHERE = {"blender_import", "onnx_stream"}
"""Examples that run in Blender or need files made before: tests/export has them."""
EXAMPLES = sorted(
    path for path in (Path(__file__).parent.parent / "examples").glob("*.py") if path.stem not in ELSEWHERE
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_runs(example: Path, tmp_path: Path) -> None:
    assert f"python examples/{example.name}" in example.read_text("utf-8")
    command = [sys.executable, "-W", "error", str(example), str(tmp_path / "out")]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
