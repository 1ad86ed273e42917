"""Thousands of small organisations at once, made up from one number: declarations, rules and activity.

Each day is an organisation of its own: no key, rule or workflow of one occurs in another. What must come out of them is
worked out by `oracle`, from the written rules; nothing of the models' SQL is repeated here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from ledger_project import ENDS, IDENTITIES, KINDS

FIRST_DAY = date(2026, 1, 1)
DAY = timedelta(days=1)
Row = dict
COUNTS = ("call_count", "input_tokens", "cached_input_tokens", "output_tokens")
SELDOM = ("cache_write_input_tokens", "reasoning_output_tokens", "image_count", "audio_seconds", "video_seconds")


@dataclass
class Made:
    """The tables of one batch of organisations, by name."""

    tables: dict[str, list[Row]] = field(default_factory=dict)


def make(seed: int, organisations: int) -> dict[str, list[Row]]:
    """The tables that the models read, for that many organisations."""
    random = Random(seed)
    tables: dict[str, list[Row]] = {
        "int_call_log__activity": [], "int_openai__activity": [], "int_gpu_prometheus__activity": [],
        "stg_registry__workflows": [], "stg_registry__attribution_rules": [],
        **_declarations(random, organisations),
    }
    for number in range(organisations):
        _organisation(random, number, tables)
    tables["stg_registry__teams"] = [
        {"team_id": team, "team_name": team, "unit_id": f"unit {team[-1]}", "country": "FRA"}
        for team in sorted({row["team_id"] for row in tables["stg_registry__workflows"]})
    ]
    return tables


def _declarations(random: Random, organisations: int) -> dict[str, list[Row]]:
    """What all organisations of a batch share: factors, sites, providers, and what is known of the grid."""
    days = [FIRST_DAY + n * DAY for n in range(organisations)]

    def between(low: str, high: str, digits: int) -> Decimal:
        low, high = (int(Decimal(end) * 10**digits) for end in (low, high))
        return Decimal(random.randint(low, high)).scaleb(-digits)

    sites = [
        {"site_id": "s0", "zone": "Z0", "country": "AAA", "pue_ratio": None,
         "market_gco2e_per_kwh": random.choice([None, between("0", "9", 6)])},
        {"site_id": "s1", "zone": "GB", "country": "BBB", "pue_ratio": between("1", "3", 6),
         "water_litres_per_kwh": between("0", "2", 6)},
        {"site_id": "s2", "zone": "Z0", "country": "no yearly mix", "pue_ratio": between("1", "2", 2),
         "water_litres_per_kwh": Decimal("0.1")},
    ]
    for site in sites:
        site.update(control=random.choice([None, None, "own", "leased", "vendor"]),
                    market_boundary=random.choice(["M0", "M1"]),
                    grid_pin=random.choice([None, None, None, "grid_file", "electricity_maps", "neso", "yearly_mix"]))
    return {
        "stg_settings__sites": sites,
        "stg_settings__sources": [
            {"source": "call_log"}, {"source": "openai"},
            {"source": "gpu_prometheus", "site_id": random.choice(["s0", "s1", "s2", None])},
        ],
        "stg_settings__providers": [
            {"provider": "p0", "site_id": "s0", "gpu_model": random.choice([None, "H100"]),
             "energy_from": random.choice([None, "spend"])},
            {"provider": "p1", "site_id": "s1", "system_of_record": "call_log"},
            {"provider": "openai", "site_id": random.choice(["s0", "s2"]),
             "system_of_record": random.choice(["openai", None]), "catalogue": random.choice([None, "p0"])},
            {"provider": "own", "site_id": "s2", "system_of_record": "call_log", "energy_from": "gpu_prometheus"},
        ],
        "grid_yearly": [
            {"grid_factor_id": country, "factor_set": "ecologits-0.11.3", "zone_country": country,
             "gco2e_per_kwh": between("0", "900", 6), "grid_source": "ecologits", "grid_boundary": "lifecycle",
             "water_litres_per_kwh": random.choice([None, between("0", "9", 6)])}
            for country in ("AAA", "BBB")
        ],
        "grid_rung": [
            {"grid_rung": rung, "factor_set": "jevons-defaults-1", "low_ratio": low, "high_ratio": high}
            for rung, low, high in (
                ("hourly_measured", between("0.8", "1", 6), between("1", "1.2", 6)),
                ("hourly_estimated", between("0.5", "1", 6), between("1", "1.4", 6)),
                ("yearly_mix", between("0.5", "1", 6), between("1", "1.5", 6)), ("unknown", None, Decimal("1.5")))
        ],
        "stg_instruments__instruments": list(_instruments(random, days)),
        "stg_settings__hardware": [
            {"hardware_id": f"h{n}", "purchase_date": random.choice(days), "piece_count": random.randint(1, 9),
             "embodied_kgco2e": random.choice([None, between("0", "9", 6)])} for n in range(3)
        ],
        "stg_electricity_maps__carbon_intensity": [
            row for zone in ("Z0", "GB") for day in days for hour in (0, 1)
            for row in _intensities(random, zone, datetime.combine(day, time(hour)))
        ],
        "raw_grid_file__intensity": [
            {"zone": "GB", "hour_utc": datetime.combine(day, time(hour)), "gco2e_per_kwh": between("0", "900", 6),
             "grid_boundary": boundary, "publisher": random.choice(["P", "Q"]),
             "is_estimated": random.choice([None, True, False])}
            for day in days for hour in (0, 1) for boundary in ("lifecycle", "direct") if random.random() < 0.4
        ],
        "raw_neso__intensity": [
            {"dt": str(day), "start_utc": datetime.combine(day, time(half // 2, half % 2 * 30)),
             "actual_gco2_per_kwh": between("0", "900", random.choice([0, 6]))}
            for day in days for half in range(4) if random.random() < 0.7
        ],
        "gpu_model": [
            {"gpu_model_pattern": "H100%", "tdp_w": Decimal(700)},
            {"gpu_model_pattern": "H100 PCIe", "tdp_w": Decimal(350), "idle_w": Decimal(40)},
        ],
        "stg_settings__runtime_proxies": [
            {"gpu_model": "H100", "low_w": between("90", "100", 6), "fitted_w": between("100", "300", 6),
             "high_w": between("300", "900", 6), "valid_from": days[number]}
            for number in sorted({0, len(days) // 2})
        ],
        "gpu_factor": [
            {"gpu_factor_id": quantity, "factor_set": "jevons-defaults-1", "gpu_model_pattern": "%",
             "quantity": quantity, "evidence_tier": tier,
             **{f"value{end}": value for end, value in zip(ENDS, values, strict=True)}}
            for quantity, tier, values in (
                ("energy_counter_ratio", 1, (Decimal("0.95"), Decimal(1), Decimal("1.05"))),
                ("power_integral_ratio", 1, (between("0.5", "1", 6), Decimal(1), between("1", "2", 6))),
                ("metered_host_ratio", 0, (between("0.9", "1", 6), Decimal(1), between("1", "1.1", 6))),
                ("host_residual_ratio", 0, (between("0.5", "1", 6), Decimal(1), between("1", "1.6", 6))),
                ("power_integral_gappy_ratio", 1, (between("0.5", "1", 6), Decimal(1), between("1", "2", 6))),
                ("tdp_utilisation_ratio", 4, (between("0.4", "1", 6), Decimal(1), between("1", "3", 6))),
                ("runtime_fitted_ratio", 4, (between("0.5", "1", 6), Decimal(1), between("1", "2", 6))),
                ("runtime_default_ratio", 5, (between("0.5", "1", 6), Decimal(1), between("1", "2", 6))),
                ("host_share_ratio", 5, (between("0", "0.3", 6), between("0.3", "0.4", 6), between("0.4", "1", 6))),
                ("busy_power_ratio", 5, (Decimal("0.5"), Decimal("0.7"), Decimal("0.9"))),
                ("idle_power_ratio", 5, (Decimal("0.05"), Decimal("0.1"), Decimal("0.2"))),
                ("default_pue_ratio", 5, (between("1", "1.2", 6), between("1.2", "1.5", 6), between("1.5", "3", 6))),
                ("largest_kwh_per_gpu_second", 5,
                 (Decimal("0.0003"), between("0.0003", "0.0004", 18), Decimal("0.0005"))),
                ("embodied_gco2e_per_gpu_second", 4, (Decimal(0), between("0", "0.1", 18), Decimal(1))),
            )
        ],
        "factor_set": [
            _factor(random, provider, model, gpu_model, tier, days)
            for provider in ("p0", "p1", "openai", "own") for model in ("m0", "m1", "m2")
            for gpu_model, tier in ((None, 4), (None, 4), ("H100", 3), ("A100", 3), (None, 2))
            if random.random() < 0.4
        ] + [_factor(random, "size_class", "L", None, 5, days), _factor(random, "spend", "%", None, 5, days)],
        "int_disclosure__factors": list(_disclosures(random, days)),
        "stg_settings__models": [
            {"provider": provider, "model": model, "size_class": random.choice(["L", "XL"])}
            for provider, model in (("p1", "m9"), ("openai", "m1"))
        ],
        "model_alias": [
            # the name that p1 gives to p0's model: beside it stands p1's own model of that very name
            {"provider": "p1", "model_reported": "p0.m0", "provider_canonical": "p0", "model_canonical": "m0",
             "valid_from": days[0], "valid_to": None},
            # a name that moves from one model to another in the middle
            {"provider": "openai", "model_reported": "latest", "provider_canonical": "openai", "model_canonical": "m0",
             "valid_from": days[0], "valid_to": days[len(days) // 2]},
            {"provider": "openai", "model_reported": "latest", "provider_canonical": "openai", "model_canonical": "m1",
             "valid_from": days[len(days) // 2], "valid_to": None},
        ],
    }


def _intensities(random: Random, zone: str, hour: datetime) -> Iterator[Row]:
    """Of an hour: nothing, the whole life, the direct part beside it, or (which is no intensity) alone."""
    whole = random.choice([0, random.randint(0, 9 * 10**8)])
    part = random.choice([0, whole, random.randint(0, whole), random.randint(whole, 9 * 10**8)])
    for boundary, value in (("lifecycle", whole), ("direct", part)):
        if random.random() < 0.6:
            yield {"zone": zone, "usage_date": hour.date(), "usage_hour_utc": hour, "grid_boundary": boundary,
                   "gco2e_per_kwh": Decimal(value).scaleb(-6), "is_estimated": random.random() < 0.5}


def _instruments(random: Random, days: list[date]) -> Iterator[Row]:
    """Certificates of an hour, some days or the year, for a site or a market; rates for what they leave."""
    first, hour = datetime.combine(days[0], time(0)), timedelta(hours=1)
    whole = {"period_start_utc": datetime(2025, 1, 1), "period_end_utc": datetime(2027, 1, 1)}
    for number in range(random.randint(0, 40)):
        start = first + random.randrange(24 * len(days)) // random.choice([1, 24]) * hour
        period = {"period_start_utc": start, "period_end_utc": start + random.choice([1, 2, 7, 24, 240]) * hour}
        place = random.choice([{"site_id": random.choice(["s0", "s1", "s2"])},
                               {"market_boundary": random.choice(["M0", "M1"])}])
        yield {"instrument_id": f"i{number}", "instrument_kind": random.choice(["ppa", "guarantee_of_origin"]),
               "mwh": Decimal(random.choice([0, 1, 999, 10**6, 10**11, random.randint(0, 10**8)])).scaleb(-6),
               "gco2e_per_kwh": Decimal(random.choice([0, 1, random.randint(0, 9 * 10**8)])).scaleb(-6),
               **random.choice([whole, period, period]), **place}
    for market in random.sample(["M0", "M1"], random.randint(0, 2)):
        yield {"instrument_id": f"rest of {market}", "instrument_kind": "residual_mix", "market_boundary": market,
               "gco2e_per_kwh": Decimal(random.randint(0, 9 * 10**8)).scaleb(-6), "mwh": None, **whole}
    if random.random() < 0.3:
        yield {"instrument_id": "tariff of s2", "instrument_kind": "supplier_tariff", "site_id": "s2", "mwh": None,
               "gco2e_per_kwh": Decimal(random.randint(0, 9 * 10**8)).scaleb(-6),
               "period_start_utc": first, "period_end_utc": first + 1000 * hour}


def _factor(random: Random, provider: str, model: str, gpu_model: str | None, tier: int, days: list[date]) -> Row:
    """Factors of at most 1e-6 kWh a unit, so that 1e17 units still fit DECIMAL(24,9) as grams."""
    found: Row = {
        "factor_id": f"{provider}/{model}@{gpu_model}#{random.random()}", "provider": provider, "model_name": model,
        "gpu_model": gpu_model, "evidence_tier": tier,
        "factor_set": random.choice(["ecologits-0.11.3", "jevons-2026.11", "jevons-defaults-1", "not in force"]),
        "quarantine_reason": random.choice([None, None, None, "too dear to be true"]),
        "valid_from": random.choice([date(2020, 1, 1), date(2020, 1, 1), days[len(days) // 3]]),
        "wue_onsite_litres_per_kwh": random.choice([None, Decimal(random.randint(0, 10**18 - 1)).scaleb(-18)]),
    }
    for kind in KINDS:
        central = random.choice([0, random.randint(0, 10**12), random.randint(0, 10**6), 5 * 10**8])
        low = random.randint(0, central)
        high = random.randint(central, 10**12)
        unknown = kind in ("image", "audio_second", "video_second") and random.random() < 0.5
        for end, value in zip(ENDS, (low, central, high), strict=True):
            found[f"kwh_per_{kind}{end}"] = None if unknown else Decimal(value).scaleb(-18)
    if provider != "spend":
        found.update({f"kwh_per_nano_usd{end}": Decimal(0) for end in ENDS})
    for end, value in zip(ENDS, sorted(random.randint(0, 10**6) for _ in ENDS), strict=True):
        found[f"batch_output_ratio{end}"] = Decimal(value).scaleb(-6)
    for name in ("embodied_gco2e_per_request", "embodied_gco2e_per_output_token"):
        found[name] = random.choice([None, Decimal(random.randint(0, 10**14)).scaleb(-18)])
    return found


def _disclosures(random: Random, days: list[date]) -> Iterator[Row]:
    """What suppliers say of their own models and of those that they sell for others, some of it for some days only."""
    for supplier, provider, model in (
        ("p0", "p0", "m0"), ("p1", "p0", "m0"), ("p1", "p1", "m0"), ("openai", "openai", "m1"),
        ("openai", "openai", "m1"), ("stranger", "stranger", "m9"),
    ):
        if random.random() < 0.4:
            found = _factor(random, provider, model, None, 2, days)
            yield {**found, "factor_set": "disclosures", "supplier": supplier,
                   **{f"kwh_per_nano_usd{end}": Decimal(0) for end in ENDS},
                   "valid_to": random.choice([None, days[len(days) // 2], days[len(days) // 3]])}


def _organisation(random: Random, number: int, tables: dict[str, list[Row]]) -> None:
    day = FIRST_DAY + number * DAY
    # the separator of joined keys, and the wildcards of LIKE, stand in names that vendors and people really give
    names = {
        "api_key_id": [f"{number}k1", f"{number}k2", f"{number}k2|", f"{number}k3"],
        "project_id": [f"{number}pr1", f"|{number}pr1", f"{number}pr2"],
        "workflow_tag": [f"{number}t_1", f"{number}t-1", f"{number}w0", f"{number}w9"],
        "pod": [f"{number}chat-llm-7f", f"{number}chat-a", f"{number}batch_1", f"{number}batch-1"],
        "node": [f"{number}n%1", f"{number}n-1", f"{number}n-2"],
    }
    for w in range(random.randint(1, 5)):
        tables["stg_registry__workflows"].append(
            {"workflow_id": f"{number}w{w}", "team_id": f"{number}team{random.randint(0, 2)}"})
    workflows = [row["workflow_id"] for row in tables["stg_registry__workflows"] if row["workflow_id"].startswith(
        f"{number}w")]
    patterns = [f"{number}chat-*", f"{number}chat-llm-*", f"*{number}chat-a", f"{number}batch_1", f"{number}batch_*"]
    keys = [("api_key", value) for value in names["api_key_id"]]
    keys += [("project", value) for value in names["project_id"]]
    keys += [("tag", value) for value in names["workflow_tag"] if not value.endswith("w0")]
    keys += [("pod", value) for value in patterns]
    keys += [("node", value) for value in (f"{number}n%1", f"{number}n-*", f"{number}n-1")]
    for kind, value in random.sample(keys, random.randint(0, 8)):
        for source in random.sample([None, "call_log", "gpu_prometheus"], random.randint(1, 2)):
            _rules(random, day, (kind, source, value), workflows, tables["stg_registry__attribution_rules"])
    if random.random() < 0.1:
        _near_twins(random, number, workflows, tables)
    for _ in range(random.randint(1, 6)):
        source = random.choice(["call_log", "call_log", "openai", "gpu_prometheus"])
        row = _meter(random) if source == "gpu_prometheus" else _calls(random, source)
        given = {"gpu_prometheus": ("pod", "node"), "openai": ("api_key_id", "project_id")}.get(source, IDENTITIES[:3])
        for name in given:
            row[name] = random.choice([*names[name], None])
        row.update(usage_date=day, usage_hour_utc=datetime.combine(day, time(random.choice([0, 0, 1, 2]))),
                   source=source, lifecycle_stage=random.choice(["inference", "unknown"]))
        tables[f"int_{source}__activity"].append(row)
        if random.random() < 0.2:  # the same again: one row of the hour holds both
            tables[f"int_{source}__activity"].append(dict(row))


def _near_twins(random: Random, number: int, workflows: list[str], tables: dict[str, list[Row]]) -> None:
    """Two pairs of rows of one hour that are easily taken for one: each row is split on its own.

    Written one after another, the names of the first two read the same. The second two are p1's own model m0, and the
    model m0 that p1 serves for p0.
    """
    day, key = FIRST_DAY + number * DAY, f"{number}twin"
    for value in (key, f"{key}|"):
        _rules(random, day, ("api_key", "call_log", value), workflows, tables["stg_registry__attribution_rules"])
    common = {"usage_date": day, "usage_hour_utc": datetime.combine(day, time(3)), "source": "call_log",
              "lifecycle_stage": "unknown"}
    for names in ({"api_key_id": f"{key}|", "project_id": "p", "model_reported": "m0"},
                  {"api_key_id": key, "project_id": "|p", "model_reported": "m0"},
                  {"api_key_id": key, "project_id": "q", "model_reported": "m0"},
                  {"api_key_id": key, "project_id": "q", "model_reported": "p0.m0"}):
        tables["int_call_log__activity"].append(
            {**_calls(random, "call_log"), **common, "provider": "p1", "call_purpose": "batch", **names})


def _rules(random: Random, day: date, key: tuple, workflows: list[str], rules: list[Row]) -> None:
    """Rules of one identity whose shares sum to 1 on each of their days; they may be over, or not yet begun."""
    first = day - random.choice([0, 1, 400, -1]) * DAY
    end = random.choice([None, day, day + DAY, day + 2 * DAY])
    if end is not None and end <= first:
        end = first + DAY
    chosen = random.sample(workflows, random.randint(1, len(workflows)))
    if len(chosen) > 1 and random.random() < 0.3:  # two rules may name one workflow
        chosen[-1] = chosen[0]
    for share, workflow in zip(_shares(random, len(chosen)), chosen, strict=True):
        rules.append({
            "rule_id": f"rule {len(rules)}", "match_type": key[0], "source": key[1], "match_value": key[2],
            "workflow_id": workflow, "share": share, "valid_from": first, "valid_to": end,
        })


def _shares(random: Random, count: int) -> list[Decimal]:
    """Shares above 0 with 8 digits that sum to 1: even ones (three are 0.33333333, 0.33333333, 0.33333334), or any."""
    whole = 10**8
    if random.random() < 0.5:
        parts = [whole // count] * count
        parts[-1] += whole - sum(parts)
    else:
        cuts = sorted(random.sample(range(1, whole), count - 1))
        parts = [high - low for low, high in zip([0, *cuts], [*cuts, whole], strict=True)]
    random.shuffle(parts)
    return [Decimal(part).scaleb(-8) for part in parts]


def _quantity(random: Random) -> int:
    huge = 10**17 - random.randint(0, 99)
    return random.choice([0, 0, 1, 2, 3, random.randint(0, 50), random.randint(0, 10**7), huge])


def _calls(random: Random, source: str) -> Row:
    provider = "openai" if source == "openai" else random.choice(["p0", "p1", "p1", "openai", "own", "stranger", None])
    return {
        "provider": provider, "model_reported": random.choice(["m0", "m1", "m2", "m9", "p0.m0", "latest"]),
        "call_purpose": random.choice(["batch", "unknown"]), "energy_line": "direct", "meter_method": None,
        "serving_mode": random.choice([None, None, "batch"]),
        **{name: _quantity(random) for name in COUNTS},
        **{name: random.choice([None, None, 0, random.randint(1, 10**7)]) for name in SELDOM},
        "retry_count": None if source == "openai" else _quantity(random),
        "error_count": None if source == "openai" else _quantity(random),
        "gpu_seconds": 0, "energy_millijoules": None,
        "cost_usd": random.choice([None, Decimal(0), Decimal(random.randint(-(10**6), 10**17)).scaleb(-9)]),
    }


def _meter(random: Random) -> Row:
    method = random.choice([
        "counter_delta", "power_integral", "power_integral_gappy", "tdp_utilisation", "runtime_fitted",
        "runtime_default", "host_residual", "unmeasured", "unmeasured"])
    on_host = random.choice(["", "", "_of_closed_host", "_of_metered_host"]) if method != "host_residual" else ""
    return {
        "provider": "hardware", "model_reported": random.choice(["H100", "H100 PCIe", "B7", None]),
        "call_purpose": "unknown",
        "energy_line": random.choice(["direct", "idle"]), "meter_method": method + on_host,
        **dict.fromkeys((*COUNTS, *SELDOM, "retry_count", "error_count"), 0),
        "gpu_seconds": random.randint(0, 3600), "cost_usd": Decimal(0),
        "energy_millijoules": None if method == "unmeasured" else random.choice(
            [0, 1, 17, 18, 19, random.randint(0, 10**9), 10**17 - random.randint(0, 99)]),
    }


def shuffled(tables: dict[str, list[Row]], seed: int) -> dict[str, list[Row]]:
    """The same rows in another order."""
    random = Random(seed)
    return {name: random.sample(rows, len(rows)) for name, rows in tables.items()}


def on_one_rung(tables: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """The tables without classes, prices and disclosures: they would answer where a factor is forgotten."""
    providers = [{**row, "energy_from": row.get("energy_from") if row["provider"] == "own" else None}
                 for row in tables["stg_settings__providers"]]
    return {**tables, "stg_settings__models": [], "stg_settings__providers": providers,
            "int_disclosure__factors": []}


def without_one_model(tables: dict[str, list[Row]]) -> Iterator[tuple[str, dict[str, list[Row]]]]:
    """The tables again and again, each time with all factors of one model put out of force."""
    for name in sorted({(row["provider"], row["model_name"]) for row in tables["factor_set"]}):
        others: Iterable[Row] = (
            {**row, "factor_set": "not in force"} if (row["provider"], row["model_name"]) == name else row
            for row in tables["factor_set"])
        yield "/".join(name), {**tables, "factor_set": list(others)}


def in_two_parts(tables: dict[str, list[Row]], seed: int) -> dict[str, list[Row]]:
    """The same tables, every record of activity told as two that add up to it."""
    random = Random(seed)

    def parts(row: Row) -> Iterator[Row]:
        share = random.randint(0, 10)
        first = {name: _part(value, share) for name, value in row.items() if _is_amount(value)}
        yield {**row, **first}
        yield {**row, **{name: row[name] - value for name, value in first.items()}}

    return {name: [part for row in rows for part in parts(row)] if name.endswith("__activity") else rows
            for name, rows in tables.items()}


def _is_amount(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _part(value: int | Decimal, share: int) -> int | Decimal:
    """So many tenths, in whole units, or in billionths of a dollar."""
    if isinstance(value, int):
        return value * share // 10
    return Decimal(int(value.scaleb(9)) * share // 10).scaleb(-9)


def with_more_tokens(tables: dict[str, list[Row]], seed: int) -> dict[str, list[Row]]:
    """The same tables, half of the records with up to twice the tokens of the kinds that they have."""
    random = Random(seed)
    tokens = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens")

    def more(row: Row) -> Row:
        if random.random() < 0.5:
            return row
        # no more than any record has, so that grams still fit DECIMAL(24,9)
        return {**row, **{name: row[name] + random.randint(0, max(0, min(row[name], 10**17 - row[name])))
                          for name in tokens if (row.get(name) or 0) > 0}}

    return {name: [more(row) for row in rows] if name.endswith("__activity") else rows for name, rows in tables.items()}


def with_hungrier_factors(tables: dict[str, list[Row]], seed: int) -> dict[str, list[Row]]:
    """The same tables, half of the factors of models with up to twice the energy, range and all."""
    random = Random(seed)

    def hungrier(row: Row) -> Row:
        by = random.choice([10, random.randint(10, 20)])
        energies = [f"kwh_per_{kind}{end}" for kind in KINDS for end in ENDS if row.get(f"kwh_per_{kind}{end}")]
        # no more than the largest factor there is
        return {**row, **{name: max(row[name], min(row[name] * by / 10, Decimal("0.000001"))
                                    ).quantize(Decimal(1).scaleb(-18)) for name in energies}}

    return {**tables, "factor_set": [hungrier(row) for row in tables["factor_set"]]}
