"""The lab: worlds of network namespaces in which blocking tactics meet what wants to get through.

- `places`: networks, addresses and names of every world
- `world`: a world: client | box | outside, processes and functions inside of it
- `namespaces`: the means of it, namespaces and cables
- `box`: the process in the middle that carries every frame
- `packets`, `streams`, `client_hello`, `dns`: what a box reads
- `tactics`: the rules, each with its source
- `outside`: what is served outside for every run
"""
