"""The command line. Every command is one call of the Python API; whatever needs torch is imported inside it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from headmotion.core.errors import HeadmotionError

INTERRUPTED = 130

F = TypeVar("F", bound=Callable[..., Any])
any_path = click.Path(path_type=Path)


class _RegularFile(click.Path):
    """A file that is there; no device or pipe, from which reading might never end."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Path:
        """The path, or a usage error."""
        path = Path(str(super().convert(value, parameter, context)))
        if not path.is_file():
            self.fail(f"{str(path)!r} is a device or pipe, not a file.", parameter, context)
        return path


existing_file = _RegularFile()


def main() -> None:
    """Run the command line: a user's mistake is one line on stderr and exit status 2, never a traceback."""
    with _alone_on_stderr():
        logging.basicConfig(format="warning: %(message)s")
        try:
            status = cli.main(prog_name="headmotion", standalone_mode=False)
        except click.Abort:
            _fail("interrupted", INTERRUPTED)
        except click.ClickException as error:
            _fail(error.format_message())
        except OSError as error:
            _fail(": ".join(str(part) for part in (error.filename, error.strerror or error) if part))
        except HeadmotionError as error:
            _fail(str(error))
        except Exception as error:
            if not _lacks_memory(error):
                raise
            _fail(f"not enough memory: {error}".splitlines()[0])
        sys.exit(status if isinstance(status, int) else 0)


@contextlib.contextmanager
def _alone_on_stderr() -> Iterator[None]:
    """Leave standard error to Python: C libraries (libtiff, say) print there what is told in one line anyway."""
    shown = sys.stderr
    try:
        kept = os.dup(2)
    except OSError:  # nobody listens
        yield
        return
    with Path(os.devnull).open("wb") as nowhere, os.fdopen(kept, "w", 1, errors="backslashreplace") as alone:
        if shown is sys.__stderr__:  # else it is captured by whoever called
            sys.stderr = alone
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            alone.flush()
            os.dup2(kept, 2)
            sys.stderr = shown


def _lacks_memory(error: Exception) -> bool:
    """Whether Python, NumPy, torch or OpenCV could not get the memory that it asked for."""
    text = str(error)
    return isinstance(error, MemoryError) or ("memory" in text and ("allocate" in text or "out of" in text))


def _show(path: Path) -> None:
    """Print a path as the bytes that it is made of, which need not be text."""
    click.echo(os.fsencode(path))


def _fail(message: str, status: int = 2) -> None:
    click.echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(status)


def _options(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _face(context: click.Context, parameter: click.Parameter, value: str) -> int | Literal["largest"]:
    if value == "largest":
        return "largest"
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value)):
        raise click.BadParameter(f"{value[:80]!r} is neither 'largest' nor a number from 1.")
    return int(value)


