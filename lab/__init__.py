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

And people in such a world, for docs/survival.md:

- `rows`: the ways that are measured; a new transport is an entry there
- `site`: a relay behind Caddy; `homes`, `node_process`: people with real nodes; `processes`: how they are run
- `stage`: all of them in a world; `chat`: what they write to each other, and what arrived
- `distance`: the tactics, with the far side far away
- `measuring`, `cells`: a row under a tactic, and what its colour means
- `peers`: what else people use
- `matrix`: all rows under all tactics; `survival` writes what it found, `quick` holds changes to it
- `idle`: what a day costs in which nothing is said
"""
