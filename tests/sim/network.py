"""The network between people and relays: ordered connections that are slow, break or freeze."""

from collections.abc import Callable
from random import Random
from typing import Protocol

from tests.sim.clock import Clock
from tests.sim.faults import Faults


class ClientEnd(Protocol):
    """Who opened a connection."""

    def opened(self, connection: "Connection") -> None: ...
    def heard(self, connection: "Connection", message: bytes) -> None: ...
    def broken(self, connection: "Connection") -> None: ...


class RelayEnd(Protocol):
    """Whom it leads to."""

    @property
    def is_up(self) -> bool: ...
    def accepted(self, connection: "Connection") -> None: ...
    def received(self, connection: "Connection", message: bytes) -> None: ...
    def dropped(self, connection: "Connection") -> None: ...


class Connection:
    """Messages in order, both ways, until it breaks."""

    def __init__(self, network: "Network", number: int, client: ClientEnd, relay: RelayEnd, who: str) -> None:
        self.network = network
        self.number = number
        self.client = client
        self.relay = relay
        self.who = who
        self.client_open = False
        self.relay_open = False
        self.frozen = False
        self.recorded: list[bytes] = []
        self._last_up_ms = 0
        self._last_down_ms = 0

    def up(self, message: bytes) -> None:
        """Send from the client to the relay."""
        if len(self.recorded) < 4:
            self.recorded.append(message)
        if self._goes(message):
            self._last_up_ms = self.network.in_order(self._last_up_ms)
            self.network.at(self._last_up_ms, lambda: self._arrive_up(message))

    def down(self, message: bytes) -> None:
        """Send from the relay to the client."""
        if self._goes(message):
            self._last_down_ms = self.network.in_order(self._last_down_ms)
            self.network.at(self._last_down_ms, lambda: self._arrive_down(message))

    def close_by_client(self) -> None:
        """The client wants no more; the relay hears of it later, if the network still works."""
        self.client_open = False
        self.network.at(self.network.in_order(self._last_up_ms), self._drop_at_relay)

    def close_by_relay(self) -> None:
        """The relay wants no more."""
        self.relay_open = False
        if not self.frozen:
            self.network.at(self.network.in_order(self._last_down_ms), self._break_at_client)

    def cut(self) -> None:
        """Break: what is on its way is lost, and both ends hear of it, the relay perhaps much later."""
        self.frozen = True
        self.network.at(self.network.in_order(0), self._break_at_client)
        late_ms = self.network.random.choice((0, 0, 50, 5_000, 60_000))
        self.network.clock.after(late_ms, self._drop_at_relay)

    def _goes(self, message: bytes) -> bool:
        network = self.network
        network.trace(message)
        if self.frozen or not network.faulty:
            return not self.frozen
        if network.chance(network.faults.connection_cut):
            self.cut()
        elif network.chance(network.faults.connection_frozen):
            self.frozen = True
        return not self.frozen

    def _arrive_up(self, message: bytes) -> None:
        if not self.frozen and self.relay_open:
            self.relay.received(self, message)

    def _arrive_down(self, message: bytes) -> None:
        if not self.frozen and self.client_open:
            self.client.heard(self, message)

    def _drop_at_relay(self) -> None:
        if self.relay_open:
            self.relay_open = False
            self.relay.dropped(self)

    def _break_at_client(self) -> None:
        if self.client_open:
            self.client_open = False
            self.client.broken(self)


class _Nobody:
    """Who plays a recorded connection hears nothing of the answers."""

    def opened(self, connection: Connection) -> None:
        for message in tuple(connection.recorded):
            connection.up(message)

    def heard(self, connection: Connection, message: bytes) -> None:
        pass

    def broken(self, connection: Connection) -> None:
        pass


class Network:
    """All connections."""

    def __init__(self, clock: Clock, random: Random, faults: Faults, trace: Callable[[bytes], None]) -> None:
        self.clock = clock
        self.random = random
        self.faults = faults
        self.faulty = True
        self.trace = trace
        self.relays: dict[str, RelayEnd] = {}
        self._cut_off: dict[str, int] = {}
        self._connections: dict[int, Connection] = {}
        self._last = 0

    def chance(self, likely: float) -> bool:
        """Tell whether a fault of this likelihood happens."""
        return self.faulty and likely > 0 and self.random.random() < likely

    def connect(self, client: ClientEnd, who: str, address: str) -> Connection:
        """Begin to connect; the client hears `opened` or `broken`."""
        connection = self._made(client, self.relays[address], who)
        self.at(self.in_order(0) + 2, lambda: self._open(connection))
        if self.chance(self.faults.connection_replayed):
            delay_ms = self.random.randrange(100, 20_000)
            self.clock.after(delay_ms, lambda: self._play_again(connection))
        return connection

    def cut_off(self, who: str, duration_ms: int) -> None:
        """Let somebody reach no relay for a while."""
        self._cut_off[who] = self.clock.now_ms + duration_ms
        for connection in list(self._connections.values()):
            if connection.who == who and connection.client_open:
                if self.random.random() < 0.5:
                    connection.cut()
                else:
                    connection.frozen = True

    def cut_all(self, relay: RelayEnd) -> None:
        """Break all connections of a relay whose process is gone."""
        for connection in list(self._connections.values()):
            if connection.relay is relay:
                connection.relay_open = False
                connection.cut()

    def heal(self) -> None:
        """Let everything go well from now on; what is frozen breaks."""
        self.faulty = False
        self._cut_off.clear()
        for connection in list(self._connections.values()):
            if connection.frozen:
                connection.cut()

    def in_order(self, last_ms: int) -> int:
        """Return when a message arrives that goes now, after one that arrives at `last_ms`."""
        delay_ms = self.random.randrange(1, 40)
        if self.chance(self.faults.network_slow):
            delay_ms = self.random.randrange(100, 10_000)
        return max(last_ms, self.clock.now_ms + delay_ms)

    def at(self, time_ms: int, deed: Callable[[], None]) -> None:
        """Do something at a time."""
        self.clock.after(time_ms - self.clock.now_ms, deed)

    def _made(self, client: ClientEnd, relay: RelayEnd, who: str) -> Connection:
        self._last += 1
        connection = Connection(self, self._last, client, relay, who)
        connection.client_open = True
        self._connections = {
            number: one for number, one in self._connections.items() if one.client_open or one.relay_open
        }
        self._connections[connection.number] = connection
        return connection

    def _open(self, connection: Connection) -> None:
        if not connection.client_open:
            return
        cut_off = self._cut_off.get(connection.who, 0) > self.clock.now_ms
        if cut_off or not connection.relay.is_up or self.chance(self.faults.connect_fails):
            connection.client_open = False
            connection.client.broken(connection)
            return
        connection.relay_open = True
        connection.relay.accepted(connection)
        connection.client.opened(connection)

    def _play_again(self, recorded: Connection) -> None:
        again = self._made(_Nobody(), recorded.relay, "nobody")
        again.recorded = list(recorded.recorded)
        self._open(again)
