"""What the ledger must say about made-up organisations, worked out in fractions from the written rules.

Written from DESIGN and the descriptions of the columns; it shares no code and no query with the models.
"""

from collections import defaultdict
from collections.abc import Container
from datetime import date
from fractions import Fraction
from math import floor
from typing import Any

from ledger_oracle_carbon import contracts, placed, rounded

SETS_IN_FORCE = ["jevons-2026.11", "mlenergy-3.0", "jevons-defaults-1", "ecologits-0.11.3"]  # preferred first
IDENTITIES = ("api_key_id", "project_id", "workflow_tag", "pod", "node")
COUNTS = ("call_count", "retry_count", "error_count", "input_tokens", "cached_input_tokens", "cache_write_input_tokens",
          "output_tokens", "reasoning_output_tokens", "image_count", "audio_seconds", "video_seconds", "gpu_seconds")
WHOLE = (*COUNTS, "energy_millijoules", "cost_nano_usd")
USES = {"request": "call_count", "input_token": "input_tokens", "cached_input_token": "cached_input_tokens",
        "cache_write_token": "cache_write_input_tokens", "output_token": "output_tokens", "image": "image_count",
        "audio_second": "audio_seconds", "video_second": "video_seconds"}
COUNTED = {**USES, "nano_usd": "cost_nano_usd"}
ENDS = ("_low", "", "_high")
# how wrong a method may be
RATIOS = {"counter_delta": "energy_counter_ratio", "power_integral": "power_integral_ratio",
          "power_integral_gappy": "power_integral_gappy_ratio", "tdp_utilisation": "tdp_utilisation_ratio",
          "runtime_fitted": "runtime_fitted_ratio", "runtime_default": "runtime_default_ratio",
          "host_residual": "host_residual_ratio", "job_counter": "energy_counter_ratio"}
# what is compared with int_footprint__hourly, in this order
COLUMNS = (
    "usage_hour_utc", "source", "provider", "provider_canonical", "model_canonical", "lifecycle_stage", "call_purpose",
    "serving_mode", "energy_line", "attribution_method", "workflow_id", "team_id", "site_id", "gap_reason", "factor_id",
    "evidence_tier", "grid_zone", "grid_rung", "grid_source", "grid_boundary", "grid_factor_id",
    "direct_gap_reason", "ghg_scope", "scope3_category", *COUNTS, "cost_nano_usd", "energy_kwh_low", "energy_kwh",
    "energy_kwh_high", "location_gco2e_low", "location_gco2e", "location_gco2e_high", "location_direct_gco2e_low",
    "location_direct_gco2e", "location_direct_gco2e_high", "market_gco2e_low", "market_gco2e",
    "market_gco2e_high", "embodied_gco2e", "water_onsite_litres", "water_offsite_litres", "water_litres",
)
NUMBERS = COLUMNS[COLUMNS.index("call_count"):]
Row = dict[str, Any]
Tables = dict[str, list[Row]]


def exact(value: Any) -> Fraction | None:
    """A number as a fraction, the unknown as None."""
    return None if value is None else Fraction(value)


def in_force(rule: Row, day: date) -> bool:
    """Whether an effective-dated row holds on that day; its end is excluded."""
    return rule["valid_from"] <= day and (rule["valid_to"] is None or day < rule["valid_to"])


def largest_remainder(whole: int | None, shares: dict[str, Fraction]) -> dict[str, int | None]:
    """Hare's method: floors first, what is left to the largest remainders, ties to the first name."""
    if whole is None:
        return dict.fromkeys(shares)
    parts = {name: floor(whole * share) for name, share in shares.items()}
    by_remainder = sorted(shares, key=lambda name: (parts[name] - whole * shares[name], name))
    for name in by_remainder[: whole - sum(parts.values())]:
        parts[name] += 1
    return parts


def owners(row: Row, workflows: Container[str], by_kind: dict[tuple, list[Row]]) -> dict[str, Fraction]:
    """Workflows that answer for an identity on a day, with their shares; empty where nobody does."""
    if row["workflow_tag"] in workflows:
        return {row["workflow_tag"]: Fraction(1)}
    for kind, name in (("tag", "workflow_tag"), ("api_key", "api_key_id"), ("pod", "pod"), ("project", "project_id"),
                       ("node", "node")):
        for source in (row["source"], None):
            rules = [
                rule for rule in by_kind[kind, source]
                if row[name] and _matches(kind, rule["match_value"], row[name]) and in_force(rule, row["usage_date"])
            ]
            if rules:
                telling = min((-len(rule["match_value"]), rule["match_value"]) for rule in rules)[1]
                found: dict[str, Fraction] = defaultdict(Fraction)
                for rule in rules:
                    if rule["match_value"] == telling:
                        found[rule["workflow_id"]] += Fraction(rule["share"])
                return found
    return {}


