"""The sensor that tells of ceilings: every few minutes it looks whether a newer build is published.

What is told, to whom, and that it is told once, is the business of `pipelines.alerts`.
"""

from datetime import UTC, datetime

import dagster as dg

from pipelines.alerts import sending
from pipelines.settings import home, load
from pipelines.snapshot import is_published

EVERY_SECONDS = 300


@dg.sensor(
    name="alerts", minimum_interval_seconds=EVERY_SECONDS,
    description="Tells log, webhook and e-mail of ceilings whose status changed, or of whose limit more is used, once.",
)
def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Starts no run. A channel that fails makes the tick fail, with a sentence, after the others were told."""
    if not is_published(home()):
        return dg.SkipReason("nothing is published yet")
    outcomes = sending.send(load(home()), datetime.now(UTC), context.log.info)
    if outcomes is None:
        return dg.SkipReason("another process is sending now")
    if trouble := " ".join(outcome.trouble for outcome in outcomes if outcome.trouble):
        raise dg.Failure(trouble)
    return dg.SkipReason("; ".join(map(sending.summary, outcomes)) or "no channel is switched on")
