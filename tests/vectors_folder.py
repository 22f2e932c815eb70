"""Where the official test vectors are: `SKVOZ_VECTORS`, else a folder beside the repository."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

_REPOSITORY = Path(__file__).resolve().parent.parent
_BESIDE = _REPOSITORY.parent / "shared" / "vectors"


def vectors_folder() -> Path:
    """Return the folder, whether or not it exists."""
    return Path(os.environ.get("SKVOZ_VECTORS") or _BESIDE)


def require(relative: str) -> Path:
    """Return the path of a vector file; where it is missing, skip the test, or fail it in CI."""
    path = vectors_folder() / relative
    if not path.exists():
        reason = f"the official vectors are not here (SKVOZ_VECTORS names their folder): {relative}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def read_cases(relative: str) -> list[Any]:
    """Return the cases of a JSON vector file, for instance `mls/tree-math.json`."""
    return json.loads(require(relative).read_bytes())
