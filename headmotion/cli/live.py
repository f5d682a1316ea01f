"""The command that animates a character from live speech: mic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..core.short_repr import short_repr
from .command import command
from .console import echo
from .option_rules import Arguments, Rule, option_rules
from .options import check_picture, device, existing_file, one_thread, options, seed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from headmotion import Pipeline
    from headmotion.live import Window
    from headmotion.pipeline.reference import Reference

RATE = 16_000
"""Rate at which a microphone is read (Hz)."""
WEIGHTS_MODEL = "blendshapes"
"""Model for other programs, whose characters have weights."""


def _has_window(args: Arguments) -> bool:
    return bool(args["window"] or (args["vmc"] is None and args["live_link"] is None))


def _address(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, int] | None:
    """Return host and port of ``HOST:PORT``."""
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise click.BadParameter(f"{short_repr(value)} is not HOST:PORT, such as 127.0.0.1:39539.")
    return host.strip("[]"), int(port)


@command()
@options(
    click.option("--window", is_flag=True, help="Show a talking picture; the default unless a receiver is named."),
    click.option("--image", type=existing_file, help="Picture of the face in the window.  [default: the bundled one]"),
    click.option("--vmc", callback=_address, metavar="HOST:PORT", help="Receiver of the VMC protocol, port 39539."),
    click.option("--live-link", callback=_address, metavar="HOST:PORT", help="Unreal Engine's Live Link, port 11111."),
    click.option("--subject", default="headmotion", show_default=True, help="Name of the face in Live Link."),
    click.option(
        "--microphone", "input_device", metavar="NAME", help="Part of an input's name.  [default: the system's]"
    ),
    click.option("--input", "recording", type=existing_file, help="Speech from a file, in real time, instead."),
    click.option(
        "--model",
        metavar="NAME|FILE",
        help=f"A bundled model, or a checkpoint.  [default: {WEIGHTS_MODEL}, and for a window that of animate]",
    ),
    click.option("--blink", type=float, metavar="RATE", help="Blinks to add per minute."),
    device,
    seed,
)
@click.pass_context
@option_rules(
    Rule(("image",), "a window (--window)", _has_window),
    Rule(("subject",), "Live Link (--live-link)", lambda given: given["live_link"] is not None),
    Rule(("input_device",), "a microphone, not for --input", lambda given: given["recording"] is None),
)
def mic(
    context: click.Context,
    /,
    window: bool,
    image: Path | None,
    vmc: tuple[str, int] | None,
    live_link: tuple[str, int] | None,
    subject: str,
    input_device: str | None,
    recording: Path | None,
    model: str | None,
    blink: float | None,
    device: str,
    seed: int,
) -> None:
    """Animate a picture in a window, or a character of another program, while you speak, until Ctrl-C."""
    if image is not None:
        check_picture(image)
    one_thread()
    import headmotion
    from headmotion.live import LiveLinkSender, Sender, VmcSender, WindowClosed, microphone, run_live
    from headmotion.live.run_live import in_real_time

    senders: list[Sender] = []
    has_window = _has_window(context.params)
    chosen = model or (None if has_window else WEIGHTS_MODEL)
    pipe = headmotion.load(device=device) if chosen is None else headmotion.load(chosen, device=device)
    reference = None
    if has_window:
        shown, reference = _window(pipe, image)
        senders.append(context.with_resource(closing(shown)))
    if vmc is not None:
        senders.append(context.with_resource(closing(VmcSender(*vmc))))
    if live_link is not None:
        senders.append(context.with_resource(closing(LiveLinkSender(*live_link, subject))))
    controls = headmotion.controls.from_options(blink=blink, seed=seed)
    session = pipe.stream(reference, RATE, seed=seed, controls=controls)
    blocks = (
        microphone(input_device, RATE) if recording is None else in_real_time(headmotion.Audio.load(recording), RATE)
    )
    waits = pipe.lookahead_ms(RATE, controls=controls)
    text = f"listening; the face follows {waits:.0f} ms behind. Ctrl-C ends." if waits is not None else "listening"
    with suppress(KeyboardInterrupt, WindowClosed):
        run_live(session, _announced(blocks, text), senders)


def _announced(blocks: Iterator[NDArray[Any]], text: str) -> Iterator[NDArray[Any]]:
    """Yield blocks, and say that they come once the first is there, which a missing microphone never gives."""
    for first in blocks:
        echo(text, err=True)
        yield first
        yield from blocks


def _window(pipe: Pipeline, image: Path | None) -> tuple[Window, Reference]:
    """Return a window with a face, and the pose from which motion starts."""
    from headmotion.live import Window
    from headmotion.renderers.portrait.portrait import Portrait
    from headmotion.studio.face_packet import portrait_spec
    from headmotion.studio.faces import FaceFinder, bundled_face, landmarks68

    face = bundled_face() if image is None else FaceFinder().find(image.read_bytes())
    renderer = Portrait(portrait_spec(face.picture, "head"), landmarks68())
    return Window(renderer, "landmarks68", face.picture, face.pose), face.reference(pipe)