def _matches(kind: str, pattern: str, value: str) -> bool:
    """Pods and nodes: `*` is any ending or beginning, everything else is meant literally."""
    if kind not in ("pod", "node") or "*" not in pattern:
        return pattern == value
    before, _, after = pattern.partition("*")
    return len(value) >= len(before) + len(after) and value.startswith(before) and value.endswith(after)


def activity(tables: Tables) -> list[Row]:
    """The hour's rows under their canonical names; those of another system than the provider's own are left out."""
    providers = {row["provider"]: row for row in tables["stg_settings__providers"]}
    summed: dict[tuple, Row] = {}
    for source in ("call_log", "openai", "gpu_prometheus"):
        for row in tables[f"int_{source}__activity"]:
            record = providers.get(row["provider"], {}).get("system_of_record")
            if record is not None and record != source:
                continue
            provider, model = row["provider"], row["model_reported"] or ""
            for alias in tables["model_alias"]:
                if (alias["provider"], alias["model_reported"]) == (provider, model) and in_force(
                        alias, row["usage_date"]):
                    provider, model = alias["provider_canonical"], alias["model_canonical"]
                    break
            else:
                provider = providers.get(provider, {}).get("catalogue") or provider
            labels = {
                "usage_date": row["usage_date"], "usage_hour_utc": row["usage_hour_utc"], "source": source,
                "provider": row["provider"] or "", "provider_canonical": provider or "", "model_canonical": model,
                **{name: row.get(name) or "" for name in (*IDENTITIES, "lifecycle_stage", "call_purpose",
                                                          "serving_mode", "energy_line", "meter_method")},
            }
            into = summed.setdefault(tuple(labels.values()), {**labels, **dict.fromkeys(WHOLE)})
            cost = None if row["cost_usd"] is None else int(row["cost_usd"] * 10**9)
            for name in WHOLE:
                value = cost if name == "cost_nano_usd" else row[name]
                if value is not None:
                    into[name] = (into[name] or 0) + value
    return list(summed.values())


def attributed(tables: Tables) -> list[Row]:
    """Every row given to whom it belongs; what nobody owns stays, under a name of its own."""
    teams = {row["workflow_id"]: row["team_id"] for row in tables["stg_registry__workflows"]}
    by_kind = defaultdict(list)
    for rule in tables["stg_registry__attribution_rules"]:
        by_kind[rule["match_type"], rule["source"]].append(rule)
    found = []
    for row in activity(tables):
        shares = owners(row, teams, by_kind)
        if not shares:
            # a node says where something ran, not who asked for it
            asked = row["api_key_id"] or row["project_id"] or row["workflow_tag"] or row["pod"]
            method = "orphan" if asked else "unattributed"
            found.append({**row, "attribution_method": method, "workflow_id": method, "team_id": method})
            continue
        parts = {name: largest_remainder(row[name], shares) for name in WHOLE}
        method = "direct" if len(shares) == 1 else "allocated"
        for workflow in shares:
            found.append({
                **row, "attribution_method": method, "workflow_id": workflow, "team_id": teams[workflow],
                **{name: parts[name][workflow] for name in WHOLE},
            })
    return found


def footprint(tables: Tables) -> list[tuple]:
    """The rows of int_footprint__hourly as tuples of COLUMNS, numbers as fractions."""
    sites = {site["site_id"]: site for site in tables["stg_settings__sites"]}
    lines = energy_lines(tables)
    covered = contracts(tables, by_site(lines))
    whole = [
        placed(row, sites.get(row["site_id"]), tables, covered.get((row["site_id"], row["usage_hour_utc"])))
        for row in lines
    ]
    return [tuple(exact(line[name]) if name in NUMBERS else line[name] for name in COLUMNS) for line in whole]


def energy_lines(tables: Tables) -> list[Row]:
    """Every line of energy, before it is placed."""
    return [line for row in attributed(tables) for line in _lines(row, tables)]


def by_site(lines: list[Row]) -> dict[tuple, Fraction]:
    """Known energy of each site and hour."""
    used: dict[tuple, Fraction] = defaultdict(Fraction)
    for line in lines:
        if line["site_id"] and line["energy_kwh"] is not None:
            used[line["site_id"], line["usage_hour_utc"]] += line["energy_kwh"]
    return used


