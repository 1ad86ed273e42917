"""The files that the sandbox organisation has: call logs, outcomes, registry tables and jevons.toml, in one home.

What the vendors' APIs say belongs in the *_api.py modules; the numbers come from activity.py and ownership.py.
"""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import Protocol

from pipelines.sandbox import (
    anthropic_api,
    aws_api,
    azure_api,
    declared,
    gateways_api,
    google_api,
    grid_apis,
    lifecycle,
    stories,
    tickets_api,
)
from pipelines.sandbox.activity import Call, calls_of_day, hourly_calls, in_time
from pipelines.sandbox.agents import Step, steps_of_day
from pipelines.sandbox.claims import CLAIMS
from pipelines.sandbox.denials import denied_jsonl
from pipelines.sandbox.draws import uniforms
from pipelines.sandbox.electricity_maps_api import TOKEN
from pipelines.sandbox.meters import meters_csv
from pipelines.sandbox.organisation import CATALOGUES, ORGANISATION_NAME, PROVIDERS, SITES, TEAMS
from pipelines.sandbox.ownership import CEILINGS, GATE_RULES, NEXT_CEILINGS, RULES, VALID_FROM, Ceiling
from pipelines.sandbox.workflows import WORKFLOWS, Workflow
from pipelines.sandbox.workloads import CALL_LOG_STREAMS, STREAMS

# The gateway's own column names; jevons.toml maps two of them.
CALL_COLUMNS = ("id", "timestamp", "provider", "model", "api_key_id", "project_id", "workflow_tag", "input_tokens",
                "cached_input_tokens", "output_tokens", "status", "attempt", "call_purpose", "lifecycle_stage",
                "cost_usd", "reasoning_output_tokens", "duration_seconds", "run_id", "step_kind")
OUTCOME_COLUMNS = ("usage_date", "workflow_id", "outcome_type", "outcome_count", "accepted_count")
REGISTRY_KINDS = (
    "teams", "workflows", "attribution_rules", "ceilings", "gate_rules", "claims", "changes", "reviews",
    *declared.FILES,
)


class ServerUrls(Protocol):
    """Where the sandbox's APIs are; a SandboxServer has all of these."""

    openai_url: str
    anthropic_url: str
    prometheus_url: str
    electricity_maps_url: str
    electricity_maps_fallback_url: str


def environment() -> dict[str, str]:
    """Return the environment variables that the sandbox's APIs accept; none of them opens anything real."""
    return {
        "OPENAI_ADMIN_KEY": "sk-admin-sandbox-0000",
        "ANTHROPIC_ADMIN_KEY": anthropic_api.TOKEN,
        "ELECTRICITY_MAPS_TOKEN": TOKEN,
        "LITELLM_API_KEY": gateways_api.TOKENS["litellm"],
        "LANGFUSE_PUBLIC_KEY": gateways_api.LANGFUSE_KEYS[0],
        "LANGFUSE_SECRET_KEY": gateways_api.LANGFUSE_KEYS[1],
        "OPENROUTER_MANAGEMENT_KEY": gateways_api.TOKENS["openrouter"],
        "EIA_API_KEY": grid_apis.EIA_KEY,
        "ENTSOE_SECURITY_TOKEN": grid_apis.ENTSOE_TOKEN,
        "WATTTIME_PASSWORD": grid_apis.WATTTIME_PASSWORD,
        "AWS_ACCESS_KEY_ID": aws_api.ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": aws_api.SECRET_KEY,
        "AZURE_TENANT_ID": azure_api.TENANT,
        "AZURE_CLIENT_ID": azure_api.CLIENT,
        "AZURE_CLIENT_SECRET": azure_api.SECRET,
        "GOOGLE_ACCESS_TOKEN": google_api.TOKEN,
        "ANTHROPIC_ANALYTICS_KEY": anthropic_api.TOKEN,
        "TICKETS_TOKEN": tickets_api.TOKEN,
        "JEVONS_HASH_KEY": "sandbox-hash-key",
    }


def write_home(
    home: Path, server_urls: ServerUrls, seed: int = stories.DEFAULT_SEED, days: int = stories.DAY_COUNT
) -> list[Path]:
    """Write a home of the sandbox organisation and return the files written, in order.

    Args:
        home: folder, made if absent; files that are there already are replaced.
        server_urls: a running sandbox.
        seed: must be the server's.
        days: number of days of call log and outcomes, from the first day of data; 14 makes a small home.
    """
    home = Path(home)
    span = [stories.DATA_FROM + timedelta(days=i) for i in range(min(days, stories.DAY_COUNT))]
    written = [_put(home / "jevons.toml", settings_toml(server_urls))]
    for day in span:
        if day != stories.MISSING_CALL_LOG_DAY:
            written.append(_put(home / "inbox" / "calls" / f"{day.isoformat()}.csv", call_log_csv(seed, day)))
    for day in span:
        written.append(_put(home / "inbox" / "meters" / f"{day.isoformat()}.csv", meters_csv(seed, day)))
    denied = {day: denied_jsonl(seed, day) for day in span}
    written += [_put(home / "inbox" / "denied" / "gateway-1" / f"{day}.jsonl", text)
                for day, text in denied.items() if text]
    written.append(_put(home / "inbox" / "outcomes" / "outcomes.csv", outcomes_csv(seed, span)))
    written += [_put(home / "inbox" / name, text) for name, text in lifecycle.files().items()]
    registry = home / "inbox" / "registry"
    written += [_put(registry / f"{kind}.csv", registry_csv(kind)) for kind in REGISTRY_KINDS]
    written.append(_put(registry / "ceilings-2026-q4.csv", _ceilings_csv(NEXT_CEILINGS, "2026-08-28")))
    return written


