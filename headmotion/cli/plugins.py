"""The command that lists and checks plugins."""

from __future__ import annotations

import click


@click.group(invoke_without_command=True)
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
@click.option("--level", type=click.IntRange(1, 3), default=3, show_default=True, help="Highest level of the checks.")
@click.pass_context
def plugins_check(context: click.Context, name: str, level: int) -> None:
    """Run the conformance checks on everything that plugin NAME offers; exit status 1 if one fails."""
    from headmotion.testing import check_plugin, report

    checked = check_plugin(name, level)
    click.echo(report(checked))
    if not all(result.conforms for results in checked.values() for result in results):
        context.exit(1)
