"""Where a line's carbon and water come from, in fractions: the grid's ladder, contracts by hour, scopes.

Written from the descriptions of the columns; which energy a line has belongs to `ledger_oracle`.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any

HOUR = timedelta(hours=1)
NANO = 10**9
ENDS = ("_low", "", "_high")
SOURCES = ("grid_file", "electricity_maps", "neso")  # the preferred one first
ALONE = ("grid_file", "neso")  # of which a direct value without a whole one is an intensity
Row = dict[str, Any]
Tables = dict[str, list[Row]]


def rounded(value: Fraction | None, digits: int = 9) -> Fraction | None:
    """Half away from zero, once."""
    if value is None:
        return None
    size = Fraction(floor(abs(value) * 10**digits + Fraction(1, 2)), 10**digits)
    return size if value >= 0 else -size


def controlled(site: Row, tables: Tables) -> str:
    """What was said, else own where a meter of the organisation stands."""
    metered = {row.get("site_id") for row in tables["stg_settings__sources"]} | {
        row["site_id"] for row in tables["stg_settings__providers"] if row.get("energy_from") not in (None, "spend")}
    return site.get("control") or ("own" if site["site_id"] in metered else "vendor")


def intensity(site: Row | None, hour: datetime, tables: Tables) -> Row:
    """The best intensity that is known for the hour, with its range and its provenance."""
    unknown = {"grid_rung": "unknown", "direct_gap_reason": "no_intensity", **dict.fromkeys(
        ("grid_source", "grid_boundary", "grid_factor_id", *ENDS, *(f"direct{end}" for end in ENDS)))}
    if site is None:
        return unknown
    pin = site.get("grid_pin")  # to one source: where that has nothing, nothing is known
    hourly = [each for each in _told(site["zone"], hour, tables) if pin in (None, each["grid_source"])]
    whole = [each for each in hourly if each["grid_boundary"] == "lifecycle"]
    alone = [each for each in hourly if pin in ALONE]  # only who is pinned to it takes what is direct alone
    yearly = [each for each in tables["grid_yearly"] if each["zone_country"] == site["country"]]
    yearly = yearly if pin in (None, "yearly_mix") else []
    direct, reason = None, "lifecycle_only"
    if whole or alone:
        found = min(whole or alone, key=lambda each: (SOURCES.index(each["grid_source"]), each["publisher"]))
        rung, source = "hourly_estimated" if found["is_estimated"] else "hourly_measured", found["grid_source"]
        named = source if found["publisher"] == source else f"{source}/{found['publisher']}"
        name = f"{named}/{found['zone']}/{found['grid_boundary']}"
        part = [Fraction(each["gco2e_per_kwh"]) for each in hourly if each["grid_boundary"] == "direct"
                and (each["grid_source"], each["publisher"]) == (source, found["publisher"])]
        reason = "not_delivered" if whole else "direct_only"
        if part and whole:
            known = part[0] <= found["gco2e_per_kwh"]
            direct, reason = (part[0], None) if known else (None, "above_lifecycle")
    elif yearly:
        (found,) = yearly
        rung, source, name = "yearly_mix", found["grid_source"], found["grid_factor_id"]
    else:
        return unknown
    central, off = Fraction(found["gco2e_per_kwh"]), _rung(tables, rung)
    return {
        "grid_rung": rung, "grid_source": source, "grid_boundary": found["grid_boundary"], "grid_factor_id": name,
        "_low": rounded(central * Fraction(off["low_ratio"]), 6), "": central,
        "_high": rounded(central * Fraction(off["high_ratio"]), 6),
        "direct_gap_reason": reason, "direct": direct,
        **{f"direct{end}": None if direct is None else rounded(direct * Fraction(off[f"{end[1:]}_ratio"]), 6)
           for end in ("_low", "_high")},
    }


def _told(zone: str, hour: datetime, tables: Tables) -> list[Row]:
    """What each source tells of the hour, by boundary; the mean of two half-hours where both are there."""
    told = [{**each, "grid_source": "electricity_maps", "publisher": "electricity_maps"}
            for each in tables["stg_electricity_maps__carbon_intensity"]
            if (each["zone"], each["usage_hour_utc"]) == (zone, hour)]
    told += [{**each, "grid_source": "grid_file", "is_estimated": each["is_estimated"] is not False}
             for each in tables["raw_grid_file__intensity"] if (each["zone"], each["hour_utc"]) == (zone, hour)]
    halves = [Fraction(each["actual_gco2_per_kwh"]) for each in tables["raw_neso__intensity"]
              if hour <= each["start_utc"] < hour + HOUR and zone == "GB"]
    if len(halves) == 2:
        told.append({"zone": zone, "gco2e_per_kwh": rounded(sum(halves) / 2, 6), "grid_boundary": "direct",
                     "is_estimated": True, "grid_source": "neso", "publisher": "neso"})
    return told


def dirtiest(tables: Tables) -> Fraction:
    """The high end of the dirtiest yearly mix, in force or not."""
    most = max(Fraction(each["gco2e_per_kwh"]) for each in tables["grid_yearly"])
    return rounded(most * Fraction(_rung(tables, "unknown")["high_ratio"]), 6)


def _rung(tables: Tables, name: str) -> Row:
    return next(row for row in tables["grid_rung"] if row["grid_rung"] == name)


def _given(instrument: Row, hour: datetime) -> int:
    """Billionths of a kWh that an instrument has for the hour: flat over its period, nothing lost to rounding."""
    whole = Fraction(instrument["mwh"]) * 1000 * NANO
    hours = (instrument["period_end_utc"] - instrument["period_start_utc"]) // HOUR
    index = (hour - instrument["period_start_utc"]) // HOUR
    return floor(whole * (index + 1) / hours) - floor(whole * index / hours)


def _pool(tables: Tables, hour: datetime, **place: str) -> tuple[int, Fraction, Row]:
    """What the instruments of a place have together, their mean intensity, and the rates for what they leave."""
    here = [each for each in tables["stg_instruments__instruments"]
            if each["period_start_utc"] <= hour < each["period_end_utc"]
            and all(each.get(name) == value for name, value in place.items())]
    amounts = [(_given(each, hour), Fraction(each["gco2e_per_kwh"])) for each in here if each["mwh"] is not None]
    total = sum(amount for amount, _ in amounts)
    mean = rounded(sum(amount * rate for amount, rate in amounts) / Fraction(total), 6) if total else Fraction(0)
    return total, mean, {each["instrument_kind"]: Fraction(each["gco2e_per_kwh"]) for each in here
                         if each["mwh"] is None}


def contracts(tables: Tables, used: dict[tuple[str, datetime], Fraction]) -> dict[tuple[str, datetime], Row]:
    """What covers each site's hour, in billionths of a kWh, and the intensity that it comes to."""
    sites = {site["site_id"]: site for site in tables["stg_settings__sites"]}
    found: dict[tuple[str, datetime], Row] = {}
    left: dict[tuple, int] = defaultdict(int)
    for (name, hour), kwh in used.items():
        site, energy = sites[name], int(kwh * NANO)
        has, mean, rates = _pool(tables, hour, site_id=name)
        tariff = rates.get("supplier_tariff", site.get("market_gco2e_per_kwh"))
        own = min(energy, has)
        group = hour, site["market_boundary"], controlled(site, tables) != "vendor"
        found[name, hour] = {"energy": energy, "own": own, "mean": mean, "tariff": tariff, "group": group,
                             "left": energy - own if tariff is None else 0}
        left[group] += found[name, hour]["left"]
    for row in found.values():
        hour, market, coverable = row["group"]
        has, mean, rates = _pool(tables, hour, market_boundary=market)
        all_left = left[row["group"]]
        covered = min(all_left, has) if coverable else 0
        rest, residual = all_left - covered, rates.get("residual_mix")
        row.update(market_left=all_left, market_covered=covered, residual=0 if residual is None else rest,
                   unknown=rest if residual is None else 0, rate=None)
        if not row["energy"] or (row["left"] and row["unknown"]):
            continue
        rate = rounded((covered * mean + rest * (residual or 0)) / Fraction(all_left), 6) if all_left else 0
        taxed = row["energy"] - row["own"] - row["left"]
        row["rate"] = rounded((row["own"] * row["mean"] + taxed * Fraction(row["tariff"] or 0) + row["left"] * rate)
                              / Fraction(row["energy"]), 6)
    return found


