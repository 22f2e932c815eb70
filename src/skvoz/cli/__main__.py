"""`python -m skvoz.cli`, the same as `skvoz`."""

from skvoz.cli import main

if __name__ == "__main__":
    main()
