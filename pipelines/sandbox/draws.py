"""Seeded random numbers that are the same on every machine and in every order of asking.

What the numbers are used for does not belong here.

Only raw generator bits are used, because NumPy promises those across versions and platforms, and promises nothing
for its distributions. Each name has a stream of its own, so that drawing for one never moves another.
"""

import hashlib

import numpy as np


def raw_bits(seed: int, name: str, count: int) -> np.ndarray:
    """Return `count` unsigned 64-bit integers that depend on seed and name alone."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    key = [int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big")]
    return np.random.Philox(key=np.array(key, dtype=np.uint64)).random_raw(count)


def uniforms(seed: int, name: str, *shape: int) -> np.ndarray:
    """Return numbers in [0, 1) of the shape asked, exact multiples of 2**-53."""
    count = int(np.prod(shape, dtype=np.int64))
    return ((raw_bits(seed, name, count) >> np.uint64(11)) * 2.0**-53).reshape(shape)


def bell(seed: int, name: str, *shape: int) -> np.ndarray:
    """Return bell-shaped noise: mean 0, standard deviation 1, never beyond 3.47 (twelve thirds of a uniform)."""
    # The sum of four uniforms has variance 4/12; no logarithm or sine, whose last bit differs between C libraries.
    return (uniforms(seed, name, 4, *shape).sum(axis=0) - 2.0) * 3.0**0.5


def hex_id(name: str, length: int) -> str:
    """Return a stable hexadecimal id for a name (independent of the seed)."""
    return hashlib.sha256(name.encode()).hexdigest()[:length]
