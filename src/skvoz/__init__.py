"""Skvoz: a messenger that only the people in a conversation can read.

The rooms and who may import whom are drawn in ARCHITECTURE.md and held by the
import contracts in `.importlinter`.
"""

__version__ = "0.1.0"
