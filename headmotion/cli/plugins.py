"""The commands that list, check and begin plugins."""

from __future__ import annotations

from pathlib import Path

import click

from .options import any_path, show

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
)


@click.group(invoke_without_command=True)
@click.pass_context
def plugins(context: click.Context) -> None:
    """List the plugins and what they offer (the default), check one, or begin a new one."""
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
@click.option("--level", type=click.IntRange(1, 3), default=3, show_default=True, help="Highest level of the checks.")
@click.pass_context
def plugins_check(context: click.Context, name: str, level: int) -> None:
    """Run the conformance checks on everything that plugin NAME offers; exit status 1 if one fails."""
    from headmotion.testing import check_plugin, report

    checked = check_plugin(name, level)
    click.echo(report(checked))
    if not all(result.conforms for results in checked.values() for result in results):
        context.exit(1)


@plugins.command("new")
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What the plugin's first part is.")
@click.option("-o", "--output", type=any_path, help="Folder to make.  [default: headmotion-NAME]")
def plugins_new(name: str, kind: str, output: Path | None) -> None:
    """Write the package of a new plugin NAME, with one part that works and can be changed."""
    from headmotion.scaffold import new_plugin

    show(new_plugin(name, kind, output))
