"""Make a corpus of action units: ``python -m headmotion_au CORPUS -o OUTPUT --source geometry``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import headmotion as hm

from .facs import SPEECH_UNITS
from .label_corpus import SOURCES, label_corpus


def main() -> int:
    """Label the corpus that the command line names; a mistake is one line and status 2."""
    parser = argparse.ArgumentParser(prog="python -m headmotion_au", description="Make a corpus of action units.")
    parser.add_argument("corpus", type=Path, help="folder of a corpus of 68 landmarks")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the new corpus")
    parser.add_argument("--source", choices=SOURCES, default="geometry", help="where the units come from")
    parser.add_argument("--units", default=",".join(SPEECH_UNITS), help="names of the units, separated by commas")
    parser.add_argument("--openface", type=Path, help="folder with a CSV file per clip, for the source openface")
    parser.add_argument("--hold-head", action="store_true", help="move pictures so that the head stays where it is")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    arguments = parser.parse_args()
    try:
        units = tuple(arguments.units.split(","))
        folders = arguments.corpus, arguments.output
        print(label_corpus(*folders, arguments.source, units, arguments.openface, arguments.quiet, arguments.hold_head))
    except hm.HeadmotionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
