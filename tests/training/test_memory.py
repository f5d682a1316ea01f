import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import torch
from headmotion.training.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def step():
    return float(torch.ones(64, 1 << 18).sum())  # 64 MB
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a setting of glibc")
def test_freed_memory_is_not_cleared_anew() -> None:
    faults = {}
    for how in ("kept", "given back"):
        done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
        faults[how] = int(done.stdout)
    assert faults["kept"] < 0.2 * faults["given back"], faults