def placed(row: Row, site: Row | None, tables: Tables, covered: Row | None) -> Row:
    """With the carbon and the water of the place and the hour."""
    grid, bound = intensity(site, row["usage_hour_utc"], tables), dirtiest(tables)
    known = row["energy_kwh"] is not None
    market = covered["rate"] if covered and known else None
    yearly = [each for each in tables["grid_yearly"] if site and each["zone_country"] == site["country"]]
    offsite = yearly[0]["water_litres_per_kwh"] if yearly else None
    control = controlled(site, tables) if site else "own" if row["meter_method"] else "vendor"

    def times(name: str, rate: Any) -> Fraction | None:
        return None if row[name] is None or rate is None else rounded(row[name] * Fraction(rate))

    on, off = times("energy_kwh", row["onsite"]), times("energy_kwh", offsite)
    return {
        **row, "grid_zone": site["zone"] if site else None,
        **{name: grid[name] if known else None for name in ("grid_rung", "grid_source", "grid_boundary",
                                                            "grid_factor_id", "direct_gap_reason")},
        "ghg_scope": 2 if control == "own" else 3,
        "scope3_category": {"own": None, "leased": 8, "vendor": 1}[control],
        "location_gco2e_low": times("energy_kwh_low", grid["_low"]), "location_gco2e": times("energy_kwh", grid[""]),
        "location_gco2e_high": times(
            "energy_kwh_high", bound if not known or grid["_high"] is None else grid["_high"]),
        "location_direct_gco2e_low": times("energy_kwh_low", grid["direct_low"]) if known else None,
        "location_direct_gco2e": times("energy_kwh", grid["direct"]),
        "location_direct_gco2e_high": times("energy_kwh_high", next(
            (end for end in (grid["direct_high"], grid["_high"]) if known and end is not None), bound)),
        "market_gco2e_low": times("energy_kwh_low", market), "market_gco2e": times("energy_kwh", market),
        "market_gco2e_high": times("energy_kwh_high", bound if market is None else market),
        "water_onsite_litres": on, "water_offsite_litres": off,
        "water_litres": None if on is None or off is None else on + off,
    }
