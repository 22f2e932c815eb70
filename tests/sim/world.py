"""A whole world by its seed: people, relays and the network between them, until everything has settled."""

import hashlib
from dataclasses import dataclass
from random import Random
from unittest import mock

from skvoz.client.commands import Answer, CreateAccount
from skvoz.logs import contest
from tests.sim import hindsight, verdict
from tests.sim.actions import ACTIONS, draw_weights
from tests.sim.carrying import carry
from tests.sim.clock import START_MS, Clock
from tests.sim.faults import Faults, draw_faults
from tests.sim.ledger import Broken, Ledger
from tests.sim.misfortunes import strike
from tests.sim.network import Network
from tests.sim.person import Person
from tests.sim.relay_host import RelayHost
from tests.sim.toy_suite import Seals, toy_suite

NAMES = ("anna", "boris", "vera", "gleb", "dasha")
CONTEST_BITS = 2
"""A proof of work that costs nothing here."""
DEEDS_MAX = 400_000
_GAPS_MS = (0, 0, 50, 300, 1_000, 1_000, 3_000, 10_000)
_LONG_GAPS_MS = (60_000, 600_000, 6 * 3_600_000, 8 * 24 * 3_600_000)
_DAY_MS = 24 * 3_600_000
_SETTLE_MS = (10_000, 60_000, 300_000, 1_200_000, 3_600_000, 3_600_000, 4 * 3_600_000, 8 * _DAY_MS)
"""The last is for those who were denied: they contest after a week only."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one world came to."""

    seed: int
    problem: str
    """Empty where everything held."""
    faults: tuple[str, ...]
    trace: str
    """A digest of everything that went over the network, and when."""
    messages: int
    refused: int
    virtual_s: int


class World:
    """One world."""

    def __init__(self, seed: int, *, only: frozenset[str] | None = None, carries: bool = False) -> None:
        """Make the world of a seed, with these faults `only`; where it `carries`, bundles go by hand too."""
        self.seed = seed
        self.carrying = Random(f"{seed} carrying") if carries else None
        self.random = Random(f"{seed} world")
        faults = draw_faults(self.random)
        self.faults: Faults = faults if only is None else faults.only(set(only))
        self.clock = Clock()
        self._trace = hashlib.sha256()
        self.network = Network(self.clock, Random(f"{seed} network"), self.faults, self._traced)
        seals = Seals()
        suite = toy_suite(seals)
        self.relays = {
            relay.relay_id: relay
            for relay in (
                RelayHost(f"relay{number}", self.clock, self.network, Random(f"{seed} relay{number}"), suite)
                for number in range(self.random.choice((1, 1, 2)))
            )
        }
        self.ledger = Ledger({bytes(one): relay for one, relay in self.relays.items()})
        self.people = [
            Person(
                name,
                seed=seed,
                clock=self.clock,
                network=self.network,
                suite=suite,
                seals=seals,
                watcher=self.ledger,
            )
            for name in NAMES[: self.random.choice((2, 2, 3, 3, 4, 5))]
        ]
        self.said: dict[str, str] = {}
        """Texts that were taken, with their authors."""
        self._texts = 0
        self._weights = draw_weights(self.random)
        self._long = self.random.random() < 0.2

    def _traced(self, message: bytes) -> None:
        self._trace.update(b"%d %d " % (self.clock.now_ms, len(message)))
        self._trace.update(message)

    def fresh_text(self) -> str:
        """Return words that nobody has said yet."""
        self._texts += 1
        return f"text {self._texts}"

    def note_said(self, author: Person, text: str | None) -> None:
        """Note that a text was taken."""
        if text is not None:
            self.said[text] = author.name

    def run(self) -> Result:
        """Live through it."""
        with mock.patch.object(contest, "CONTEST_BITS", CONTEST_BITS):
            try:
                self._live()
                problem = self._settle()
            except Broken as broken:
                problem = str(broken)
        return self.result(problem)

    def result(self, problem: str) -> Result:
        """Return what came of it so far."""
        return Result(
            seed=self.seed,
            problem=problem,
            faults=tuple(self.faults.names()),
            trace=self._trace.hexdigest(),
            messages=len(self.said),
            refused=sum(person.refused for person in self.people),
            virtual_s=(self.clock.now_ms - START_MS) // 1000,
        )

    def _live(self) -> None:
        homes = list(self.relays.values())
        for person in self.people:
            home = self.random.choice(homes)

            def known(answer: Answer, name: str = person.name) -> None:
                if answer.account_id is not None:
                    self.ledger.accounts[name] = answer.account_id

            person.do(
                lambda client_id, person=person, home=home: CreateAccount(
                    client_id=client_id, name=person.name, relay=home.address
                ),
                known,
            )
        for _ in self.people:
            self.clock.run_for(self.random.choice(_GAPS_MS), DEEDS_MAX)
            ACTIONS["meet"][0](self, self.random.choice(self.people))
        names, weights = list(self._weights), list(self._weights.values())
        for _ in range(self.random.choice((15, 30, 60))):
            gaps_ms = _LONG_GAPS_MS if self._long and self.random.random() < 0.1 else _GAPS_MS
            gap_ms = self.random.choice(gaps_ms)
            self.clock.run_for(gap_ms, DEEDS_MAX)
            strike(self, gap_ms)
            if self.carrying is not None:
                carry(self, self.carrying)
            person = self.random.choice(self.people)
            if person.is_running and person.account_id is not None:
                action, _ = ACTIONS[self.random.choices(names, weights)[0]]
                action(self, person)

    def _settle(self) -> str:
        """Let the faults stop, and time pass until everything holds; return what does not."""
        self.network.heal()
        anew = self.random.random() < 0.5
        for person in self.people:
            person.disk_full = False
            if anew:
                person.crash()
        self.clock.run_for(1, DEEDS_MAX)
        for person in self.people:
            person.start()
        problems = ["nothing was looked at"]
        for pause_ms in _SETTLE_MS:
            self.clock.run_for(pause_ms, DEEDS_MAX)
            problems = verdict.problems(self)
            if not problems:
                return "; ".join(sorted(set(hindsight.problems(self))))
        return "; ".join(problems)