def _angles(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, float] | None:
    if value is None:
        return None
    try:
        yaw, pitch = map(float, value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not two numbers, such as 15,-5.") from None
    return yaw, pitch


def _edits(command: F) -> F:
    """The controls by name and number, as `headmotion.controls.by_name` takes them."""
    return _options(
        click.option("--head", type=float, metavar="AMOUNT", help="Amount of head motion: 0 none, 1 as it comes."),
        click.option("--lips", type=float, metavar="GAIN", help="Gain of lips and jaw: 1 as they come."),
        click.option("--close-silence/--no-close-silence", help="Close the mouth where nobody speaks."),
        click.option("--smooth", type=float, metavar="MS", help="Window of a moving average."),
        click.option("--blink", type=float, metavar="RATE", help="Blinks to add per minute."),
        click.option("--look-at", metavar="YAW,PITCH", callback=_angles, help="Degrees to the right and up."),
        click.option("--hold-pose/--no-hold-pose", help="Hold the head exactly still."),
        click.option("--limit/--no-limit", help="Keep openings and angles within what is seen in people."),
    )(command)


device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where to compute.",
)
seed = click.option(
    "--seed", type=click.IntRange(0, (1 << 63) - 1), default=0, show_default=True, help="Seed of the generator's noise."
)
quiet = click.option("-q", "--quiet", is_flag=True, help="No progress bar.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(package_name="headmotion")
@click.pass_context
def cli(context: click.Context) -> None:
    """Speech into motion."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command()
@_options(
    click.option("-o", "--output", type=any_path, default="out", show_default=True, help="Folder for the video."),
    device,
    seed,
    quiet,
)
def demo(output: Path, device: str, seed: int, quiet: bool) -> None:
    """Animate the bundled portrait with the bundled speech."""
    _one_thread()
    _check_output(output / "talk.mp4")
    from headmotion.demo import demo as make

    _show(make(output, device=device, seed=seed, quiet=quiet))


@cli.command()
@click.argument("audio", type=existing_file)
@_options(
    click.option("--image", type=existing_file, help="Still picture of the face; without it the motion is drawn."),
    click.option(
        "--landmarks",
        type=existing_file,
        help="The pose in the picture: .npz with the key 'landmarks'.  [default: found by a detector]",
    ),
    click.option("--detector", help="mediapipe, face-alignment or a .task file.  [default: what is installed]"),
    click.option("--face", default="largest", callback=_face, metavar="N|largest", help="Which face, from the left."),
    click.option("-o", "--output", type=any_path, required=True, help="talk.mp4, .webm or .gif, or a folder for PNGs."),
    click.option("--model", default="ms-sync", show_default=True, help="Name of a bundled model, or a checkpoint."),
    click.option("--fps", help="Frames per second, such as 30 or 30000/1001.  [default: the model's own]"),
    click.option("--renderer", help="How to draw, such as skeleton.  [default: portrait with --image, else skeleton]"),
    click.option("--crop", type=click.Choice(["head", "none"]), help="Show the head alone, or all of the picture."),
    click.option("--size", type=int, metavar="N", help="Longer edge in pixels.  [default: the picture's]"),
    _edits,
    device,
    seed,
    quiet,
)
def animate(
    audio: Path,
    image: Path | None,
    landmarks: Path | None,
    detector: str | None,
    face: int | Literal["largest"],
    output: Path,
    model: str,
    fps: str | None,
    renderer: str | None,
    crop: str | None,
    size: int | None,
    device: str,
    seed: int,
    quiet: bool,
    **edits: Any,
) -> None:
    """Turn the speech in AUDIO into a video of moving landmarks, or of a still picture that talks."""
    _one_thread()
    import headmotion
    from headmotion.renderers.output import check_target

    check_target(output)
    _check_output(output, may_be_folder=not output.suffix)
    controls = headmotion.controls.by_name(**edits, seed=seed)
    pipe = headmotion.load(model, device=device)
    reference = pipe.reference(landmarks or image, detector=detector, face=face)
    motion = pipe.pieces(audio, reference=reference, seed=seed, fps=fps, controls=controls)
    view = {name: value for name, value in (("crop", crop), ("size", size)) if value is not None}
    drawn = {"type": renderer or ("portrait" if image else "skeleton")} | view
    _show(pipe.render(motion, output, image=image, audio=audio, renderer=drawn, quiet=quiet))


@cli.command()
@click.argument("recipe")
@_options(
    click.option("--data", required=True, multiple=True, help="Corpus to train on; may be given several times."),
    click.option("-o", "--output", type=any_path, required=True, help="Folder of the run; gets model.safetensors."),
    click.option("--set", "overrides", multiple=True, metavar="A.B=V", help="Change one value of the recipe."),
    click.option("--resume", is_flag=True, help="Go on from the run's last saved state."),
    device,
    click.option("--seed", type=int, help="Seed of weights, batches and noise.  [default: the recipe's]"),
    quiet,
)
def train(
    recipe: str,
    data: tuple[str, ...],
    output: Path,
    overrides: tuple[str, ...],
    resume: bool,
    device: str,
    seed: int | None,
    quiet: bool,
) -> None:
    """Train a model by RECIPE (a bundled name or a .yaml file)."""
    _check_output(output / "model.safetensors")
    from headmotion.training import train as run

    changes = [*overrides, *([] if seed is None else [f"seed={seed}"])]
    _show(run(recipe, list(data), output, device=device, overrides=changes, resume=resume, quiet=quiet))


@cli.group(invoke_without_command=True)
@click.pass_context
def plugins(context: click.Context) -> None:
    """List the plugins and what they offer (the default), or check one."""
    if context.invoked_subcommand is None:
        context.invoke(plugins_list)


@plugins.command("list")
def plugins_list() -> None:
    """List the plugins with their status and what they offer."""
    from headmotion.core.plugins import registry

    for record in registry().records:
        click.echo(f"{record.name}  {record.dist} {record.version}  {record.status}".rstrip())
        for line in (record.error,) if record.error else record.types:
            click.echo(f"    {line}")


@plugins.command("check")
@click.argument("name")
@click.pass_context
def plugins_check(context: click.Context, name: str) -> None:
    """Run the conformance checks on everything that plugin NAME offers; exit status 1 if one fails."""
    from headmotion.testing import check_plugin

    checked = check_plugin(name)
    for part, results in checked.items():
        click.echo(part)
        for result in results:
            click.echo(f"    {result.status:<16}  {result.name}  {result.detail}".rstrip())
    if not all(result.conforms for results in checked.values() for result in results):
        context.exit(1)


@cli.command()
def licenses() -> None:
    """List what is bundled or optional beside code, with its license and source."""
    from headmotion.core.plugins import registry

    click.echo("headmotion  Apache-2.0")
    for plugin, assets in registry().assets.items():
        for asset in assets:
            click.echo(f"{asset.name}  {asset.license}  {'bundled' if asset.bundled else 'optional'}, by {plugin}")
            for line in filter(None, (asset.source, asset.note)):
                click.echo(f"    {line}")


@cli.command()
@click.option("-o", "--output", type=any_path, help="File to write instead of printing.")
def schema(output: Path | None) -> None:
    """Print the JSON schema of a pipeline spec, with every installed plugin's types."""
    import headmotion

    text = json.dumps(headmotion.PipelineSpec.model_json_schema(), indent=2)
    if output is None:
        click.echo(text)
        return
    from headmotion.core.files import atomic_output

    with atomic_output(output) as temporary:
        temporary.write_text(text + "\n", "utf-8")
    _show(output)


@cli.command()
@click.argument("file", type=existing_file)
def inspect(file: Path) -> None:
    """Print what a checkpoint (.safetensors) or a motion file (.npz, .json) says of itself; runs nothing in it."""
    click.echo(json.dumps(_description(file), indent=2, sort_keys=True))


def _description(file: Path) -> dict[str, Any]:
    if file.suffix in (".npz", ".json"):
        from headmotion.core.motion import Motion

        motion = Motion.load(file)
        _, points, dims = motion.values.shape
        return {
            "frames": len(motion),
            "fps": str(motion.fps),
            "seconds": float(motion.duration),
            "points": points,
            "dims": dims,
            "units": motion.units,
            "representation": dict(motion.representation),
            "provenance": dict(motion.provenance),
        }
    from headmotion.core.checkpoint import read_header

    return read_header(file).summary()


def _one_thread() -> None:
    """One thread unless the user says otherwise: frame by frame, several mostly wait for one another."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def _check_output(path: Path, may_be_folder: bool = False) -> None:
    """Refuse an output that cannot be written before any work is done for it."""
    if path.is_dir() and not may_be_folder:
        raise click.BadParameter(f"{str(path)!r} is a folder.", param_hint="--output")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise click.BadParameter(f"{str(folder)!r} is not a folder that can be written to.", param_hint="--output")
