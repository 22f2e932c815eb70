"""The lab: worlds of network namespaces in which blocking tactics meet what wants to get through.

- `places`: networks, addresses and names of every world
- `world`: a world: client | box | outside, processes and functions inside of it
- `namespaces`: the means of it, namespaces and cables
- `box`: the process in the middle that carries every frame
- `packets`, `streams`, `client_hello`, `dns`: what a box reads
- `tactics`: the rules, each with its source, and the case of what it must block and let pass
- `controls`, `browserlike`: the small clients that a rule must block
- `outside`, `sites`: what is served outside; `browser`: a Chromium inside, which opens the decoy
- `nftables`: the same rules by the kernel's filter, where they have such a form: a second opinion
- `ndpi`: what a judge that nobody here wrote takes captured traffic for
- `prober`: the censor's visitor, for the rule that asks
- `grounds`: whether a tactic in a world is one, without which no cell counts; `every_ground` tries all
- `doctor`: what a checkup (`skvoz doctor`) says under each tactic
"""
