"""Whether a factor can be true at all: the electricity that it implies, beside the list price of the same token.

Prices are those of the genai-prices library, as installed; what a bill says does not belong here.
"""

from decimal import Decimal
from typing import Any

from pipelines.factors.values import value_of

# the library's provider for the provider of a factor; open weights have as many prices as sellers, so none is theirs
SELLERS = {"anthropic": "anthropic", "cohere": "cohere", "google_genai": "google", "mistralai": "mistral",
           "openai": "openai"}
TOKENS = 1_000_000


def implausible(given: dict[str, Any], provider: str, model_name: str, kwh_per_token: Decimal) -> str:
    """Why a factor may not be used: its electricity alone would eat up too much of what the output token is sold for.

    Args:
        given: The coefficients.

    Returns:
        The reason, or nothing where the factor may be used.
    """
    most, tariff = value_of(given, "electricity_share"), Decimal(given["spend"]["tariff_usd_per_kwh"])
    share = electricity_share(provider, model_name, kwh_per_token, tariff)
    return f"electricity would be {share:.0%} of the list price" if share is not None and share > most else ""


def electricity_share(provider: str, model_name: str, kwh_per_token: Decimal, usd_per_kwh: Decimal) -> Decimal | None:
    """Cost of the electricity of an output token over its list price; None where no price is listed.

    Args:
        kwh_per_token: Facility energy of one output token.
        usd_per_kwh: Price of electricity.
    """
    price = list_price(provider, model_name)
    return kwh_per_token * usd_per_kwh / price if price else None


def list_price(provider: str, model_name: str) -> Decimal | None:
    """USD per output token, without discounts; None where the library lists none."""
    from genai_prices import Usage, calc_price

    if provider not in SELLERS:
        return None
    try:
        price: Any = calc_price(Usage(output_tokens=TOKENS), model_name, provider_id=SELLERS[provider])
    except LookupError:
        return None
    return price.output_price / TOKENS or None