def _lines(row: Row, tables: Tables) -> list[Row]:
    providers = {each["provider"]: each for each in tables["stg_settings__providers"]}
    provider = providers.get(row["provider"], {})
    at_source = {each["source"]: each.get("site_id") for each in tables["stg_settings__sources"]}
    site_id = at_source.get(row["source"]) or provider.get("site_id")
    site = next((each for each in tables["stg_settings__sites"] if each["site_id"] == site_id), None)
    row = {**row, "site_id": site_id}
    if not row["meter_method"]:
        return [{**row, **_estimate(row, tables, provider)}]
    metered = [{**row, **_reading(row, site, tables)}]
    # where no meter read what the machine takes beside its boards, its usual share is added
    if row["meter_method"] not in ("host_residual", "job_counter") and not row["meter_method"].endswith("_host"):
        metered.append(_host_share(metered[0], tables))
    return metered if site is None else [*metered, *(_overhead(each, site, tables) for each in metered)]


def _best(row: Row, tables: Tables, provider: Row) -> Row | None:
    """The factor of the lowest tier that is in force, a supplier's for its own calls; of two, the later one."""
    name = row["provider_canonical"], row["model_canonical"]
    classes = {("size_class", each["size_class"]) for each in tables["stg_settings__models"]
               if (each["provider"], each["model"]) == name}
    money = {("spend", "%")} if provider.get("energy_from") == "spend" else set()
    usable = [
        each for each in tables["factor_set"]
        if (each["provider"], each["model_name"]) in {name} | classes | money
        and (each["gpu_model"] is None or each["gpu_model"] == provider.get("gpu_model"))
        and each["factor_set"] in SETS_IN_FORCE and row["usage_date"] >= each["valid_from"]
        and not each.get("quarantine_reason")
    ] + [
        each for each in tables.get("int_disclosure__factors", ())
        if (each["supplier"], each["provider"], each["model_name"]) == (row["provider"], *name)
        and in_force(each, row["usage_date"]) and not each.get("quarantine_reason")
    ]
    ranks = [*SETS_IN_FORCE, "disclosures"]
    return min(usable, default=None, key=lambda each: (
        each["evidence_tier"], -each["valid_from"].toordinal(), ranks.index(each["factor_set"]), each["factor_id"]))


def _per(factor: Row, kind: str, end: str, mode: str) -> Fraction | None:
    value = exact(factor[f"kwh_per_{kind}{end}"])
    if kind == "output_token" and mode == "batch" and value is not None:
        return rounded(value * Fraction(factor[f"batch_output_ratio{end}"]), 18)
    return value


def _estimate(row: Row, tables: Tables, provider: Row) -> Row:
    none = dict.fromkeys(("factor_id", "evidence_tier", "gap_reason", "energy_kwh_low", "energy_kwh", "energy_kwh_high",
                          "embodied_gco2e", "onsite"))
    if provider.get("energy_from") not in (None, "spend", row["source"]):
        return {**none, "gap_reason": "metered_elsewhere"}
    factor = _best(row, tables, provider)
    none["onsite"] = rounded(exact(factor["wue_onsite_litres_per_kwh"]), 6) if factor else None
    paid = (row["cost_nano_usd"] or 0) * (Fraction(factor["kwh_per_nano_usd"] or 0) if factor else 0)
    if sum(row[use] or 0 for use in USES.values()) + paid <= 0:
        return none
    done = {kind: row[count] for kind, count in COUNTED.items() if (row[count] or 0) > 0}
    found = {**none, "factor_id": factor and factor["factor_id"], "evidence_tier": factor and factor["evidence_tier"]}
    hungriest = {
        kind: max((Fraction(each[f"kwh_per_{kind}_high"]) for each in tables["factor_set"]
                   if each[f"kwh_per_{kind}_high"] is not None), default=None) if kind != "nano_usd" else 0
        for kind in done
    }
    for end in ENDS:
        parts = [(done[kind], _per(factor, kind, end, row["serving_mode"]) if factor else None) for kind in done]
        if end == "_high":  # the unknown is at most as hungry as the hungriest that was ever known
            parts = [(count, hungriest[kind] if value is None else value)
                     for (count, value), kind in zip(parts, done, strict=True)]
        if all(value is not None for _, value in parts):
            found[f"energy_kwh{end}"] = rounded(sum((count * value for count, value in parts), Fraction(0)))
    if factor is None:
        return {**found, "gap_reason": "no_factor", "energy_kwh_low": None, "energy_kwh": None}
    found["gap_reason"] = "no_rule" if found["energy_kwh"] is None else None
    per_request, per_token = (exact(factor[f"embodied_gco2e_per_{kind}"]) for kind in ("request", "output_token"))
    if per_request is not None and per_token is not None:
        found["embodied_gco2e"] = rounded(row["call_count"] * per_request + row["output_tokens"] * per_token)
    return found


def _hardware(tables: Tables, quantity: str) -> Row:
    return next(row for row in tables["gpu_factor"] if row["quantity"] == quantity)


