"""What a person types: commands, and the place where everything is put together."""

from skvoz.cli.app import main

__all__ = ["main"]
