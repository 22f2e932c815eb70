"""All fuzz targets by name; each is made by a function of a module of its own, loaded when it is run."""

import importlib
from typing import Final, cast

from fuzz.target import Target

TARGETS: Final[dict[str, str]] = {
    "codec": "fuzz.codec:make",
    "crypto": "fuzz.crypto:make",
    "content": "fuzz.content:make",
    "mls_parsers": "fuzz.mls_parsers:make",
    "mls_stored": "fuzz.mls_stored:make",
    "mls_messages": "fuzz.mls_group:messages",
    "mls_trees": "fuzz.mls_group:trees",
    "mls_commits": "fuzz.mls_commits:make",
    "mls_joins": "fuzz.mls_joins:make",
    "wire_frames": "fuzz.wire_frames:make",
    "wire_sealed": "fuzz.wire_sealed:make",
    "wire_lanes": "fuzz.wire_lanes:make",
    "deaddrop": "fuzz.deaddrop:make",
    "proxy": "fuzz.proxy:make",
    "logs_rules": "fuzz.logs_rules:make",
    "relay_machine": "fuzz.relay_machine:make",
    "client_documents": "fuzz.client_documents:make",
    "client_sealed": "fuzz.client_sealed:make",
    "client_carried": "fuzz.client_carried:make",
    "client_session": "fuzz.client_session:make",
    "client_files": "fuzz.client_files:make",
    "client_entries": "fuzz.client_machine:entries",
    "client_mail": "fuzz.client_machine:mail",
    "client_facts": "fuzz.client_facts:make",
    "store_files": "fuzz.store_files:make",
    "store_database": "fuzz.store_files:database",
    "server_files": "fuzz.server_files:make",
    "server_database": "fuzz.server_files:database",
    "server_socket": "fuzz.server_socket:make",
    "api_calls": "fuzz.api_calls:make",
}
"""Name → module and function."""


def load(name: str) -> Target:
    """Make a target; imports what it needs."""
    module, _, function = TARGETS[name].partition(":")
    return cast("Target", getattr(importlib.import_module(module), function)())
