"""Billing files, FOCUS 1.0 to 1.3 or Google Cloud's own: what clouds charge for AI by day, service, SKU and account.

What a charge means for energy belongs to dbt. Charges of a day are summed, so that a correction, a credit or a refund
adds to what it corrects and replaces nothing; names, resources and all tags but one are left behind. Of FOCUS 1.3 only
the list of columns was read, not the full text: there, whoever provides a service is taken to be ServiceProviderName.
Google's own SKUs of Gemini tell tokens as well (`_google_billing`). Where a source of its own tells those of the same
provider, the bill's are left out, unless `system_of_record` says whose account is booked.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pipelines import engine
from pipelines.errors import SettingError, SourceError
from pipelines.source import Column, Context, DayFile, Page, Source, Table
from pipelines.sources import _files, _focus_charges, _google_billing
from pipelines.units import noun
from pipelines.window import Window

NAME = "focus"
COSTS = ("effective", "billed")
LISTS: Mapping[str, tuple[str, ...]] = {
    "service_categories": ("AI and Machine Learning",),
    "services": ("*bedrock*", "*sagemaker*", "*openai*", "*vertex ai*", "*gemini*", "*ai foundry*", "*azure ai *",
                 "*cognitive services*", "*copilot*", "*anthropic*", "*generative ai*", "*watsonx*",
                 "*generative language*"),
    "skus": ("*claude*", "*gpt-*", "*gemini*", "*llama*", "*mistral*"),
    "leave_out": (),
}
SKU_FIELDS = ("SkuId", "SkuMeter", "SkuPriceDetails", "ChargeDescription")
# the names by which other sources know the same services
PROVIDERS = {"*bedrock*": "bedrock", "*openai*": "azure_openai", "*vertex ai*": "vertex", "gemini api*": "google_genai",
             "*generative language*": "google_genai", "*gemini*": "vertex", "*github copilot*": "github_copilot"}


def fetch(context: Context, window: Window) -> Iterator[Page | DayFile]:
    """One file for each day of the window that a billing file reaches over; a day that none does is missing."""
    options = _options(context)
    given = _files.matching(context.settings.home, options["path"])
    if not given:
        yield Page((), options["path"], (f"no file matches {options['path']}",))
        return
    request = f"{options['path']}: {len(given)} {noun(len(given), 'file')}, {window}"
    with engine.connect(context.scratch) as duck:
        _focus_charges.load(duck, given, _is_ai(options))
        findings = _focus_charges.refusals(duck, given, window).all()
        told = _told_elsewhere(context)
        _focus_charges.by_day(duck, _dimensions(options, told), SUMS, window)
        said = tuple(
            f"[sources.{provider}] tells the tokens of {provider}: the bill's count as money alone, unless [providers."
            f"{provider}] has a system_of_record"
            for provider, in duck.execute(f"select distinct {_provider(options)} as provider from charges where "
                                          f"{_google_billing.KIND} is not null order by all").fetchall()
            if provider in told)
        ai, of = duck.execute("select (select count(*) from charges), sum(charge_count) from spans").fetchone()
        context.progress(f"{NAME}: read {request}")
        spans = duck.execute("select first_day, last_day from spans").fetchall()
        delivered = [day for day in window.days() if any(first and last and first <= day <= last
                                                         for first, last in spans)]
        # a day that only refused charges tell of is held back as well, and a finding needs a file to hold
        delivered = sorted({*delivered, *(date.fromisoformat(each.day) for each in findings if each.day)} &
                           set(window.days()))
        for day in delivered:
            path = context.scratch / f"{NAME}.{day}.parquet"
            duck.execute(f"""
                copy (select {', '.join(column.name for column in CHARGES.columns)} from days
                      where usage_date = date '{day}' order by all)
                to {engine.text(path)} (format parquet, compression zstd)
            """)
            yield DayFile(day, path, request, (f"{ai} of {of} charges are of AI", *said), findings)
            findings = ()
        if findings:
            yield Page((), request, (), findings)


def check(context: Context) -> str:
    """Reads the files, and says which providers of AI are not placed yet.

    Raises:
        SourceError: there is no file, or a charge of AI is refused; names the first.
    """
    options = _options(context)
    given = _files.matching(context.settings.home, options["path"])
    if not given:
        raise SourceError(
            "No billing file was found", f"path = {options['path']!r}", "no file under JEVONS_HOME matches it",
            f"put a file there, or correct path in [sources.{NAME}]",
        )
    with engine.connect(context.scratch) as duck:
        _focus_charges.load(duck, given, _is_ai(options))
        found = _focus_charges.refusals(duck, given, None).all()
        if found:
            raise SourceError(f"{len(found)} {noun(len(found), 'charge is', 'charges are')} refused", found[0].where,
                              found[0].rule, found[0].fix)
        many, providers = duck.execute(
            f"select count(*), coalesce(list(distinct {_provider(options)}), []) from charges").fetchone()
    placed = {each.provider for each in context.settings.providers}
    unplaced = ", ".join(sorted(set(providers) - placed))
    rest = f"; no [providers] section says yet where and by whom these are counted: {unplaced}" if unplaced else ""
    return f"{many} {noun(many, 'charge')} of AI can be read from {options['path']}{rest}."


def _options(context: Context) -> Mapping[str, Any]:
    options = context.options(NAME)
    wrong = None
    if not isinstance(options.get("path"), str) or "{date}" in options["path"]:
        wrong = "path", "it names no files", 'write path = "inbox/focus/*.csv.gz"'
    elif options.get("cost", COSTS[0]) not in COSTS:
        wrong = "cost", f"{options['cost']!r:.40} is no cost of FOCUS", "write effective (amortised) or billed (cash)"
    elif not isinstance(options.get("workflow_tag", ""), str):
        wrong = "workflow_tag", "it is no text", "name the key of one tag, in quotes"
    elif not isinstance(options.get("providers", {}), Mapping) or not all(
            isinstance(name, str) and name for name in options.get("providers", {}).values()):
        wrong = "providers", "it is no section of names", 'write "Azure Machine Learning*" = "azure_ml" in it'
    for name in LISTS:
        texts = options.get(name, [])
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            wrong = name, "it is no list of patterns", f'write {name} = ["*bedrock*"]'
    if wrong:
        raise SettingError(NAME, *wrong)
    return options


def _like(field: str, patterns: tuple[str, ...]) -> str:
    """SQL: whether the text fits a pattern, in which * stands for anything; large and small letters are alike."""
    fits = []
    for pattern in patterns:
        plain = pattern.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_").replace("*", "%")
        fits.append(f"coalesce(lower({field}) like {engine.text(plain)} escape '!', false)")
    return f"({' or '.join(fits)})" if fits else "false"


def _is_ai(options: Mapping[str, Any]) -> str:
    """SQL: whether a charge is one of AI, by its category, its service or its SKU."""
    patterns = {name: tuple(options.get(name, default)) for name, default in LISTS.items()}
    ai = [_like(name, patterns["service_categories"]) for name in ("ServiceCategory", "ServiceSubcategory")]
    ai += [_like("ServiceName", patterns["services"]), *(_like(name, patterns["skus"]) for name in SKU_FIELDS)]
    out = [_like(name, patterns["leave_out"]) for name in ("ServiceName", *SKU_FIELDS)]
    return f"({' or '.join(ai)}) and not ({' or '.join(out)})"


def _provider(options: Mapping[str, Any]) -> str:
    """SQL: the provider as the ledger names it; its own name in small letters where no pattern fits."""
    cases = "".join(
        f" when {_like('ServiceName', (pattern,))} then {engine.text(name)}"
        for pattern, name in {**options.get("providers", {}), **PROVIDERS}.items()
    )
    told = "regexp_replace(lower(coalesce(ServiceProviderName, ProviderName)), '[^a-z0-9]+', '_', 'g')"
    return f"case{cases} else trim({told}, '_') end"


def _told_elsewhere(context: Context) -> list[str]:
    """Providers whose use a source of their own tells, of which nobody has said whose account is booked."""
    said = {each.provider for each in context.settings.providers if each.system_of_record}
    return sorted(name for name in set(PROVIDERS.values()) - said if context.settings.enabled(name))


def _dimensions(options: Mapping[str, Any], told: list[str]) -> dict[str, str]:
    """SQL of each column that charges are told apart by; tokens of the providers in `told` are not taken from here."""
    tag = "null::varchar"
    if options.get("workflow_tag"):
        value = f"json_extract_string(Tags, {engine.text('$.' + engine.name(options['workflow_tag']))})"
        tag = f"case when json_valid(Tags) and not contains({value}, '@') then left({value}, 200) end"
    return {
        "provider": _provider(options), "service_category": "ServiceCategory", "service_name": "ServiceName",
        "sku_id": "SkuId", "sku_meter": "SkuMeter", "region_id": "RegionId",
        "billing_account_id": "BillingAccountId", "sub_account_id": "SubAccountId",
        "charge_category": "ChargeCategory", "charge_class": "ChargeClass", "consumed_unit": "ConsumedUnit",
        "model": _google_billing.MODEL,
        "token_kind": f"case when {_provider(options)} not in ({', '.join(map(engine.text, ['', *told]))}) "
                      f"then {_google_billing.KIND} end",
        "workflow_tag": tag, "counted_cost": engine.text(options.get("cost", COSTS[0])),
    }


SUMS = {"billed_cost_usd": "BilledCost", "effective_cost_usd": "EffectiveCost", "consumed_quantity": "ConsumedQuantity"}
_TEXTS = {
    "provider": "Who provides the service, as the ledger names it.",
    "service_category": "Category of the service, in FOCUS' words.", "service_name": "The service.",
    "sku_id": "What was sold, by its id.", "sku_meter": "What was metered; FOCUS 1.1 and later.",
    "region_id": "Region of the resource.", "billing_account_id": "Account that is billed.",
    "sub_account_id": "Account, subscription or project below it.",
    "charge_category": "Usage, Purchase, Tax, Credit or Adjustment.",
    "charge_class": "Correction where an earlier charge is corrected; else null.",
    "consumed_unit": "Unit of consumed_quantity.",
    "model": "Model that the SKU names; Gemini's in Google Cloud's own export.",
    "token_kind": "Tokens in consumed_quantity: input, cached_input or output; null where it counts none.",
    "workflow_tag": "Value of the tag that workflow_tag names.",
    "counted_cost": "The cost that the organisation chose to count: effective or billed.",
}
_REQUIRED = {"provider", "service_category", "service_name", "counted_cost"}

CHARGES = Table(
    "charges",
    (
        *(Column(name, "VARCHAR", text, name in _REQUIRED, allowed=COSTS if name == "counted_cost" else ())
          for name, text in _TEXTS.items()),
        Column("charge_count", "BIGINT", "Charges that touch the day.", True, minimum=1, additive=False),
        Column("billed_cost_usd", "DECIMAL(24,12)", "BilledCost: cash; a credit is negative.", True),
        Column("effective_cost_usd", "DECIMAL(24,12)", "EffectiveCost: with what was paid ahead, amortised.", True),
        Column("consumed_quantity", "DECIMAL(24,12)", "What was consumed, in consumed_unit."),
    ),
    tuple(_TEXTS), fetch, "Charges for AI by day, service, SKU, account and kind of charge.",
    silent_days_are_missing=True,
)

SOURCE = Source(
    NAME, (CHARGES,), "Billing files of clouds: the FinOps Open Cost and Usage Specification, or Google Cloud's own.",
    restate_days=35,  # a month is billed, and then corrected, after its end
    options=("path", "cost", "workflow_tag", "providers", "site", *LISTS),
    personal=("ResourceId", "ResourceName", "Tags", "BillingAccountName", "SubAccountName"), check=check,
)
