"""A person's node: drives the client machine over its store and its relays.

- `core`: the thread that owns the database and the machine
- `relays`: sessions to relays: which transport, when to try again, frames in and out
- `transfers`, `blob_line`: files on their way, on connections of their own
- `checkup`: what is blocked here, measured by talking to the node's relays
- `proxy_setting`: what the person goes through
- `node`: both together, for an event loop: commands, questions, events
"""
