"""Runs the job from a terminal: in this process, with progress, and with an outcome that a script can act on.

What the job consists of is in `assets.definitions`; options and exit codes are in `assets.cli`.
"""

import logging
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import dagster as dg

from assets.definitions import JOB, defs, in_use, range_tags
from assets.instance import only_run
from assets.partitions import FIRST_DAY, INTERACTIVE
from assets.raw import GATE
from pipelines import snapshot
from pipelines.errors import JevonsError
from pipelines.settings import home, load
from pipelines.window import DAY, Window

Tell = Callable[[str, int, int], None]


def log_file(where: Path) -> Path:
    """Everything that Dagster and dbt said in the last run."""
    return where / "dagster" / "last_run.log"


@dataclass
class Outcome:
    """What a run came to.

    Attributes:
        refused: Asset to the sentences of what was held back or could not be read.
        missing: Asset to the days that were not delivered.
        doubtful: Mart to what was published and should be looked into.
    """

    build_id: str
    refused: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    doubtful: dict[str, list[str]] = field(default_factory=dict)


def run(window: Window, tell: Tell, name: str = JOB) -> Outcome:
    """Materialises the window: by default from the vendors' pages to the published snapshot.

    Args:
        tell: Called with the step that began or ended (and what it is at), the steps done and the steps in all.
        name: Which job.

    Raises:
        JevonsError: the run failed, or another one is under way; what was published before stays.
    """
    if window.first.isoformat() < FIRST_DAY:
        raise JevonsError(
            "That day is before the ledger begins", str(window.first), f"its first day is {FIRST_DAY}",
            f"set JEVONS_FIRST_DAY={window.first}",
        )
    log_path = log_file(home())
    with dg.DagsterInstance.get() as instance, only_run(instance, home()), log_path.open("w", encoding="utf-8") as log:
        job = dg.Definitions.merge(defs(), dg.Definitions(loggers={"narrator": _narrator(tell, log)})).resolve_job_def(
            name)
        job = job.get_subset(asset_selection=in_use(load(home())) & set(job.asset_layer.selected_asset_keys))
        with redirect_stdout(log):  # dbt speaks to standard output
            result = job.execute_in_process(
                instance=instance,
                run_config={"loggers": {"narrator": {"config": {"steps": len(job.nodes)}}}},
                tags={**job.run_tags, **range_tags(window.first, window.end - DAY), INTERACTIVE: "true"},
                raise_on_error=False,
            )
        if not result.success:
            raise _failure(result, window)
    outcome = Outcome(snapshot.current(home()).build_id)
    for evaluation in result.get_asset_check_evaluations():
        metadata = {key: value.value for key, value in evaluation.metadata.items()}
        name = words(evaluation.asset_key.to_user_string())
        if not evaluation.passed and evaluation.check_name == GATE:
            outcome.refused[name] = metadata.get("findings") or [metadata.get("error", "refused")]
        if metadata.get("days_missing"):
            outcome.missing[name] = metadata["days_missing"]
        if doubted(evaluation):
            outcome.doubtful.setdefault(name, []).append(evaluation.check_name.replace("_", " "))
    return outcome


def doubted(evaluation: dg.AssetCheckEvaluation) -> bool:
    """Whether a check of the marts only warns, so that the days were published all the same."""
    return (not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.WARN
            and evaluation.check_name != GATE)


def words(step: str) -> str:
    """The step or asset as a person says it: `raw__openai__costs` is `openai costs`."""
    return step.replace("__", "/").removeprefix("raw/").replace("/", " ").replace("_", " ")


def _failure(result: dg.ExecuteInProcessResult, window: Window) -> JevonsError:
    """One sentence about the first step that failed; everything else is in the log file."""
    failed = [event for event in result.all_events if event.is_step_failure]
    step = words(failed[0].step_key) if failed else "the run"
    checks = [
        f"{words(e.asset_key.to_user_string())}: {'; '.join(e.metadata['findings'].value[:3])}"
        for e in result.get_asset_check_evaluations() if not e.passed and "findings" in e.metadata and e.blocking
        and e.check_name != GATE
    ]
    return JevonsError(
        "Nothing new was published", f"{step}, days {window}",
        "; ".join(checks) or (_why(failed[0]) if failed else "a step failed"),
        (_fix(failed[0]) if failed else None)
        or f"mend it and run the same days again (all that was said is in {log_file(home())}); "
        "readers still see the build before",
    )


def _why(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description.rstrip(". ")
    cause = data.error
    while cause is not None and cause.cause is not None:
        cause = cause.cause
    lines = cause.message.strip().splitlines() if cause else []
    return lines[0][:400].rstrip(". ") if lines else "a step failed"


def _fix(event: dg.DagsterEvent) -> str | None:
    data = event.step_failure_data.user_failure_data
    return data.metadata["fix"].value if data and "fix" in data.metadata else None


def _narrator(tell: Tell, log: TextIO) -> dg.LoggerDefinition:
    """A Dagster logger that tells each step as it begins, and writes all else into the log file."""

    class Narrator(logging.StreamHandler):
        done, steps, step, made = 0, 0, "", ""

        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.INFO:
                super().emit(record)
            event = getattr(record, "dagster_event", None)
            if event is None:
                detail = getattr(record, "dagster_meta", {}).get("orig_message")
                if detail and record.levelno == logging.INFO and self.step.startswith("raw__"):
                    tell(f"{words(self.step)} · {detail}", self.done, self.steps)
                return
            self.done += event.is_step_success or event.is_step_failure or event.is_step_skipped
            if event.is_step_start:
                self.step = event.step_key
            if event.is_step_materialization and event.asset_key and self.step == "ledger":
                model = event.asset_key.path[-1]
                if model != self.made:  # an event a day
                    tell(f"{self.step} · {model}", self.done, self.steps)
                self.made = model
            if event.is_step_start or event.is_step_success:
                tell(words(event.step_key), self.done, self.steps)

    @dg.logger(config_schema={"steps": int})
    def narrator(context: dg.InitLoggerContext) -> logging.Logger:
        handler = Narrator(log)
        handler.steps = context.logger_config["steps"]
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger = logging.Logger("jevons.run", logging.DEBUG)  # that a step begins is told at this level
        logger.addHandler(handler)
        return logger

    return narrator
