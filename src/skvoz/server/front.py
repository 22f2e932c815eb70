"""What stands in front of a public relay: Caddy's settings and the system's unit, as texts.

Whoever doesn't know the secret path meets an ordinary site, and nothing of it comes from the relay: only
requests to that very path get there. Those that the relay takes for a stranger's are answered by the site.
"""

import re
import secrets
from pathlib import Path
from typing import Final

from skvoz.base.errors import BadRequest
from skvoz.base.value import Value

_SECRET_BYTES: Final = 16
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.IGNORECASE)
_DOMAIN_SIZE_MAX: Final = 253
_SITE: Final = re.compile(rf"https?://{_LABEL}(\.{_LABEL})*(:[0-9]{{1,5}})?/?", re.IGNORECASE)
_UNSAFE: Final = re.compile(r'[\s"`{}\\%]')
"""What would mean something to Caddy, or to systemd, in the middle of a path."""

_CADDYFILE: Final = """\
# A site with a relay behind one of its paths. Whoever knows that path and has a link knows the relay: it is
# a secret, and this file with it. No access log: that would be a list of who came when.
{domain} {{
	handle {path} {{
		reverse_proxy {listen} {{
			@stranger status 404
			handle_response @stranger {{
				{site}
			}}
		}}
	}}
	handle {{
		{site}
	}}
}}
"""
_UNIT: Final = """\
[Unit]
Description=relay
After=network-online.target
Wants=network-online.target

[Service]
User={user}
ExecStart={program} relay --home {home}
Restart=on-failure
UMask=0077
LimitNOFILE=65536
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectHome={protect_home}
ReadWritePaths={home}
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
LockPersonality=yes
CapabilityBoundingSet=

[Install]
WantedBy=multi-user.target
"""


class Site(Value, frozen=True, kw_only=True):
    """What everybody else meets: files of a folder, or what another address answers."""

    folder: Path | None = None
    address: str = ""

    @property
    def directives(self) -> str:
        """What Caddy does for it, on one or two lines."""
        if self.folder is not None:
            return f"root * {self.folder}\n\t\tfile_server"
        return f"reverse_proxy {self.address} {{\n\t\t\theader_up Host {{upstream_hostport}}\n\t\t}}"


def secret_path() -> str:
    """Make a path that nobody guesses, of 128 bits."""
    return f"/{secrets.token_urlsafe(_SECRET_BYTES)}"


def check_domain(text: str) -> str:
    """Return a domain as it goes into the settings; raise `BadRequest` for what is none."""
    try:
        domain = text.strip().rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        domain = ""
    if not _DOMAIN.fullmatch(domain) or len(domain) > _DOMAIN_SIZE_MAX:
        raise BadRequest("this is not a domain: relay.example, without https:// and without a path")
    return domain


def choose_site(text: str) -> Site:
    """Return the site that a folder or an address makes; raise `BadRequest` where there is none."""
    if text.startswith(("http://", "https://")):
        if not _SITE.fullmatch(text):
            raise BadRequest("the site's address is https:// and a name, without a path")
        return Site(address=text.rstrip("/"))
    folder = Path(text).expanduser().resolve()
    if not (folder / "index.html").is_file():
        raise BadRequest("the site's folder has no index.html")
    if _UNSAFE.search(str(folder)):
        raise BadRequest("the folder's path has characters that its settings can't hold")
    return Site(folder=folder)


def caddyfile(domain: str, path: str, listen: str, site: Site) -> str:
    """Return Caddy's settings for a site with a relay, which listens at `listen`, behind `path`."""
    inner = site.directives
    text = _CADDYFILE.format(domain=domain, path=path, listen=listen, site="{site}")
    deep, flat = inner.replace("\n", "\n\t\t"), inner
    return text.replace("{site}", deep, 1).replace("{site}", flat, 1)


def unit(user: str, program: Path, home: Path) -> str:
    """Return the system's unit of a relay whose program and home are given by their whole paths."""
    if _UNSAFE.search(f"{program}{home}"):
        raise BadRequest("the folder's path has characters that its settings can't hold")
    in_homes = any(one.is_relative_to(homes) for one in (home, program) for homes in ("/home", "/root"))
    return _UNIT.format(user=user, program=program, home=home, protect_home="no" if in_homes else "yes")
