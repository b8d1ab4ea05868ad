"""Where the metrics of each process are: the web's at its own address, the others' on ports of theirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ringeliste.ports import free_ports, reachable_at
from wiring.settings import Settings

FIRST_PORT = 9460
"""From here on, unless RINGELISTE_METRICS_PORT says from where."""

COUNTED = ("worker", "scheduler", "dialer")
"""Processes of the Procfile that count and serve no pages."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The ports of a run. A process takes the first free one of its own, and its spares the next."""

    host: str
    ports: Mapping[str, Sequence[int]]

    def env(self, process: str) -> dict[str, str]:
        """What is added to a process's environment."""
        ports = self.ports.get(process)
        return (
            {"RINGELISTE_METRICS_HOST": self.host, "RINGELISTE_METRICS_PORT": str(ports[0])} if ports else {}
        )

    def addresses(self, web: str) -> list[str]:
        """Every address of metrics, each with its process's name."""
        served = [("web", web)]
        served += [
            (name, reachable_at(self.host, port)) for name, ports in self.ports.items() for port in ports
        ]
        return [f"{name} {address}/metrics" for name, address in served]


def watched(settings: Settings, commands: Mapping[str, Sequence[str]]) -> Watched:
    """Free ports for the processes of these commands. Raises Conflict."""
    wanted = {name: _processes(commands[name]) for name in COUNTED if name in commands}
    free = free_ports(settings.metrics_host, settings.metrics_port or FIRST_PORT, sum(wanted.values()))
    ports: dict[str, list[int]] = {}
    for name, count in wanted.items():
        ports[name], free = free[:count], free[count:]
    return Watched(settings.metrics_host, ports)


def _processes(command: Sequence[str]) -> int:
    """How many processes a line of the Procfile starts: as many as it says, else one."""
    return int(command[command.index("--processes") + 1]) if "--processes" in command else 1
