"""Whose certificates are believed: Mozilla's list, or the file that the environment names instead."""

import os
from pathlib import Path


def own_authority() -> Path | None:
    """Return the file that SSL_CERT_FILE names, as for other programs; None where Mozilla's list counts."""
    named = Path(os.environ.get("SSL_CERT_FILE", ""))
    return named if named.is_file() else None
