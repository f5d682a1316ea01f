"""The entry point of the command line: its commands, and how mistakes are reported."""

from __future__ import annotations

import atexit
import contextlib
import copy
import gc
import os
import signal
import sys

import click

from headmotion.core.errors import HeadmotionError, describe
from headmotion.core.progress import stop_bars

from .animate import animate
from .console import INTERRUPTED, print_error, print_warnings, replace_closed_streams
from .corpus import inspect_corpus, prepare, synthesize
from .demo import demo
from .detect import detect
from .evaluation import compare, evaluate
from .export import export
from .info import inspect, licenses, schema
from .live import mic
from .plugins import plugins
from .render import render
from .say import say
from .serve import serve
from .studio import studio
from .training import train

MISTAKE = 2
"""Exit status after a user's mistake."""
SEARCHES = 50
"""Python's searches of young objects that have survived one, for cycles that are no longer used, before a search of all
objects (third argument of `gc.set_threshold`). The imports on the way to a video take about forty."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(package_name="headmotion")
@click.pass_context
def cli(context: click.Context) -> None:
    """Speech into motion."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


COMMANDS = (
    *(demo, animate, say, render, detect),
    *(prepare, synthesize, inspect_corpus),
    *(train, evaluate, compare, export),
    *(serve, mic, studio),
    *(plugins, licenses, schema, inspect),
)
for command in COMMANDS:
    cli.add_command(command)

doctor = copy.copy(inspect_corpus)  # the command's former name
doctor.hidden = True
cli.add_command(doctor, "doctor")


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error and exit status 2, never a traceback."""
    replace_closed_streams()
    print_warnings()
    # These look for extensions of their own in the metadata of all installed packages, and fail to be imported where
    # any of it is damaged. The commands use no such extensions.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    os.environ.setdefault("TORCH_DEVICE_BACKEND_AUTOLOAD", "0")
    os.environ.setdefault("HYPOTHESIS_NO_PLUGINS", "1")
    # Python searches all objects for cycles that are no longer used each time their number has grown by a quarter, and
    # at the end of the process. Torch makes so many, all of which stay, that this takes most of a second. Cycles of
    # young objects are still found as early as ever.
    gc.set_threshold(*gc.get_threshold()[:2], SEARCHES)
    atexit.register(gc.freeze)
    try:
        status = _run()
        if status == INTERRUPTED:
            _ignore_interrupts()
    finally:
        atexit.register(_end_of_results)  # last registered, first called: before the handlers of plugins
    # Not while an error is handled, whose traceback keeps what the command had made.
    if status and "soxr" in sys.modules:
        gc.collect()  # a resampler in a cycle that outlives the interpreter makes soxr print twenty lines
    sys.exit(status)


def _run() -> int:
    """Run a command, print its error as one line, and return the exit status."""
    try:
        # Not standalone, because click would print several lines for a usage error.
        status = cli.main(prog_name="headmotion", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):  # the latter while click made the former of another
        _ignore_interrupts()
        print_error("interrupted")
        return INTERRUPTED
    except click.ClickException as error:
        print_error(error.format_message())
    except OSError as error:
        print_error(": ".join(str(part) for part in (error.filename, error.strerror or error) if part))
    except HeadmotionError as error:
        print_error(str(error))
    except BaseException as error:  # a plugin's part may raise anything
        from headmotion.core.blame import plugin_error  # imports pydantic, which help need not do

        if (blamed := plugin_error(error)) is not None:
            print_error(str(blamed))
        elif _is_out_of_memory(error):
            print_error(f"not enough memory: {describe(error)}")
        else:
            stop_bars()
            raise
    else:
        return status if isinstance(status, int) else 0
    return MISTAKE


def _ignore_interrupts() -> None:
    """Let a further Ctrl-C not end what is left to do; it is short, and ``SIGTERM`` ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_of_results() -> None:
    """Let what plugins print when the process ends go to standard error, because standard output holds results."""
    with contextlib.suppress(OSError, ValueError):  # it is closed or full, or its reader has gone
        sys.stdout.flush()
    sys.stdout = sys.stderr


def _is_out_of_memory(error: BaseException) -> bool:
    """Return whether Python, NumPy, torch or OpenCV failed to allocate memory."""
    # torch and OpenCV raise types of their own, which cannot be named without importing them.
    text = describe(error)
    return isinstance(error, MemoryError) or ("memory" in text and ("allocate" in text or "out of" in text))
