"""A proxy is set before there is an account, shown without its password, and given up."""

from pathlib import Path

from tests.cli.terminal import Terminal


def test_a_proxy_is_set_shown_and_given_up(tmp_path: Path) -> None:
    me = Terminal(tmp_path / "home")
    assert me.does("proxy", "show") == "There is no proxy: relays are reached directly.\n"
    said = me.does("proxy", "use", "socks5://127.0.0.1:9050", "--name", "anna", typed="hidden\n")
    assert said.startswith("Through socks5://127.0.0.1:9050; only what stays on this machine or on the")
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert me.objects("proxy", "show", "--json") == [
        {"address": "socks5://127.0.0.1:9050", "name": "anna", "allows_direct": False}
    ]
    assert "directly where" in me.does("proxy", "use", "127.0.0.1:9050", "--allow-direct")
    for address in ("http://127.0.0.1:1", "socks5://a:hidden@127.0.0.1:1"):
        assert "hidden" not in me.refused("proxy", "use", address)
    me.does("proxy", "off")
    assert me.does("proxy", "show") == "There is no proxy: relays are reached directly.\n"
