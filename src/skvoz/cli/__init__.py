"""What a person types: commands, and the place where everything is put together.

- `app`: the root, which loads a command when it is typed
- `command`: what all commands share: help in the person's language, `--json`
- `desk`: which home, and the API of its node
- `wishes`: having the node change something, and waiting until relays have it
- `naming`: which chat, person or message somebody means
- `output`: lines for people, objects for programs
- `files`: `save`, and the files that `send` takes
- `node`, `account`, `links`, `chats`, `messages`, `contacts`, `groups`, `looking_after`, `group_links`,
  `bots`, `bundles`, `homes`, `storage`, `locking`, `listen`, `doctor`, `relay`: what is typed
- `network`: what `doctor` says of the network
- `browser`: opens the page; `neighbours`: other homes from it
- `try_out`, `demo`: what `./dev run` and `./dev demo` start

Exit codes: 0 done, 1 refused with a one-line reason on stderr, 2 not understood.
"""

import contextlib
import io
import sys
from itertools import pairwise

from skvoz.base.errors import SkvozError
from skvoz.texts import LANGUAGES, choose_language, explain, say

INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C ended."""


def main() -> None:
    """Run what the command line says, and exit."""
    choose_language(_language(sys.argv[1:]))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What an old console can't show is shown as a question mark.
            stream.reconfigure(errors="replace")
    # Help texts are made when the modules are loaded, so the language comes first.
    import click  # noqa: PLC0415

    from skvoz.cli.app import app  # noqa: PLC0415

    try:
        sys.exit(app.main(prog_name="skvoz", standalone_mode=False) or 0)
    except SkvozError as error:
        click.echo(f"skvoz: {explain(error)}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo(err=True)
        sys.exit(INTERRUPTED)
    except UnicodeEncodeError:
        # Bytes of another encoding, from the arguments or the input; nothing was sent.
        click.echo("skvoz: " + say("the text is not UTF-8"), err=True)
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our lines has enough of them; what is still buffered has nowhere to go.
        sys.stdout = None
        sys.exit(1)
    except OSError as error:
        # Ours are translated where they arise: what is left is that nothing can be printed.
        sys.stdout = None
        with contextlib.suppress(OSError):
            why = say(error.strerror or "")
            click.echo("skvoz: " + say("what was to be printed could not be: {why}", why=why), err=True)
        sys.exit(1)


def _language(arguments: list[str]) -> str | None:
    for name, value in pairwise(arguments):
        if name == "--language" and value in LANGUAGES:
            return value
    return None


__all__ = ["main"]