def call_log_csv(seed: int, day: date) -> str:
    """Return the gateway's call log of one day, in order of time."""
    steps = (steps_of_day(seed, stream, day, calls_of_day(seed, stream, day)) for stream in CALL_LOG_STREAMS)
    calls = sorted(chain.from_iterable(steps), key=lambda both: in_time(both[0]))
    return _csv(CALL_COLUMNS, (_call_row(day.isoformat(), call, step) for call, step in calls))


def _call_row(day: str, call: Call, step: Step) -> tuple:
    minutes, ms = divmod(call.started_at_ms % 86_400_000, 60_000)
    clock = f"{minutes // 60:02d}:{minutes % 60:02d}:{ms // 1000:02d}.{ms % 1000:03d}"
    cost = call.cost_nano_usd
    dollars = None if cost is None else f"{cost // 10**9}.{cost % 10**9:09d}"
    seconds = f"{step.duration_ms // 1000}.{step.duration_ms % 1000:03d}"
    return (call.request_id, f"{day}T{clock}Z", *call[2:-1], dollars, step.reasoning_output_tokens, seconds,
            step.run_id, step.step_kind)


def outcomes_csv(seed: int, days: Iterable[date]) -> str:
    """Return what each workflow brought on each day; a workflow without an outcome type has no row."""
    rows = []
    for workflow in WORKFLOWS:
        if workflow.outcome_type is not None:
            rows += [row for row in (_outcome(seed, workflow, day) for day in days) if row]
    return _csv(OUTCOME_COLUMNS, sorted(rows))


def _outcome(seed: int, workflow: Workflow, day: date) -> tuple | None:
    index = (day - stories.DATA_FROM).days
    streams = [s for s in STREAMS if s.workflow_id == workflow.workflow_id and s.shape != "embed"]
    # A workflow seen both at its vendor and at the gateway is counted once.
    route = streams[0].route
    calls = sum(int(hourly_calls(seed, s)[index].sum()) for s in streams if s.route == route)
    if workflow.workflow_id in stories.MODEL_SWAP.workflow_ids and day >= stories.MODEL_SWAP.day:
        # Volume grows with the cheaper model; what people get done grows by a third at most.
        progress = (day - stories.MODEL_SWAP.day).days / 45
        growth = 1 + (stories.MODEL_SWAP.final_growth_ratio - 1) * progress
        calls = int(calls / growth * (1 + 0.3 * progress))
    if not calls:
        return None
    per_outcome, noise = 1.5, uniforms(seed, f"outcome/{workflow.workflow_id}", stories.DAY_COUNT, 2)[index]
    count = int(calls / per_outcome * (0.95 + 0.1 * noise[0]))
    if not count:
        return None
    accepted = None
    if workflow.accepted_ratio is not None:
        accepted = min(count, int(count * workflow.accepted_ratio * (0.97 + 0.06 * noise[1]) + 0.5))
    return (day.isoformat(), workflow.workflow_id, workflow.outcome_type, count, accepted)


def registry_csv(kind: str) -> str:
    """Return one registry table as the importer reads it: see REGISTRY_KINDS."""
    if kind == "teams":
        columns = ("team_id", "team_name", "unit_id", "unit_name", "country", "valid_from", "valid_to")
        rows = [(t.team_id, t.team_name, t.unit_id, t.unit_name, t.country, VALID_FROM, None) for t in TEAMS]
        return _csv(columns, rows)
    if kind == "workflows":
        columns = ("workflow_id", "workflow_name", "team_id", "owner", "job_description", "usefulness_class",
                   "latency_tier", "cacheable", "small_model_fit", "expected_monthly_calls", "review_due_date",
                   "status", "valid_from", "valid_to", "sector_tag")
        return _csv(columns, map(_workflow_row, WORKFLOWS))
    if kind in ("attribution_rules", "gate_rules"):
        rules = RULES if kind == "attribution_rules" else GATE_RULES
        names = tuple(field.name for field in fields(rules[0]))
        return _csv(names, ([getattr(rule, name) for name in names] for rule in rules))
    if kind == "ceilings":
        return _ceilings_csv(CEILINGS, "2026-05-18")
    if kind == "claims":
        names = tuple(field.name for field in fields(CLAIMS[0]))
        return _csv(names, ([getattr(claim, name) for name in names] for claim in CLAIMS))
    if kind in declared.FILES:
        return _csv(*declared.FILES[kind])
    cut = stories.PROMPT_CUT
    if kind == "changes":
        columns = ("change_id", "change_type", "change_date", "workflow_ids", "expected_saving_ratio",
                   "expected_source", "valid_from")
        return _csv(columns, [(cut.change_id, "prompt_cut", cut.day, cut.workflow_id, cut.expected_saving_ratio,
                               cut.expected_source, cut.day)])
    if kind == "reviews":
        columns = ("change_id", "after_days", "outcome", "decided_by", "decided_at_utc", "reason")
        return _csv(columns, [(cut.change_id, 30, "hand_back", "Head of Customer Care", "2026-08-12T09:00:00Z",
                               "Half the words, as many accepted summaries, no more calls")])
    raise ValueError(f"unknown registry table: {kind}")


