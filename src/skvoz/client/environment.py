"""What the machine is given from outside besides time: the cipher suite and randomness."""

from dataclasses import dataclass, field

from skvoz.base.ports import Randomness
from skvoz.crypto.suites import CipherSuite


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The suite of new conversations (and of HPKE to inboxes), and a source of random bytes."""

    suite: CipherSuite
    randomness: Randomness = field(repr=False)
