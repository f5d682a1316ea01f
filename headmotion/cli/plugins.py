"""Commands on plugins: list, check and new."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from .command import CommandGroup
from .console import echo, show
from .options import any_path, check_folder, check_output, spec_fields

if TYPE_CHECKING:
    from headmotion.core.interfaces.specs import ComponentSpec
    from headmotion.core.plugins import PluginRecord

KINDS = (
    "representation",
    "audio_encoder",
    "syncer",
    "generator",
    "discriminator",
    "renderer",
    "loss",
    "metric",
    "detector",
    "phase",
    "control",
)


@click.group(cls=CommandGroup, invoke_without_command=True)
@click.pass_context
def plugins(context: click.Context) -> None:
    """List the plugins and what they offer (the default), check one, or start a new one."""
    if context.invoked_subcommand is None:
        context.invoke(plugins_list)


@plugins.command("list")
def plugins_list() -> None:
    """List the plugins with their status and what they offer."""
    from headmotion.core.plugins import registry

    for record in registry().records:
        echo(f"{record.name}  {record.dist} {record.version}  {record.status}".rstrip())
        for line in (record.error,) if record.error else _offered(record):
            echo(f"    {line}")


def _offered(record: PluginRecord) -> Iterator[str]:
    yield from record.types
    yield from (f"model:{name}" for name in record.models)
    yield from (f"recipe:{name}" for name in record.recipes)
    for converter in record.converters:
        loss = f"  (loses {converter.loss})" if converter.loss else ""
        yield f"converter:{converter.source} to {converter.target}{loss}"
    yield from (f"reader:{suffix}" for suffix in record.motion_readers)
    yield from (f"writer:{suffix}" for suffix in record.motion_writers)


@plugins.command("check")
@click.argument("name")
@click.option("--level", type=click.IntRange(1, 3), default=3, show_default=True, help="Highest level of the checks.")
@click.option(
    "--spec",
    "specs",
    multiple=True,
    metavar="JSON",
    help="Check a type by this spec, such as one with required fields; may be given several times.",
)
@click.pass_context
def plugins_check(context: click.Context, name: str, level: int, specs: tuple[str, ...]) -> None:
    """Run the conformance checks on everything that plugin NAME offers; exit status 1 if one fails."""
    from headmotion.testing import check_plugin, report

    checked = check_plugin(name, level, [_spec(name, text) for text in specs])
    echo(report(checked))
    if not all(result.conforms for results in checked.values() for result in results):
        context.exit(1)


def _spec(plugin: str, text: str) -> ComponentSpec:
    """Build the spec that JSON with a ``type``, and with a ``kind`` if several kinds have that type, describes."""
    from headmotion.core.interfaces.specs import resolve_spec
    from headmotion.core.plugins import registry

    fields = spec_fields(text, '{"type": "calm/blur", "width": 5}')
    kinds = [kind for (kind, name), owner in registry().owners.items() if (name, owner) == (fields["type"], plugin)]
    kind = fields.pop("kind", kinds[0] if len(kinds) == 1 else None)
    if not kinds:
        raise click.BadParameter(f"plugin {plugin!r} offers no type {fields['type']!r}.", param_hint="--spec")
    if kind not in kinds:
        needed = f'"kind", one of {", ".join(kinds)}, in the spec of type {fields["type"]!r}'
        raise click.BadParameter(f"expected {needed}, got {kind!r}.", param_hint="--spec")
    return cast("ComponentSpec", resolve_spec(kind, fields))


@plugins.command("new")
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What the plugin's first part is.")
@click.option("-o", "--output", type=any_path, help="Folder to make.  [default: headmotion-NAME]")
def plugins_new(name: str, kind: str, output: Path | None) -> None:
    """Write the package of a new plugin NAME, with one part that works and can be changed."""
    if output is not None:
        check_folder(output)
    check_output(output or Path(f"headmotion-{name}"), may_be_folder=True)
    from headmotion.scaffold import new_plugin

    folder = new_plugin(name, kind, output)
    show(folder)
    echo(f"next: pip install -e {shlex.quote(str(folder))}; headmotion plugins check {name}", err=True)
