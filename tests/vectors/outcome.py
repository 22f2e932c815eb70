"""How a checker says what became of a case: it returns, or raises one of these or anything else."""


class NotOursError(Exception):
    """The case is about something that Skvoz does not have; the text names it."""


class MismatchError(Exception):
    """A value is not the one that the case gives; the text names it."""


def expect(what: str, actual: object, wanted: object) -> None:
    """Raise `MismatchError` unless both are equal."""
    if actual != wanted:
        raise MismatchError(what)
