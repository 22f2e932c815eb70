"""What every room may use: errors, ids, limits and the ports for time and chance.

- `errors`: the one tree of errors; every error that Skvoz raises on purpose is a `SkvozError`
- `ids`: `NewType` names for the ids that travel between rooms
- `limits`: sizes and counts that both ends of the wire agree on, each with its reason
- `secrecy`: what a value that holds secrets must not do
- `value`: what immutable values are
- `ports`: what a pure room is given instead of a clock and a source of randomness
"""
