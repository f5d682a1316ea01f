"""The command that opens a page in the browser: studio."""

from __future__ import annotations

import click

from .command import command
from .console import echo, run_until_interrupted
from .options import device, one_thread, options


@command()
@options(
    click.option(
        "--model",
        "models",
        multiple=True,
        metavar="NAME|NAME=FILE",
        help="A bundled model, or a checkpoint under a name; several may be given.  [default: all that are bundled]",
    ),
    click.option("--port", type=click.IntRange(0, 65535), default=8770, show_default=True, help="0 takes a free port."),
    click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page."),
    device,
)
def studio(models: tuple[str, ...], port: int, browser: bool, device: str) -> int:
    """Open a page in which a face answers the microphone, a sound file or a text, until Ctrl-C."""
    one_thread()
    import webbrowser

    import headmotion
    from headmotion.serving.operator import named_models
    from headmotion.studio import studio_server

    named = named_models(models or default_models())
    pipelines = {name: headmotion.load(source, device=device) for name, source in named.items()}
    server = studio_server(pipelines, port)
    echo(f"studio at {server.address}")
    if browser:
        webbrowser.open(server.address)
    return run_until_interrupted(server.run)


def default_models() -> list[str]:
    """Return headmotion's own models, the one of `headmotion animate` first; those of plugins are loaded if named."""
    import headmotion

    from .animate import animate

    default = next(parameter.default for parameter in animate.params if parameter.name == "model")
    own = [name for name in headmotion.models() if "/" not in name]
    return sorted(own, key=lambda name: (name != default, name))