def _reading(row: Row, site: Row | None, tables: Tables) -> Row:
    embodied = rounded(Fraction(_hardware(tables, "embodied_gco2e_per_gpu_second")["value"]) * row["gpu_seconds"])
    found = {"embodied_gco2e": embodied, "onsite": exact(site.get("water_litres_per_kwh")) if site else None,
             "gap_reason": "no_meter", "factor_id": None, "evidence_tier": None,
             "energy_kwh_low": None, "energy_kwh": None,
             "energy_kwh_high": rounded(_rated(row, tables))}
    if row["energy_millijoules"] is None:
        return found
    method, closed, _ = row["meter_method"].partition("_of_closed_host")
    factor = _hardware(tables, "metered_host_ratio" if closed else RATIOS[method.removesuffix("_of_metered_host")])
    kwh = rounded(Fraction(row["energy_millijoules"], 3_600_000_000))  # the reading is a figure of its own
    low, central, high = (Fraction(factor[f"value{end}"]) for end in ENDS)
    if factor["quantity"] == "runtime_fitted_ratio":
        low, high = _fitted(row, tables, low, high)
    found.update(
        gap_reason=None, factor_id=factor["gpu_factor_id"], evidence_tier=factor["evidence_tier"],
        energy_kwh_low=rounded(kwh * low), energy_kwh=rounded(kwh * central), energy_kwh_high=rounded(kwh * high))
    if factor["quantity"] not in ("metered_host_ratio", "host_residual_ratio", "energy_counter_ratio",
                                  "power_integral_ratio"):
        found["energy_kwh_high"] = max(found["energy_kwh_high"], rounded(_rated(row, tables)))
    return found


def _rated(row: Row, tables: Tables) -> Fraction:
    """Power that was not read through is at most the board's rating or the largest, told as a counter would."""
    board = _board(row, tables)
    second = _hardware(tables, "largest_kwh_per_gpu_second")["value"] if board is None else None
    most = Fraction(second) if board is None else Fraction(board["tdp_w"]) / 3_600_000
    return rounded(most * row["gpu_seconds"]) * Fraction(_hardware(tables, "energy_counter_ratio")["value_high"])


def _board(row: Row, tables: Tables) -> Row | None:
    """The rated board whose pattern says most of the model's name; patterns here are a text and %."""
    fitting = [each for each in tables["gpu_model"] if _like(row["model_canonical"], each["gpu_model_pattern"])]
    return max(fitting, key=lambda each: len(each["gpu_model_pattern"]), default=None)


def _like(value: str, pattern: str) -> bool:
    before, wild, after = pattern.partition("%")
    return value.startswith(before) and value.endswith(after) if wild else value == pattern


def _fitted(row: Row, tables: Tables, low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
    """The range of the latest fit in force, never narrower than the default one."""
    fits = [each for each in tables["stg_settings__runtime_proxies"]
            if each["gpu_model"] == row["model_canonical"] and each["valid_from"] <= row["usage_date"]]
    if not fits:
        return low, high
    fit = max(fits, key=lambda each: each["valid_from"])
    return (min(low, rounded(Fraction(fit["low_w"]) / Fraction(fit["fitted_w"]), 6)),
            max(high, rounded(Fraction(fit["high_w"]) / Fraction(fit["fitted_w"]), 6)))


def _host_share(row: Row, tables: Tables) -> Row:
    share, known = _hardware(tables, "host_share_ratio"), row["energy_kwh"] is not None
    return {
        **row, **dict.fromkeys(WHOLE, 0), "energy_line": "idle" if row["energy_line"] == "idle" else "shared",
        "embodied_gco2e": 0,
        "factor_id": share["gpu_factor_id"] if known else None,
        "evidence_tier": share["evidence_tier"] if known else None,
        **{f"energy_kwh{end}": rounded(row[f"energy_kwh{end}"] * Fraction(share[f"value{end}"]))
           if row[f"energy_kwh{end}"] is not None else None for end in ENDS},
    }


def _overhead(row: Row, site: Row, tables: Tables) -> Row:
    default = _hardware(tables, "default_pue_ratio")
    given = site["pue_ratio"]
    known = row["energy_kwh"] is not None
    factor = (f"site/{site['site_id']}/pue", 1)
    if given is None:
        factor = default["gpu_factor_id"], default["evidence_tier"]
    return {
        **row, **dict.fromkeys(WHOLE, 0), "energy_line": "overhead", "embodied_gco2e": 0,
        "onsite": None if row["onsite"] is None else 0,  # a site's water is told per kWh of IT
        "factor_id": factor[0] if known else None, "evidence_tier": factor[1] if known else None,
        **{f"energy_kwh{end}": rounded(
            row[f"energy_kwh{end}"] * (Fraction(default[f"value{end}"] if given is None else given) - 1)
        ) if row[f"energy_kwh{end}"] is not None else None for end in ENDS},
    }
