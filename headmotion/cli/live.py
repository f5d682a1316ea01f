"""The command that animates a character while somebody speaks: mic."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

import click

from .console import echo
from .option_rules import Rule, option_rules
from .options import device, existing_file, one_thread, options, seed

RATE = 16_000
"""Rate at which a microphone is read (Hz)."""


def _address(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, int] | None:
    """Return host and port of ``HOST:PORT``."""
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise click.BadParameter(f"{value[:80]!r} is not HOST:PORT, such as 127.0.0.1:39539.")
    return host.strip("[]"), int(port)


@click.command()
@options(
    click.option("--vmc", callback=_address, metavar="HOST:PORT", help="Receiver of the VMC protocol, port 39539."),
    click.option("--live-link", callback=_address, metavar="HOST:PORT", help="Unreal Engine's Live Link, port 11111."),
    click.option("--subject", default="headmotion", show_default=True, help="Name of the face in Live Link."),
    click.option(
        "--microphone", "input_device", metavar="NAME", help="Part of an input's name.  [default: the system's]"
    ),
    click.option("--input", "recording", type=existing_file, help="Speech from a file, in real time, instead."),
    click.option("--model", default="blendshapes", show_default=True, help="Name of a bundled model, or a checkpoint."),
    click.option("--blink", type=float, metavar="RATE", help="Blinks to add per minute."),
    device,
    seed,
)
@click.pass_context
@option_rules(
    Rule(("subject",), "Live Link (--live-link)", lambda given: given["live_link"] is not None),
    Rule(("input_device",), "a microphone, not for --input", lambda given: given["recording"] is None),
)
def mic(
    context: click.Context,
    /,
    vmc: tuple[str, int] | None,
    live_link: tuple[str, int] | None,
    subject: str,
    input_device: str | None,
    recording: Path | None,
    model: str,
    blink: float | None,
    device: str,
    seed: int,
) -> None:
    """Animate a character of another program while you speak, until Ctrl-C."""
    if vmc is None and live_link is None:
        raise click.UsageError("Say where the face goes: --vmc HOST:PORT, --live-link HOST:PORT, or both.")
    one_thread()
    import headmotion
    from headmotion.live import LiveLinkSender, Sender, VmcSender, microphone, run_live
    from headmotion.live.run_live import in_real_time

    senders: list[Sender] = []
    if vmc is not None:
        senders.append(context.with_resource(closing(VmcSender(*vmc))))
    if live_link is not None:
        senders.append(context.with_resource(closing(LiveLinkSender(*live_link, subject))))
    pipe = headmotion.load(model, device=device)
    controls = headmotion.controls.from_options(blink=blink, seed=seed)
    session = pipe.stream(None, RATE, seed=seed, controls=controls)
    blocks = (
        microphone(input_device, RATE) if recording is None else in_real_time(headmotion.Audio.load(recording), RATE)
    )
    waits = pipe.lookahead_ms(RATE, controls=controls)
    echo(
        f"listening; the face follows {waits:.0f} ms behind. Ctrl-C ends." if waits is not None else "listening",
        err=True,
    )
    with suppress(KeyboardInterrupt):
        run_live(session, blocks, senders)
