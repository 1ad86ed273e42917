"""The gate: whether a call of a workflow may go ahead, by what is left of the ceilings that cover it.

Positions, forecasts and the adoption of ceilings do not belong here; nor does anything slow: whoever asks waits for it.

A build writes `gate.json` beside its marts (`writing`). Whoever is about to make a call asks `decide`, which needs
the standard library only, so that a proxy can ask from an environment of its own. Rules are tried on days that are over
by `simulating`, which decides by the same function.
"""

from pipelines.gate.deciding import Decision, Gate, decide

__all__ = ["Decision", "Gate", "decide"]
