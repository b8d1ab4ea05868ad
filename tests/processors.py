"""How much of the machine is ours: what others take of it, and how far that stretches a time limit."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic

import psutil

SAMPLE_SECONDS = 1.0

LEAST_OURS = 0.1
"""However little is left for us, no limit is stretched further than ten times."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Processor seconds up to `at`: of all, all together idle, and ours."""

    at: float
    idle: float
    ours: float


class Processors:
    """Measures, in a thread of its own, until `stop`. `roots`: they are ours, with all below them."""

    def __init__(self, roots: Callable[[], Iterable[int]]) -> None:
        self._roots = roots
        self._seen: dict[tuple[int, float], float] = {}
        self._ours = 0.0
        self._samples = [self._sample()]
        self._stopping = Event()
        self._thread = Thread(target=self._measure, name="processors", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Measure no more."""
        self._stopping.set()
        self._thread.join()

    def others(self, since: float, until: float) -> float:
        """The share of the machine's processors that others took meanwhile (monotonic seconds), 0 to 1."""
        samples = list(self._samples)
        first = max((one for one in samples if one.at <= since), key=lambda one: one.at, default=samples[0])
        last = min((one for one in samples if one.at >= until), key=lambda one: one.at, default=samples[-1])
        if last.at - first.at < SAMPLE_SECONDS / 2:
            return 0.0
        whole = (last.at - first.at) * (psutil.cpu_count() or 1)
        return min(1.0, max(0.0, 1 - (last.idle - first.idle + last.ours - first.ours) / whole))

    def stretch(self, since: float, until: float) -> float:
        """By what a limit is multiplied that is meant for a machine of our own: 1 where nobody else works."""
        return 1 / max(LEAST_OURS, 1 - self.others(since, until))

    def _measure(self) -> None:
        while not self._stopping.wait(SAMPLE_SECONDS):
            self._samples.append(self._sample())

    def _sample(self) -> Sample:
        """Whoever died since the last sample took what it took then: what is missed counts as others'."""
        for found in self._family():
            with suppress(psutil.Error):
                key, times = (found.pid, found.create_time()), found.cpu_times()
                used = times.user + times.system
                self._ours += used - self._seen.get(key, 0.0)
                self._seen[key] = used
        cpu = psutil.cpu_times()
        return Sample(monotonic(), cpu.idle + getattr(cpu, "iowait", 0.0), self._ours)

    def _family(self) -> Iterable[psutil.Process]:
        for root in set(self._roots()):
            with suppress(psutil.Error):
                one = psutil.Process(root)
                yield from (one, *one.children(recursive=True))
