"""What is blocked here and how it looks, measured by talking to the node's own relays alone.

- `measured`: what was seen, pure values without any address
- `judging`: what follows from it, and what to do next, pure
- `words`: the sentences for both
- `probing`: single questions: a name, a connection, a hello
- `trial`: a way tried as it is used, and what it carries
- `checkup`: all of that in a minute
"""

from skvoz.node.checkup.checkup import Checkup, Report, Target
from skvoz.node.checkup.judging import Code, Finding, Step, judge, next_steps

__all__ = ["Checkup", "Code", "Finding", "Report", "Step", "Target", "judge", "next_steps"]
