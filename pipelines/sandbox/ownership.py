"""Who owns what: OpenAI projects and API keys, attribution rules, ceilings and rules of the gate.

The workflows themselves are in workflows.py. Key owners are service accounts or role accounts, never people.
"""

from dataclasses import dataclass
from datetime import date

from pipelines.sandbox import stories
from pipelines.sandbox.organisation import TEAMS
from pipelines.sandbox.workflows import WORKFLOW_BY_ID
from pipelines.sandbox.workloads import CALL_LOG_STREAMS, OPENAI_STREAMS, UNTAGGED_GATEWAY_WORKFLOWS

VALID_FROM = date(2026, 1, 1)


@dataclass(frozen=True)
class Project:
    """An OpenAI project."""

    project_id: str
    name: str
    status: str


@dataclass(frozen=True)
class ApiKey:
    """An OpenAI API key's id and name (never the key); `inactive` means that its owner lost access."""

    api_key_id: str
    name: str
    project_id: str
    owner_type: str
    owner_name: str
    owner_access: str


@dataclass(frozen=True)
class Rule:
    """One attribution rule; the shares of one identity on one day sum to 1."""

    rule_id: str
    match_type: str
    source: str | None
    match_value: str
    workflow_id: str
    share: str
    valid_from: date = VALID_FROM
    valid_to: date | None = None


@dataclass(frozen=True)
class Ceiling:
    """A limit for a period; `limit_quantity` is in the metric's unit."""

    ceiling_id: str
    perimeter_type: str
    perimeter_id: str
    metric: str
    period_start: date
    period_end: date
    limit_quantity: str
    adopted_by: str
    reason: str


@dataclass(frozen=True)
class GateRule:
    """From which used part of a ceiling on a class of work is slowed or stopped; None of a perimeter: all work."""

    gate_rule_id: str
    usefulness_class: str
    action: str
    from_ratio: str
    metric: str | None
    perimeter_type: str | None
    perimeter_id: str | None
    adopted_by: str
    review_due_date: date
    valid_from: date
    valid_to: date | None = None


PROJECTS = (
    *(Project("proj_" + team.team_id.replace("-", "_"), team.team_name, "active") for team in TEAMS),
    Project("proj_playground", "Developer playground", "active"),
    Project(stories.ORPHAN_PROJECT, "Hackathon 2025", "archived"),
)


def _api_keys() -> tuple[ApiKey, ...]:
    keys = {}
    for stream in OPENAI_STREAMS:
        if stream.api_key_id is None or stream.api_key_id in keys:
            continue
        orphan = stream.api_key_id == stories.ORPHAN_API_KEY
        role = "Former project account" if orphan else WORKFLOW_BY_ID[stream.workflow_id].owner
        keys[stream.api_key_id] = ApiKey(
            stream.api_key_id, stream.api_key_id[4:].replace("_", "-") + ("" if orphan else "-prod"),
            stream.project_id, "user" if orphan or "shared" in stream.api_key_id else "service_account", role,
            "inactive" if orphan else "active",
        )
    return tuple(keys[key] for key in sorted(keys))


API_KEYS = _api_keys()

# Shares of shared keys and pods, as their owners agreed them; each identity's shares sum to 1.
_SPLIT_KEYS = {
    "key_marketing_shared": (("image-captions", "0.33333333"), ("newsletter-personalisation", "0.33333334"),
                             ("seo-rewrites", "0.33333333")),
    "key_finance_shared": (("audit-evidence-search", "0.15"), ("expense-checks", "0.3"), ("invoice-coding", "0.55")),
}
_PODS = {
    "llama-chat-0": (("claims-fraud-hints", "0.45"), ("incident-summaries", "0.3"), ("synthetic-dialogues", "0.25")),
    "mistral-summary-0": (("claims-de-summaries", "0.6"), ("social-listening", "0.4")),
    "mistral-summary-1": (("claims-de-summaries", "1"),),
}


def _rules() -> tuple[Rule, ...]:
    found: list[tuple] = []
    for key in API_KEYS:
        if key.api_key_id == stories.ORPHAN_API_KEY:
            continue
        if key.api_key_id in _SPLIT_KEYS:
            found += [("api_key", None, key.api_key_id, *part) for part in _SPLIT_KEYS[key.api_key_id]]
        elif key.api_key_id == stories.HANDOVER_API_KEY:
            found.append(("api_key", None, key.api_key_id, "quote-explainer", "1", VALID_FROM, stories.HANDOVER_DAY))
            found.append(("api_key", None, key.api_key_id, "care-knowledge-search", "1", stories.HANDOVER_DAY, None))
        else:
            owner = next(s.workflow_id for s in OPENAI_STREAMS if s.api_key_id == key.api_key_id)
            found.append(("api_key", None, key.api_key_id, owner, "1"))
    # Playground use carries no key: its project says whose it is.
    found.append(("project", "openai", "proj_playground", "internal-docs-search", "1"))
    for workflow in UNTAGGED_GATEWAY_WORKFLOWS:
        found.append(("api_key", "call_log", "gw_" + workflow.replace("-", "_"), workflow, "1"))
    for tag in sorted({s.tag for s in CALL_LOG_STREAMS if s.tag and s.tag != stories.ORPHAN_TAG}):
        found.append(("tag", "call_log", tag, tag, "1"))
    for pod, parts in _PODS.items():
        found += [("pod", "gpu_prometheus", pod, *part) for part in parts]
    return tuple(Rule(f"rule-{number:03d}", *row) for number, row in enumerate(found, start=1))


