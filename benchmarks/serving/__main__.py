"""Print how many sessions a server holds, and write it into docs/serve.md.

python -m benchmarks.serving --page                                     # both bundled models
python -m benchmarks.serving --soak-minutes 60 --sessions 50 --page     # an hour, with bad clients
"""

from __future__ import annotations

import argparse
import asyncio
import resource
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from headmotion.core.default_model import DEFAULT_MODEL

from ..talking_heads.pages import replace_block
from .process import serving
from .soak import soak, summary
from .speakers import crowd, speech_wave
from .tables import HEAD, VISIT_S, row, with_bad_clients

PAGE = Path(__file__).parents[2] / "docs" / "serve.md"
COUNTS = (1, 25, 50, 75, 100)
"""Sessions at the same time."""
SOAK_SESSIONS = 50


def sessions_block(models: Sequence[str], wave: np.ndarray, arguments: argparse.Namespace) -> list[str]:
    """Measure all counts of sessions of each model; print and return the lines of the page."""
    lines, sentences = list(HEAD), []
    print("\n".join(lines), flush=True)
    counts = arguments.sessions or COUNTS
    for model in models:
        with serving(model, max(counts)) as served:
            asyncio.run(crowd(served.url, wave, 2, 3, None))  # warms up
            for count in counts:
                for visit_s in (None, VISIT_S):
                    lines.append(row(model, served, wave, count, arguments.seconds, visit_s))
                    print(lines[-1], flush=True)
            if arguments.bad:
                sentences += ["", with_bad_clients(model, served, wave, arguments.bad, arguments.seconds)]
                print(sentences[-1], flush=True)
    command = f"python -m benchmarks.serving --sessions {' '.join(map(str, counts))} --seconds {arguments.seconds:g}"
    return [f"`{command}`; delays are those beyond the look-ahead:", "", *lines, *sentences]


def soak_block(model: str, wave: np.ndarray, arguments: argparse.Namespace) -> list[str]:
    """Soak a server; print and return the lines of the page."""
    (count,) = arguments.sessions or (SOAK_SESSIONS,)
    lines = soak(model, wave, count, arguments.soak_minutes, arguments.soak_log)
    command = f"python -m benchmarks.serving --model {model} --soak-minutes {len(lines)} --sessions {count}"
    return [f"`{command}`:", "", *summary(lines)]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", help="bundled model, or a checkpoint as NAME=FILE; default: both")
    parser.add_argument("--seconds", type=float, default=30, help="length of each measurement")
    parser.add_argument("--sessions", type=int, nargs="+", help="at the same time")
    parser.add_argument("--bad", type=int, default=20, help="good sessions next to the bad clients; 0: none")
    parser.add_argument("--soak-minutes", type=int, help="load one server for so long instead")
    parser.add_argument(
        "--soak-log", type=Path, default=Path("out/soak.jsonl"), help="where an interrupted soak goes on"
    )
    parser.add_argument("--page", action="store_true", help="write the figures into docs/serve.md")
    arguments = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else max(soft, 4096), hard))
    wave = speech_wave()
    if arguments.soak_minutes:
        arguments.soak_log.parent.mkdir(parents=True, exist_ok=True)
        name, block = "soak", soak_block((arguments.model or [DEFAULT_MODEL])[0], wave, arguments)
        print("\n".join(block))
    else:
        name, block = "sessions", sessions_block(arguments.model or [DEFAULT_MODEL, "ms-sync"], wave, arguments)
    if arguments.page:
        replace_block(PAGE, name, block)


if __name__ == "__main__":
    main()
