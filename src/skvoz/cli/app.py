"""The commands' root."""

import click


@click.group()
def main() -> None:
    """Write to people so that nobody else can read it."""
