"""The relay machine, pure: sessions, cursors, credit and admission. It knows no accounts and no names.

- `seam`: inputs, effects, and what passes between the machine and the store
- `ports`: what a store must be able to do
- `executor`: runs requests against a store's write transaction by the rules of `skvoz.logs`
- `reading`: reads what a session may see
- `machine`: `Relay.handle(inputs, now_ms) -> effects`, the whole relay but for sockets and disks
- `session`: one client's attachments, cursors, credit, and what it may have lost with its connection
"""
