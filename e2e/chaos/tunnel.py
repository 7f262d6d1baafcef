"""A wire whose packets go through our hands, and come late, out of order, twice or not at all.

What neither a proxy can do, above TCP, nor a kernel without netem.
"""

from __future__ import annotations

import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from e2e.chaos.faults.fault import ImpossibleError
from e2e.chaos.wire import Wire, ip

if TYPE_CHECKING:
    from collections.abc import Sequence

DEVICE = Path("/dev/net/tun")
# From linux/if_tun.h: packets of IP, and nothing before them.
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
PACKET_BYTES = 65_535
OVERTAKEN, DOUBLED, LOST = 0.2, 0.02, 0.02
SHORTEST_SECONDS, LONGEST_SECONDS = 0.005, 0.05
LOOK_SECONDS = 0.2


class Tunnel(Wire):
    """Each packet is passed on by a thread of ours; a disturbed one holds some of them back."""

    def __enter__(self) -> Self:
        """Raises ImpossibleError."""
        if not DEVICE.exists():
            raise ImpossibleError("This machine has no /dev/net/tun.")
        self._is_disturbed = False
        self._is_over = threading.Event()
        self._files: list[int] = []
        self._thread = threading.Thread(target=self._pass_on, daemon=True)
        super().__enter__()
        self._thread.start()
        return self

    def disturb(self) -> None:
        """From here on packets are overtaken, lost and doubled, in both directions."""
        self._is_disturbed = True

    def cut(self) -> None:
        raise NotImplementedError

    def mend(self) -> None:
        self._is_disturbed = False

    def _lay(self) -> None:
        ip("netns", "add", self._name)
        self._files = [_opened(self._near)]
        with self._entered():
            self._files.append(_opened(self._far))
        ip("addr", "add", f"{self.here}/30", "dev", self._near)
        ip("link", "set", self._near, "up")
        self._inside("addr", "add", f"{self._there}/30", "dev", self._far)
        self._inside("link", "set", self._far, "up")

    def _remove(self) -> None:
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join()
        for file in self._files:
            os.close(file)
        super()._remove()

    def _pass_on(self) -> None:
        others = dict(zip(self._files, reversed(self._files), strict=True))
        waiting: list[tuple[float, int, int, bytes]] = []
        numbers = itertools.count()
        while not self._is_over.is_set():
            wait = min(LOOK_SECONDS, waiting[0][0] - time.monotonic()) if waiting else LOOK_SECONDS
            for file in select.select(self._files, [], [], max(0.0, wait))[0]:
                packet = os.read(file, PACKET_BYTES)
                for seconds in self._delays():
                    due = time.monotonic() + seconds
                    heapq.heappush(waiting, (due, next(numbers), others[file], packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, file, packet = heapq.heappop(waiting)
                os.write(file, packet)

    def _delays(self) -> Sequence[float]:
        """How long to hold back each copy of a packet."""
        if not self._is_disturbed:
            return (0.0,)
        chance = random.random()
        if chance < LOST:
            return ()
        held = random.uniform(SHORTEST_SECONDS, LONGEST_SECONDS)
        if chance < LOST + DOUBLED:
            return 0.0, held
        return (held if chance < LOST + DOUBLED + OVERTAKEN else 0.0,)


def _opened(name: str) -> int:
    """One end of a tunnel, in the network in which this thread is."""
    file = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return file
