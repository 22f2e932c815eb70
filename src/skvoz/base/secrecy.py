"""What a value that holds secrets must not do."""

from typing import NoReturn, SupportsIndex


class NeverPickled:
    """Refuses to be pickled, or copied that way: a pickle shows every secret, and nobody guards it."""

    __slots__ = ()

    def __reduce_ex__(self, _protocol: SupportsIndex, /) -> NoReturn:
        raise TypeError("what holds secrets is not pickled")
