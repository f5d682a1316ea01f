"""The command that serves models to many clients: serve."""

from __future__ import annotations

from pathlib import Path

import click

from headmotion.core.default_model import DEFAULT_MODEL
from headmotion.core.errors import ServingError
from headmotion.serving.operator import TOKEN_VARIABLE, named_models, read_token

from .command import command
from .console import echo, run_until_interrupted
from .option_rules import Rule, option_rules
from .options import any_path, check_folder, device, existing_file, one_thread, options

OTHER_FILES = 128
"""Open files of a process besides its connections."""


@command()
@options(
    click.option(
        "--model",
        "models",
        multiple=True,
        default=[DEFAULT_MODEL],
        show_default=True,
        metavar="NAME|NAME=FILE",
        help="A bundled model, or a checkpoint under a name for clients; several may be given.",
    ),
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; others need a token."),
    click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes a free port."),
    click.option("--token-file", type=existing_file, help=f"File with the token of clients; or set {TOKEN_VARIABLE}."),
    click.option("--origin", "origins", multiple=True, metavar="URL", help="Origin of web pages that may call."),
    click.option(
        "--limit", "limits", multiple=True, metavar="NAME=VALUE", help="A limit, such as sessions=100 or session_s=600."
    ),
    click.option("--state", type=any_path, help="Folder in which sessions wait for the next server."),
    click.option("--shared-state", is_flag=True, help="Several servers use the folder; clients come back to any."),
    device,
)
@option_rules(Rule(("shared_state",), "a folder (--state)", lambda args: args["state"] is not None))
def serve(
    models: tuple[str, ...],
    host: str,
    port: int,
    token_file: Path | None,
    origins: tuple[str, ...],
    limits: tuple[str, ...],
    state: Path | None,
    shared_state: bool,
    device: str,
) -> int:
    """Serve live sessions over WebSockets and whole files over HTTP, until Ctrl-C."""
    if state is not None:
        check_folder(state, "--state")
    one_thread()
    import headmotion
    from headmotion.serving import Server, ServerLimits
    from headmotion.serving.access import Access

    allowed = ServerLimits.parse(dict(_pair(limit, "--limit") for limit in limits))
    _allow_files(allowed.connections + OTHER_FILES)
    token = read_token(token_file)
    named = named_models(models)
    Access(host, token, origins)  # before the models are loaded, because a mistake should show at once
    pipelines = {name: headmotion.load(source, device=device) for name, source in named.items()}
    server = Server(pipelines, host, port, token, origins, allowed, state, shared_state)
    echo(f"{', '.join(pipelines)} at {server.url}")
    return run_until_interrupted(server.run)


def _pair(text: str, option: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign and value):
        raise click.BadParameter(f"{text!r} is not NAME=VALUE.", param_hint=option)
    return name, value


def _allow_files(count: int) -> None:
    """Let the process have so many open files, which connections are, too.

    Raises:
        ServingError: the system allows fewer.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise ServingError(
            "server", f"{count} open files", f"at most {hard}", "lower --limit connections, or ulimit -n"
        )
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
