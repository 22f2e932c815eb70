"""What an account is made of, as far as people type it."""

import pytest

from skvoz.base.errors import BadRequest
from skvoz.client.account import check_name


@pytest.mark.parametrize("name", ["", "  ", "я" * 129, "a\udcff"])
def test_a_name_is_checked(name: str) -> None:
    with pytest.raises(BadRequest):
        check_name(name)
    assert check_name(" Аня ") == "Аня"
