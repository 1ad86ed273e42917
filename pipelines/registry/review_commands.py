"""The commands `jevons reviews ...` and `jevons ratchet ...`: what is owed, what the data answer, and what is decided.

What a decision changes belongs in `reviewing`; the clock is read here and nowhere deeper.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from pipelines.errors import JevonsError
from pipelines.registry import reviewing
from pipelines.registry.ceilings import plain
from pipelines.registry.decisions import OUTCOMES, review_id
from pipelines.registry.terminal import Url, registry, show
from pipelines.settings import home

ReviewOutcome = StrEnum("ReviewOutcome", {name: name for name in OUTCOMES})

reviews_app = typer.Typer(
    help="Workload reviews: 30 and 90 days after each efficiency change somebody looks whether less was used, or only"
    " better, and says what follows. The data answer what changed, what expanded, what is measured, what was retired.",
    no_args_is_help=True, rich_markup_mode="markdown",
)
ratchet_app = typer.Typer(
    help="The ratchet: what was saved for certain, and is not taken back by growth, lowers the ceiling.",
    no_args_is_help=True, rich_markup_mode="markdown",
)

Change = Annotated[str, typer.Argument(help="The change, as `jevons reviews list` names it.", metavar="CHANGE")]
By = Annotated[str, typer.Option("--by", help="Who decides: a role or a body, kept for the audit.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in one sentence, kept for the audit.")]

_LISTED = ["change_id", "after_days", "due_date", "status", "owner", "change_type", "energy_change_ratio",
           "intensity_change_ratio", "gap_reason", "outcome"]
# the questions that a review asks, and the columns that answer them
_QUESTIONS = {
    "What changed": ("before_model_ids", "after_model_ids", *(
        f"{side}_{name}" for name in ("call_count", "retry_count", "background_call_count", "all_tokens", "energy_kwh")
        for side in ("before", "after")), "saved_energy_kwh_low", "saved_energy_kwh", "saved_energy_kwh_high",
        "call_change_ratio", "intensity_change_ratio", "energy_change_ratio", "gap_reason"),
    "What expanded": ("expanded_workflow_ids",),
    "What is measured": ("latency_tiers", "outcome_types", "before_outcome_count", "after_outcome_count",
                         "before_accepted_count", "after_accepted_count"),
    "What was retired": ("retired_workflow_ids", "retired_model_ids"),
    "What was decided": ("outcome", "decided_by", "decided_at_utc", "reason"),
}
# what no answer means, where all the days are there
_NOTHING = {"What expanded": "nothing", "What was retired": "nothing", "What was decided": "nothing yet"}
_PROPOSED = ["change_id", "status", "ceiling_id", "limit_kwh", "saving_kwh", "proposed_limit_kwh",
             "saved_energy_kwh_low", "saved_energy_kwh", "decided_by"]


@reviews_app.command("list")
def list_reviews(
    team: Annotated[str | None, typer.Option("--team", help="Only those that this team owes.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are answered or not yet due.")] = False,
    registry_url: Url = None,
) -> None:
    """Shows the reviews that are due or owed, as of the published build and what was answered since.

    Examples:

        jevons reviews list --team claims-fr

        jevons reviews list --all
    """
    with registry(registry_url) as engine:
        rows = reviewing.reviews(home(), engine)
        if team is not None and team not in reviewing.teams(engine):
            raise JevonsError("There is no such team", team, "the registry holds no such id",
                              "look it up with `jevons registry list teams`")
    shown = [
        row for row in rows
        if (everything or row["status"] in ("due", "owed"))
        and (team is None or team in (row["team_ids"] or "").split(", "))
    ]
    if shown:
        show("reviews", _LISTED, shown)
    else:
        typer.echo("No review is owed." if not everything else "No change is known, so no review is owed.")


@reviews_app.command("show")
def show_review(change_id: Change, registry_url: Url = None) -> None:
    """Shows what the data answer to the questions of a review, after 30 and after 90 days.

    Example:

        jevons reviews show detected:claims-triage:2026-07-15
    """
    with registry(registry_url) as engine:
        rows = [row for row in reviewing.reviews(home(), engine) if row["change_id"] == change_id]
        if not rows:
            raise JevonsError("There is no such change", change_id, "the published build holds no such id",
                              "look it up with `jevons reviews list --all`")
    first = rows[0]
    typer.echo(f"{change_id}: {first['change_type']} in {first['workflow_ids']} from {first['change_date']}, "
               f"owed by {first['owner']}")
    for row in rows:
        typer.echo(f"\nAfter {row['after_days']} days, {row['due_date']}: {row['status']}")
        for question, columns in _QUESTIONS.items():
            typer.echo(f"  {question}: {_answered(row, question, columns)}")


@reviews_app.command("answer")
def answer(
    change_id: Change,
    after: Annotated[int, typer.Option("--after", help="Days after the change: 30 or 90.")],
    outcome: Annotated[ReviewOutcome, typer.Option("--outcome", help="What follows from it.")],
    by: By,
    reason: Reason,
    registry_url: Url = None,
) -> None:
    """Records the outcome of a review: keep the workload, cap it, retire it, or hand the saving back.

    An answer is never changed; another one is a new version: `jevons registry history CHANGE`. With keep and
    hand_back, what was saved for certain is proposed as a lower ceiling by the next build: `jevons ratchet list`.

    Example:

        jevons reviews answer detected:claims-triage:2026-07-15 --after 30 --outcome cap
        --by "Head of Claims France" --reason "Calls doubled, outcomes did not"
    """
    with registry(registry_url) as engine:
        recording = reviewing.recording_of(by, reason, datetime.now(UTC))
        reviewing.answer(home(), engine, change_id, after, outcome.value, recording)
    typer.echo(f"{review_id(change_id, after)} is answered: {outcome.value}, recorded for {by}.")


@ratchet_app.command("list")
def list_proposals(
    everything: Annotated[bool, typer.Option("--all", help="Also changes for which nothing is proposed.")] = False,
    registry_url: Url = None,
) -> None:
    """Shows which ceilings a confirmed saving would lower, and to what.

    Example:

        jevons ratchet list --all
    """
    with registry(registry_url) as engine:
        rows = reviewing.proposals(home(), engine)
    shown = [row for row in rows if everything or row["status"] == "proposed"]
    if shown:
        show("proposals", _PROPOSED, shown)
    else:
        typer.echo("Nothing is proposed. `jevons ratchet list --all` says of each change why.")


@ratchet_app.command("adopt")
def adopt(change_id: Change, by: By, reason: Reason, registry_url: Url = None) -> None:
    """Lowers the ceiling to what is proposed, for the whole of its period. Nothing raises it again.

    Example:

        jevons ratchet adopt shorter-summaries --by "Unit management" --reason "Saved since July"
    """
    _decide(change_id, True, by, reason, registry_url)


@ratchet_app.command("decline")
def decline(change_id: Change, by: By, reason: Reason, registry_url: Url = None) -> None:
    """Leaves the ceiling as it is, and records who wants that and why.

    Example:

        jevons ratchet decline shorter-summaries --by "Unit management" --reason "Autumn brings twice the calls"
    """
    _decide(change_id, False, by, reason, registry_url)


def _decide(change_id: str, adopts: bool, by: str, reason: str, registry_url: str | None) -> None:
    with registry(registry_url) as engine:
        recording = reviewing.recording_of(by, reason, datetime.now(UTC))
        done = reviewing.decide(home(), engine, change_id, adopts, recording)
    if adopts:
        typer.echo(f"{done.ceiling_id} binds at {plain(done.limit_quantity)} instead of"
                   f" {plain(done.limit_before_quantity)}, recorded for {by}.")
    else:
        typer.echo(f"{done.ceiling_id} stays at {plain(done.limit_quantity)}, recorded for {by}.")


def _answered(row: dict[str, Any], question: str, columns: tuple[str, ...]) -> str:
    # without the weeks on both sides nothing is known of them; with them, an empty list is none
    is_compared = row["before_call_count"] is not None
    if question in _NOTHING or not is_compared:
        told = [f"{name} {_said(row[name])}" for name in columns if row[name] is not None]
        nothing = _NOTHING.get(question, "not known")
        return ", ".join(told) or (nothing if is_compared or question == "What was decided" else "not known")
    return ", ".join(
        f"{name} {'not known' if row[name] is None else _said(row[name])}"
        for name in columns if name != "gap_reason" or row[name] is not None)


def _said(value: Any) -> str:
    return plain(value) if hasattr(value, "quantize") else str(value)
