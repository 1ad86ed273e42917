"""Which 64-bit hashes of a long stream have come before: exactly, in one pass over large arrays of them.

What is hashed, and what becomes of a repeat, belongs to whoever asks.
"""

import numpy as np

BITMAP_BITS = 30  # 128 MB, of which the system hands out what is written to
BITMAP_FROM = 1 << 16  # hashes; fewer are looked up in their runs sooner than the bitmap's pages are cleared
SIEVE_BITS = 16
TOGETHER = 4  # as many sorted runs of like size are made one


class Seen:
    """All hashes so far.

    A bitmap answers "never" for almost all that never came; for the rest, the hashes lie in sorted runs, few and long.
    Takes 8 bytes a hash beside the bitmap, which is made once there are more than `bitmap_from` hashes.
    """

    def __init__(self, bitmap_from: int = BITMAP_FROM) -> None:
        self._bitmap_from = bitmap_from
        self._bits: np.ndarray | None = None
        self._runs: list[np.ndarray] = []

    def again(self, hashes: np.ndarray) -> np.ndarray:
        """Positions, ascending, of the hashes that came before, in an earlier call or earlier in this one.

        Args:
            hashes: uint64, spread evenly.
        """
        if not len(hashes):
            return np.empty(0, dtype=np.intp)
        run = np.sort(hashes)
        if self._bits is None and len(run) + sum(map(len, self._runs)) > self._bitmap_from:
            self._bits = np.zeros(1 << (BITMAP_BITS - 3), dtype=np.uint8)
            for earlier in self._runs:
                self._mark(earlier)
        maybe = run if self._bits is None else run[self._mark(run)]
        before = maybe[self._in_runs(maybe)]
        self._keep(run)
        return _positions(hashes, before, run[1:][run[1:] == run[:-1]])

    def _mark(self, run: np.ndarray) -> np.ndarray:
        """Whether the bit of each was set; afterwards they all are. Being sorted, they touch the bitmap in order."""
        slots = run >> np.uint64(64 - BITMAP_BITS)
        places, bits = slots >> np.uint64(3), np.uint8(1) << (slots & np.uint64(7)).astype(np.uint8)
        were = (self._bits[places] & bits) != 0
        starts = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))
        self._bits[places[starts]] |= np.bitwise_or.reduceat(bits, starts)
        return were

    def _in_runs(self, asked: np.ndarray) -> np.ndarray:
        found = np.zeros(len(asked), dtype=bool)
        for run in self._runs:
            found |= _among(run, asked)
        return found

    def _keep(self, run: np.ndarray) -> None:
        self._runs.append(run)
        while len(self._runs) >= TOGETHER and len(self._runs[-TOGETHER]) <= 2 * len(self._runs[-1]):
            # stable: the sort that merges what is sorted in pieces
            self._runs[-TOGETHER:] = [np.sort(np.concatenate(self._runs[-TOGETHER:]), kind="stable")]


def _among(run: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Whether each is in the run, which is sorted and not empty."""
    return run[np.minimum(np.searchsorted(run, asked), len(run) - 1)] == asked


def _positions(hashes: np.ndarray, before: np.ndarray, twice: np.ndarray) -> np.ndarray:
    """Where the hashes of `before` are, all of them, and those of `twice` but for the first of each."""
    wanted = np.union1d(before, twice)
    if not len(wanted):
        return np.empty(0, dtype=np.intp)
    low = np.uint64((1 << SIEVE_BITS) - 1)  # a sieve that lies in the cache, so that few are looked up
    sieve = np.zeros(1 << SIEVE_BITS, dtype=bool)
    sieve[wanted & low] = True
    here = np.flatnonzero(sieve[hashes & low])
    here = here[_among(wanted, hashes[here])]
    here = here[np.argsort(hashes[here], kind="stable")]
    found = hashes[here]
    first = np.concatenate(([True], found[1:] != found[:-1]))
    return np.sort(here[~first | np.isin(found, before)])
