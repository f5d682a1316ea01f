"""From nothing to a trained checkpoint in a minute: a synthetic corpus, both phases, and the model loaded again.

python examples/train.py runs/example
"""

import sys
from pathlib import Path

import headmotion as hm
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.training import train

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/example")
corpus = write_synthetic(folder / "corpus", clips=20, seconds=2.5)
model = train("smoke", data=[corpus], output=folder / "run", quiet=True)
motion = hm.load(model).generate(Path(hm.__file__).parent / "assets" / "speech.flac")
print(f"{model}: {len(motion)} frames")
