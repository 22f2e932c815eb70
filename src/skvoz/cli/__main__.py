"""`python -m skvoz.cli`, the same as `skvoz`."""

from skvoz.cli import main

main()
