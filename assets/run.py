"""Runs the job from a terminal: in this process, with progress, and with an outcome that a script can act on.

What the job consists of is in `assets.definitions`; options and exit codes are in `assets.cli`.
"""

import logging
import os
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from assets.definitions import JOB, defs, range_tags
from assets.project import ROOT
from assets.raw import GATE, INTERACTIVE
from pipelines import snapshot
from pipelines.errors import JevonsError
from pipelines.settings import home
from pipelines.window import DAY, Window


def log_file(where: Path) -> Path:
    """What dbt said in the last run."""
    return where / "dagster" / "last_run.log"


@dataclass
class Outcome:
    """What a run came to.

    Attributes:
        refused: Asset to the sentences of what was held back or could not be read.
        missing: Asset to the days that were not delivered.
    """

    build_id: str
    refused: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)


def prepare_environment() -> None:
    """Points Dagster and dbt to this installation's folders and switches telemetry off, unless the user already did."""
    where = home()
    os.environ["JEVONS_HOME"] = str(where)  # dbt runs in a folder of its own: it needs the whole path
    folder = where / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("DAGSTER_HOME", str(ROOT))
    os.environ.setdefault("JEVONS_DAGSTER_DIR", str(folder))
    os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")


def run(window: Window, tell: Callable[[str, int, int], None]) -> Outcome:
    """Materialises the window from the vendors' pages to the published snapshot.

    Args:
        tell: Called with the step that begins or ended, the steps done and the steps in all.

    Raises:
        JevonsError: the run failed; what was published before stays.
    """
    total = 0
    narrator = _narrator(lambda step, done: tell(step, done, total))
    job = dg.Definitions.merge(defs(), dg.Definitions(loggers={"narrator": narrator})).resolve_job_def(JOB)
    total = len(job.nodes)
    with log_file(home()).open("w", encoding="utf-8") as log, redirect_stdout(log):  # dbt speaks to standard output
        result = job.execute_in_process(
            instance=dg.DagsterInstance.get(),
            run_config={"loggers": {"narrator": {}}},  # instead of the console: events are told, not dumped
            tags={**range_tags(window.first, window.end - DAY), INTERACTIVE: "true"},
            raise_on_error=False,
        )
    if not result.success:
        raise _failure(result, window)
    outcome = Outcome(snapshot.current(home()).build_id)
    for evaluation in result.get_asset_check_evaluations():
        metadata = {key: value.value for key, value in evaluation.metadata.items()}
        name = evaluation.asset_key.to_user_string()
        if not evaluation.passed and evaluation.check_name == GATE:
            outcome.refused[name] = metadata.get("findings") or [metadata.get("error", "refused")]
        if metadata.get("days_missing"):
            outcome.missing[name] = metadata["days_missing"]
    return outcome


def _failure(result: dg.ExecuteInProcessResult, window: Window) -> JevonsError:
    failed = [event for event in result.all_events if event.is_step_failure]
    step = failed[0].step_key if failed else "the run"
    error = failed[0].step_failure_data.error if failed else None
    why = (failed[0].step_failure_data.user_failure_data.description if failed
           and failed[0].step_failure_data.user_failure_data else None)
    if why is None and error is not None:
        cause = error
        while cause.cause is not None:
            cause = cause.cause
        why = cause.message.strip().splitlines()[0][:600]
    checks = [
        f"{e.asset_key.to_user_string()}: {'; '.join(e.metadata['findings'].value[:3])}"
        for e in result.get_asset_check_evaluations() if not e.passed and "findings" in e.metadata and e.blocking
    ]
    return JevonsError(
        "Nothing new was published", f"{step}, days {window}", "; ".join(checks) or why or "a step failed",
        "mend it and run the same days again; readers still see the build before",
    )


def _narrator(tell: Callable[[str, int], None]) -> dg.LoggerDefinition:
    """A Dagster logger that turns the events of the run into one call per step, and keeps the rest off the terminal."""

    class Narrator(logging.Handler):
        done = 0

        def emit(self, record: logging.LogRecord) -> None:
            event = getattr(record, "dagster_event", None)
            if event is None:
                return
            self.done += event.is_step_success or event.is_step_failure or event.is_step_skipped
            if event.is_step_start or event.is_step_success:
                tell(event.step_key, self.done)

    @dg.logger
    def narrator(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("jevons.run")
        logger.addHandler(Narrator())
        return logger

    return narrator
