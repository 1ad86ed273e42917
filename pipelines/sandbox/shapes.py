"""How use is spread: token lengths, hours of the day, days of the week, public holidays.

Which workflow uses which shape does not belong here.

The token quantiles are computed from the Azure LLM inference traces of 2023 (AzureLLMInferenceTrace_code and
_conv: ContextTokens, GeneratedTokens; 8,819 and 19,366 requests), published by Microsoft in Azure/AzurePublicDataset
under CC-BY-4.0; described in Patel et al., "Splitwise", ISCA 2024. Only these numbers are taken over.
"""

from dataclasses import dataclass
from datetime import date
from math import fsum

import numpy as np

QUANTILES = (0.0, 0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
             0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99, 1.0)


@dataclass(frozen=True)
class TokenShape:
    """Quantiles of the tokens of one request; the ranks are QUANTILES.

    In the traces the two lengths are nearly independent (rank correlation -0.02 and 0.07), so they are drawn apart.
    """

    input_tokens: tuple[int, ...]
    output_tokens: tuple[int, ...]

    def draw_input(self, ranks: np.ndarray) -> np.ndarray:
        """Return input tokens at these ranks (0..1), whole numbers."""
        return np.interp(ranks, QUANTILES, self.input_tokens).astype(np.int64)

    def draw_output(self, ranks: np.ndarray) -> np.ndarray:
        """Return output tokens at these ranks (0..1), whole numbers."""
        return np.interp(ranks, QUANTILES, self.output_tokens).astype(np.int64)

    def moments(self) -> tuple[float, float, float, float]:
        """Return mean and standard deviation of input tokens, then of output tokens."""
        return *_mean_and_deviation(self.input_tokens), *_mean_and_deviation(self.output_tokens)


def _mean_and_deviation(tokens: tuple[int, ...]) -> tuple[float, float]:
    lengths = np.interp((np.arange(4000) + 0.5) / 4000, QUANTILES, tokens)
    mean = fsum(lengths) / len(lengths)  # fsum: the same last bit whatever the processor's vector width
    return mean, (fsum((lengths - mean) ** 2) / len(lengths)) ** 0.5


CODE = TokenShape(
    (3, 17, 75, 147, 232, 386, 578, 770, 938, 1075, 1261, 1469, 1690, 1909, 2164, 2433, 2745, 3192, 3919, 5186,
     7302, 7436, 7437),
    (6, 6, 6, 7, 7, 8, 9, 9, 10, 11, 12, 13, 14, 16, 18, 20, 24, 29, 39, 55, 90, 252, 1899),
)
CONVERSATION = TokenShape(
    (2, 29, 181, 207, 372, 387, 396, 403, 414, 703, 984, 1020, 1045, 1071, 1097, 1130, 1189, 1315, 1876, 2734,
     4083, 4142, 14050),
    (7, 16, 41, 54, 67, 77, 85, 91, 96, 103, 113, 129, 151, 177, 217, 384, 395, 400, 411, 424, 451, 601, 1000),
)
TOKEN_SHAPES = {"code": CODE, "conv": CONVERSATION}

# Share of a working day's calls by local hour; each row sums to 1000.
_OFFICE = (2, 1, 1, 1, 1, 4, 12, 35, 88, 112, 118, 104, 62, 78, 104, 103, 84, 48, 18, 10, 6, 4, 2, 2)
_EVENING = (8, 5, 3, 3, 4, 8, 16, 30, 48, 58, 62, 64, 66, 66, 64, 62, 62, 66, 72, 76, 66, 48, 28, 15)
_ALWAYS = (42, 41, 41, 41, 41, 41, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 41, 41, 41, 41)
_UTC_OFFSET_HOURS = {"FRA": 2, "DEU": 2, "USA": -4}  # summer time holds on all 90 days
_WEEK = {"office": (1.0, 1.07, 1.05, 1.03, 0.9, 0.1, 0.07), "evening": (1.0, 0.98, 0.97, 1.0, 1.04, 0.72, 0.6),
         "always": (1.0,) * 7, "nightly": (1.0,) * 7, "weekly": (0, 0, 1.0, 0, 0, 0, 0)}
_HOLIDAYS = {"FRA": (date(2026, 7, 14),), "USA": (date(2026, 6, 19), date(2026, 7, 3)), "DEU": ()}
_AUGUST = {"FRA": 0.8, "DEU": 0.92, "USA": 1.0}


def hour_weights(calendar: str, country: str, nightly_hour: int = 2) -> np.ndarray:
    """Return the share of a day's calls in each UTC hour; they sum to 1."""
    if calendar == "nightly":
        weights = np.zeros(24)
        weights[nightly_hour] = 1.0
        return weights
    local = {"office": _OFFICE, "weekly": _OFFICE, "evening": _EVENING, "always": _ALWAYS}[calendar]
    return np.roll(np.array(local, dtype=float) / sum(local), -_UTC_OFFSET_HOURS[country])


def day_weight(calendar: str, country: str, day: date) -> float:
    """Return a day's volume as a multiple of a Monday's in June."""
    weight = float(_WEEK[calendar][day.weekday()])
    if calendar in ("always", "nightly"):
        return weight
    if day in _HOLIDAYS[country]:
        weight *= 0.15
    return weight * (_AUGUST[country] if day.month == 8 else 1.0)
