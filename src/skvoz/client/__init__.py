"""The client machine: everything a person's device decides, without doing any of it.

`Machine.handle(transaction, input, now_ms)` and `Machine.command(transaction, command, now_ms)` read and
change records through a `Transaction` and return effects and events. The driver stores the changes,
all or none, and only then lets the effects out.

- `commands`, `inputs`, `effects`, `events`: the four closed unions at the door
- `records`, `transaction`: what a home keeps, and one step's view of it
- `environment`: the cipher suite and randomness
"""
