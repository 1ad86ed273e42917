"""Who the sandbox organisation is: units, teams, models with list prices, sites and providers.

Workflows belong in workflows.py, their volume in workloads.py, who owns which key in ownership.py.
Prices are invented for the sandbox; they are no vendor's price list.
"""

from dataclasses import dataclass

ORGANISATION_NAME = "Sandbox Organisation"


@dataclass(frozen=True)
class Team:
    """A team; `country` is where its people work (ISO 3166-1 alpha-3)."""

    team_id: str
    team_name: str
    unit_id: str
    unit_name: str
    country: str


@dataclass(frozen=True)
class Model:
    """A model with the sandbox's invented list price.

    Attributes:
        input_price_usd: per million uncached input tokens, None where nobody is billed.
        cached_price_usd: per million cached input tokens.
        output_price_usd: per million output tokens.
    """

    name: str
    provider: str
    input_price_usd: str | None = None
    cached_price_usd: str | None = None
    output_price_usd: str | None = None


_UNITS = {
    "operations": "Claims and Customer Operations",
    "commercial": "Commercial",
    "technology": "Technology and Data",
    "corporate": "Corporate Functions",
}

TEAMS = tuple(
    Team(team_id, name, unit, _UNITS[unit], country)
    for team_id, name, unit, country in (
        ("claims-fr", "Claims France", "operations", "FRA"),
        ("claims-de", "Claims Germany", "operations", "DEU"),
        ("customer-care-us", "Customer Care US", "operations", "USA"),
        ("marketing-fr", "Marketing France", "commercial", "FRA"),
        ("sales-us", "Sales US", "commercial", "USA"),
        ("pricing-de", "Pricing Germany", "commercial", "DEU"),
        ("platform-fr", "Platform Engineering", "technology", "FRA"),
        ("data-science-de", "Data Science", "technology", "DEU"),
        ("software-us", "Software US", "technology", "USA"),
        ("finance-fr", "Finance", "corporate", "FRA"),
        ("legal-de", "Legal and Compliance", "corporate", "DEU"),
        ("people-us", "People and Culture", "corporate", "USA"),
    )
)
TEAM_BY_ID = {team.team_id: team for team in TEAMS}

MODELS = (
    Model("gpt-5.4-2026-03-05", "openai", "2.50", "0.25", "15.00"),
    Model("gpt-5.4-mini-2026-03-17", "openai", "0.75", "0.08", "4.50"),
    Model("gpt-5.4-nano-2026-03-17", "openai", "0.20", "0.02", "1.25"),
    Model("gpt-5-mini-2025-08-07", "openai", "0.25", "0.03", "2.00"),
    Model("gpt-4.1-2025-04-14", "openai", "2.00", "0.50", "8.00"),
    Model("gpt-4.1-mini-2025-04-14", "openai", "0.40", "0.10", "1.60"),
    Model("gpt-4o-2024-08-06", "openai", "2.50", "1.25", "10.00"),
    Model("gpt-4o-mini-2024-07-18", "openai", "0.15", "0.08", "0.60"),
    Model("o4-mini-2025-04-16", "openai", "1.10", "0.28", "4.40"),
    Model("text-embedding-3-small", "openai", "0.02", None, None),
    Model("claude-opus-4-5", "anthropic", "5.00", "0.50", "25.00"),
    Model("claude-sonnet-4-5", "anthropic", "3.00", "0.30", "15.00"),
    Model("claude-haiku-4-5", "anthropic", "1.00", "0.10", "5.00"),
    Model("mistral-large-2512", "mistralai", "0.50", "0.50", "1.50"),
    Model("mistral-small-2603", "mistralai", "0.10", "0.10", "0.30"),
    Model("codestral-2508", "mistralai", "0.30", "0.30", "0.90"),
    Model("gemini-2.5-pro", "google_genai", "1.25", "0.13", "10.00"),
    Model("gemini-2.5-flash", "google_genai", "0.30", "0.03", "2.50"),
    Model("gemini-2.5-flash-lite", "google_genai", "0.10", "0.01", "0.40"),
    Model("command-a-03-2025", "cohere", "2.50", "2.50", "10.00"),
    Model("command-r7b-12-2024", "cohere", "0.04", "0.04", "0.15"),
    Model("deepseek-chat", "deepseek", "0.28", "0.03", "0.42"),
    Model("acme-llm-1", "acme"),
    Model("meta-llama/Meta-Llama-3.1-70B-Instruct", "self_hosted"),
    Model("mistralai/Mistral-Nemo-Instruct-2407", "self_hosted"),
)
MODEL_BY_NAME = {model.name: model for model in MODELS}

# Site -> (Electricity Maps zone, ISO-3 country, PUE of own hardware or None, its source, market intensity or None)
SITES: dict[str, tuple[str, str, str | None, str | None, str | None]] = {
    "openai-us": ("US-MIDA-PJM", "USA", None, None, None),
    "anthropic-us": ("US-MIDA-PJM", "USA", None, None, None),
    "cohere-us": ("US-MIDA-PJM", "USA", None, None, None),
    "mistral-paris": ("FR", "FRA", None, None, None),
    "google-frankfurt": ("DE", "DEU", None, None, None),
    "acme-frankfurt": ("DE", "DEU", None, None, None),
    "paris-dc": ("FR", "FRA", "1.25", "site meter 2025", "0"),
}

# Provider -> (site, the source that counts its calls, the source that meters its energy or None)
PROVIDERS: dict[str, tuple[str, str, str | None]] = {
    "openai": ("openai-us", "openai", None),
    "anthropic": ("anthropic-us", "call_log", None),
    "mistralai": ("mistral-paris", "call_log", None),
    "google_genai": ("google-frankfurt", "call_log", None),
    "cohere": ("cohere-us", "call_log", None),
    "deepseek": ("acme-frankfurt", "call_log", None),
    "acme": ("acme-frankfurt", "call_log", None),
    "self_hosted": ("paris-dc", "call_log", "gpu_prometheus"),
}
# Provider -> whose names its models go by
CATALOGUES = {"self_hosted": "huggingface_hub"}