RULES = _rules()

_Q3 = (date(2026, 7, 1), date(2026, 10, 1))
_JUNE = (date(2026, 6, 1), date(2026, 7, 1))
_BOARD, _UNIT = "Executive Board", "Unit management"
CEILINGS = tuple(
    Ceiling(ceiling_id, kind, who, metric, *period, limit, adopted_by, reason)
    for ceiling_id, kind, who, metric, period, limit, adopted_by, reason in (
        ("org-energy-2026-q3", "organisation", "organisation", "energy_kwh", _Q3, "5200", _BOARD,
         "Quarterly energy budget for all AI use"),
        ("org-carbon-2026-q3", "organisation", "organisation", "location_kgco2e", _Q3, "1200", _BOARD,
         "Quarterly part of the yearly climate budget"),
        ("org-requests-2026-q3", "organisation", "organisation", "requests", _Q3, "15000000", _BOARD,
         "Requests are the lever that teams can steer each day"),
        ("org-requests-2026-06", "organisation", "organisation", "requests", _JUNE, "6000000", _BOARD,
         "First month under a ceiling"),
        ("care-energy-2026-q3", "team", "customer-care-us", "energy_kwh", _Q3, "1050", _UNIT,
         "Spring's use of the chat assistant and ten per cent for the holiday season"),
        ("claims-fr-energy-2026-q3", "team", "claims-fr", "energy_kwh", _Q3, "260", _UNIT,
         "Two thirds less than in spring, as the cheaper model promised"),
        ("claims-fr-carbon-2026-q3", "team", "claims-fr", "location_kgco2e", _Q3, "150", _UNIT,
         "Spring's emissions"),
        ("software-requests-2026-q3", "team", "software-us", "requests", _Q3, "2500000", _UNIT,
         "A completion on every key stroke is not needed"),
        ("legal-requests-2026-q3", "team", "legal-de", "requests", _Q3, "40000", _UNIT,
         "Case load of the spring"),
        ("people-requests-2026-06", "team", "people-us", "requests", _JUNE, "95000", _UNIT,
         "Help desk volume of May"),
    )
)

# What the board decides while the sandbox's last month runs; a file of its own, which the demo does not import.
_Q4 = (date(2026, 10, 1), date(2027, 1, 1))
NEXT_CEILINGS = tuple(
    Ceiling(ceiling_id, kind, who, metric, *_Q4, limit, adopted_by, reason)
    for ceiling_id, kind, who, metric, limit, adopted_by, reason in (
        ("org-energy-2026-q4", "organisation", "organisation", "energy_kwh", "5000", _BOARD,
         "Less than in the quarter before, whatever a call takes"),
        ("org-requests-2026-q4", "organisation", "organisation", "requests", "15000000", _BOARD,
         "No more calls than in the quarter before"),
        ("care-energy-2026-q4", "team", "customer-care-us", "energy_kwh", "900", _UNIT,
         "The chat assistant without the holiday season"),
        ("claims-fr-energy-2026-q4", "team", "claims-fr", "energy_kwh", "240", _UNIT,
         "What the cheaper model promised, once more"),
        ("motor-energy-2026-q4", "sector_tag", "motor-insurance", "energy_kwh", "250", _BOARD,
         "Of three teams in two countries, so that no team's limit covers it"),
    )
)

STOPPED_CEILING = "org-requests-2026-q3"
_RULED = (date(2026, 12, 31), date(2026, 8, 1))
EXPERIMENTS_STOP = GateRule("experiments-stop", "experimental", "stop", "0.6", "requests", None, None, _BOARD, *_RULED)
GATE_RULES = (
    EXPERIMENTS_STOP,
    GateRule("comfort-overnight", "comfort", "batch", "0.75", "requests", None, None, _BOARD, *_RULED),
    GateRule("comfort-stop", "comfort", "stop", "0.95", None, None, None, _BOARD, *_RULED),
    GateRule("software-smaller-model", "useful", "smaller_model", "0.7", None, "team", "software-us", _UNIT, *_RULED),
)
