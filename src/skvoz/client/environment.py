"""What the machine is given from outside besides time: the cipher suite and randomness."""

from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.crypto.suites import CipherSuite


class Environment(Value, frozen=True, kw_only=True):
    """The suite of new conversations (and of HPKE to inboxes), and a source of random bytes."""

    suite: CipherSuite
    randomness: Randomness
