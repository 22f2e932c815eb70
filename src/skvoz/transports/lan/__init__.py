"""The network around: who lends a relay there says so, to nobody but those who share a conversation.

- `announcement`: what is said, pure: nothing in it means anything to anybody else
- `discovery`: saying and hearing it, by mDNS
"""

from skvoz.transports.lan.announcement import Lender, Place, announce, recognise
from skvoz.transports.lan.discovery import Discovery, lan_address

__all__ = ["Discovery", "Lender", "Place", "announce", "lan_address", "recognise"]