def _ceilings_csv(ceilings: Iterable[Ceiling], adopted_on: str) -> str:
    columns = ("ceiling_id", "perimeter_type", "perimeter_id", "metric", "period_start", "period_end",
               "limit_quantity", "adopted_by", "reason")
    return _csv((*columns, "adopted_at_utc", "evidence"), (
        [*(getattr(c, name) for name in columns), f"{adopted_on}T09:00:00Z", f"{c.adopted_by}, minutes of {adopted_on}"]
        for c in ceilings))


def _workflow_row(workflow: Workflow) -> tuple:
    return (
        workflow.workflow_id, workflow.workflow_name, workflow.team_id, workflow.owner, workflow.job_description,
        workflow.usefulness_class, workflow.latency_tier, str(workflow.cacheable).lower(),
        workflow.small_model_fit, _expected_monthly_calls(workflow), workflow.review_due_date, workflow.status,
        VALID_FROM, stories.RETIRED_FROM if workflow.status == "retired" else None, workflow.sector_tag,
    )


def _expected_monthly_calls(workflow: Workflow) -> int:
    """Return what the owner expected: June's plan, without any later growth."""
    monthly = {"office": 22, "evening": 28, "always": 30, "nightly": 30, "weekly": 4}
    expected = sum(
        s.calls_per_day * monthly[s.calendar]
        for s in STREAMS
        if s.workflow_id == workflow.workflow_id and s.active_from == stories.DATA_FROM
    )
    return int(-(-expected // 100) * 100)


def settings_toml(urls: ServerUrls) -> str:
    """Return the jevons.toml of the sandbox organisation."""
    lines = [
        "# The sandbox organisation: everything in it is made up.",
        "[organisation]", f'name = "{ORGANISATION_NAME}"', "sandbox = true", "",
        "[sources.openai]", f'base_url = "{urls.openai_url}"', "",
        "[sources.anthropic]", f'base_url = "{urls.anthropic_url}"', 'workspace_tag = "team"', "",
        "[sources.call_log]", 'path = "inbox/calls/{date}*.csv"', 'format = "csv"', "",
        "[sources.call_log.columns]", 'request_id = "id"', 'started_at_utc = "timestamp"', "",
        "[sources.gpu_prometheus]", f'base_url = "{urls.prometheus_url}"', 'site = "paris-dc"', "step_seconds = 60", "",
        "[sources.meters]", 'path = "inbox/meters/{date}*.csv"', 'site = "paris-dc"', "step_seconds = 900", "",
        "[sources.electricity_maps]", f'base_url = "{urls.electricity_maps_url}"',
        f'fallback_url = "{urls.electricity_maps_fallback_url}"', "",
        "[sources.outcomes]", 'path = "inbox/outcomes/*.csv"', "",
        "[sources.denied_calls]", 'path = ["gate/denied/{date}.jsonl", "inbox/denied/*/{date}.jsonl"]', "",
        *lifecycle.SETTINGS,
    ]
    for site, (zone, country, pue, pue_source, market) in SITES.items():
        lines += ["", f"[sites.{site}]", f'zone = "{zone}"', f'country = "{country}"']
        optional = {"pue": pue, "pue_source": pue_source, "market_gco2e_per_kwh": market}
        lines += [f'{name} = "{value}"' for name, value in optional.items() if value is not None]
    for provider, (site, record, meter) in PROVIDERS.items():
        lines += ["", f"[providers.{provider}]", f'site = "{site}"', f'system_of_record = "{record}"']
        lines += [f'energy_from = "{meter}"'] if meter else []
        lines += [f'catalogue = "{CATALOGUES[provider]}"'] if provider in CATALOGUES else []
    return "\n".join(lines) + "\n"


def _csv(columns: Sequence[str], rows: Iterable[Sequence]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)  # None becomes an empty cell
    return text.getvalue()


def _put(path: Path, text: str) -> Path:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)
    return path

