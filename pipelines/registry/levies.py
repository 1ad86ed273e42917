"""What somebody asks the registry to record about carbon's price: levies, and what they paid for.

Who owes what is worked out in the warehouse (`fct_levy_posting`); the tables belong in `models`.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, model_validator

from pipelines.registry.drafts import Draft, Lasting
from pipelines.registry.fields import Day, Identifier, Role, decimal, one_of, refusal, shown, text

LEVY_KINDS = ("shadow", "fee")
LEVY_BASES = ("location_kgco2e", "market_kgco2e")
# From the widest to the nearest: each lies whole in the one before it, so that of several one is the nearest.
LEVIED = ("organisation", "unit", "team", "workflow")
CURRENCIES = frozenset(  # ISO 4217, codes of money in circulation
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP"
    " CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF"
    " IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD"
    " MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB"
    " RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD"
    " UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG".split()
)


def _currency(value: Any) -> str:
    if value not in CURRENCIES:
        raise refusal(f"{shown(value)} is no currency", "write its three capital letters of ISO 4217, such as EUR")
    return value


Price = Annotated[Decimal, BeforeValidator(partial(decimal, precision=13, scale=4))]
Amount = Annotated[Decimal, BeforeValidator(partial(decimal, precision=18, scale=2))]


class LevyDraft(Lasting):
    """A price of carbon that a perimeter adopts for its own use of AI, from one day to another.

    Attributes:
        levy_kind: `fee` is paid into the perimeter's fund; `shadow` is reckoned with and never paid.
        basis: Carbon of electricity as the grid gave it, or as contracts say.
        price_per_tonne: In the currency, per tonne of CO2 equivalent. A price that changes is a levy of its own from
            that day on; both pay into the same fund.
        adopted_by: The body that adopted it.
        valid_to: Exclusive.
    """

    levy_id: Identifier
    levy_kind: one_of(*LEVY_KINDS)
    perimeter_type: one_of(*LEVIED)
    perimeter_id: Identifier
    basis: one_of(*LEVY_BASES)
    price_per_tonne: Price
    currency: Annotated[str, BeforeValidator(_currency)]
    adopted_by: Role
    valid_from: Day
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.perimeter_type == "organisation" and self.perimeter_id != "organisation":
            raise refusal(
                f"the whole organisation is one perimeter, not {shown(self.perimeter_id)}",
                "write organisation", "perimeter_id",
            )
        return self


class LevyUseDraft(Draft):
    """What a part of a fund was used for.

    Attributes:
        levy_id: A fee that paid into the fund.
        amount: In the fee's currency; 0 takes back what was recorded by mistake.
        approved_by: The body that decided it.
        evidence: What proves it: a document's title, number or address.
    """

    use_id: Identifier
    levy_id: Identifier
    used_on_date: Day
    amount: Amount
    purpose: text(500)
    approved_by: Role
    evidence: text(500)


def doubled(levies: Iterable[Any]) -> dict[tuple[str, str, str], tuple[str, str, date]]:
    """Kinds and perimeters that two levies would price on one day, with the ids of both and the first such day."""
    found: dict[tuple[str, str, str], tuple[str, str, date]] = {}
    before: dict[tuple[str, str, str], Any] = {}
    for levy in sorted(levies, key=lambda levy: (levy.valid_from, levy.levy_id)):
        earlier = before.get(key_of(levy))
        if earlier is not None and (earlier.valid_to is None or earlier.valid_to > levy.valid_from):
            found.setdefault(key_of(levy), (earlier.levy_id, levy.levy_id, levy.valid_from))
        ends = levy.valid_to or date.max
        if earlier is None or ends > (earlier.valid_to or date.max):
            before[key_of(levy)] = levy
    return found


def key_of(levy: Any) -> tuple[str, str, str]:
    """What only one levy may price on a day, whatever its basis: the same electricity has both."""
    return levy.levy_kind, levy.perimeter_type, levy.perimeter_id
