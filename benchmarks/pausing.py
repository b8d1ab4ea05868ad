"""How long whoever pauses waits for the answer, while thirty-two hand out as fast as they can."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median, quantiles
from threading import Event
