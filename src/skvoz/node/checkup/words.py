"""What a checkup says to people: English sentences that are said in their language where they are shown.

`{relay}` stands for what a relay is called there: its host to its own people, its number in what goes to
others.
"""

from typing import Final

from skvoz.node.checkup.judging import Code, Step
from skvoz.texts import later

FINDINGS: Final[dict[Code, str]] = {
    Code.OFFLINE: later("This machine is in no network: nothing goes out of it."),
    Code.PAGE_INSTEAD: later(
        "This network answers with a page of its own where your relay should be. As a rule that is a login "
        "page; where there is nothing to log in to, it is the notice of a block."
    ),
    Code.CLOCK: later("The relay's certificate is not valid at the time that this machine shows."),
    Code.NAME_UNKNOWN: later("{relay}: this network says that there is no such name."),
    Code.NAME_SILENT: later(
        "Names are not looked up here: whoever this machine asks for them doesn't answer."
    ),
    Code.NAME_FALSE: later(
        "{relay}: this network gives a false address for this name. It leads to somebody else."
    ),
    Code.ADDRESS_SILENT: later(
        "{relay}: nothing comes back from its address. Either the address is blocked here, or the relay is "
        "off: from here the two look the same."
    ),
    Code.ADDRESS_REFUSED: later(
        "{relay}: the connection to its address is refused at once. Either the relay is off, or something "
        "on the way refuses in its name."
    ),
    Code.CERTIFICATE_REPLACED: later(
        "{relay}: somebody on the way answers in its place, with a certificate that nobody vouches for. "
        "Your messages stay unread: nothing is sent to them."
    ),
    Code.NAME_RESET: later(
        "{relay}: its name is blocked. A connection that says this name is cut off at once; with another "
        "name the same address answers."
    ),
    Code.NAME_DROPPED: later(
        "{relay}: its name is blocked. A connection that says this name is answered no more; with another "
        "name the same address answers."
    ),
    Code.PROGRAM_HELLO_BLOCKED: later(
        "{relay}: connections that don't begin as a browser's do are blocked. Those that do get through."
    ),
    Code.BROWSER_HELLO_BLOCKED: later(
        "{relay}: connections that begin as a browser's do are blocked. Others get through."
    ),
    Code.TLS_RESET: later(
        "{relay}: encrypted connections to its address are cut off at once, whatever name they say."
    ),
    Code.TLS_DROPPED: later(
        "{relay}: encrypted connections to its address are not answered, whatever name they say."
    ),
    Code.FREEZES: later("{relay}: a connection stops without a word after about {kb} kB."),
    Code.BREAKS: later("{relay}: a connection is cut off after about {kb} kB."),
    Code.THROTTLED: later(
        "{relay}: {kbit_s} kbit/s, while another relay has {other}. It is slowed down on purpose, or far "
        "away."
    ),
    Code.SLOW: later("{relay}: {kbit_s} kbit/s. The network is slow, or slows this relay down."),
    Code.MANY_BLOCKED: later("{relay}: of {of} connections that began at once, {answered} were answered."),
    Code.NO_STREAM: later(
        "{relay}: connections that stay open don't come up, single requests do. Something on the way, or the "
        "relay's own front, lets no WebSocket through."
    ),
    Code.STALLS: later("{relay}: connections begin, and then nothing comes back any more."),
    Code.RELAY_ABSENT: later(
        "{relay}: something answers at its address, and it is not your relay. It may be off behind its "
        "front, or have moved."
    ),
    Code.UNCLEAR: later("{relay}: no way to it works, and what was seen doesn't say why."),
}
STEPS: Final[dict[Step, str]] = {
    Step.NOTHING: later("You need to do nothing: Skvoz gets through here by itself."),
    Step.CONNECT: later("Connect this machine to a network."),
    Step.LOG_IN: later("Open any site in a browser, log in to this network there, and look again."),
    Step.SET_CLOCK: later("Set the clock of this machine, and look again."),
    Step.OTHER_RESOLVER: later(
        "Choose another server for names in this machine's network settings, one with encryption if it can "
        "be had."
    ),
    Step.ASK_ELSEWHERE: later("Ask somebody in another network whether the relay works for them."),
    Step.ASK_ADDRESS: later(
        "Ask whoever runs the relay for another address, or for a link made after it got one: opening the "
        "link adds the address."
    ),
    Step.OTHER_NETWORK: later("Try another network: mobile data, another Wi-Fi, or a VPN."),
    Step.PROXY: later(
        "If you have a proxy, such as Tor's or Xray's, set it: in the settings, or by `skvoz proxy`."
    ),
    Step.HOP: later(
        "Open a link of somebody whose relay works here: as a rule that relay carries you on to the one that "
        "doesn't, by itself."
    ),
    Step.DROP: later(
        "Talk without any relay, over storage that opens here and that all of you reach, such as WebDAV or a "
        "mailbox. That takes an account of its own: begin with `skvoz drop make`."
    ),
    Step.BUNDLE: later(
        'Carry messages by hand, as a file on a USB stick: in the settings, under "By hand", or by `skvoz '
        "bundle export`."
    ),
    Step.TELL_OPERATOR: later("Tell whoever runs the relay."),
    Step.WAIT: later("What you write is kept, and goes out by itself as soon as anything gets through."),
}
WAYS: Final[dict[str, str]] = {
    "works": later("{relay}, {way}: works, answers within {ms} ms, {kbit_s} kbit/s"),
    "answers": later("{relay}, {way}: works, answers within {ms} ms"),
    "unsteady": later("{relay}, {way}: comes up, and doesn't hold"),
    "fails": later("{relay}, {way}: doesn't work"),
}
KINDS: Final[dict[str, str]] = {
    "wss": later("a connection that stays open"),
    "https": later("single requests"),
    "hop": later("over another relay that carries"),
}
"""Transports by their words; others are called by those."""
NOT_TRIED: Final[dict[str, str]] = {
    "udp": later("Not tried: UDP. No relay offers anything over it."),
    "together": later(
        "Not tried: many connections at once, which some networks answer by cutting you off for a minute."
    ),
    "time": later("Not everything was tried: the time was up."),
}
