"""SQL over Google Cloud's own billing export (standard or detailed usage cost), whose records become FOCUS charges.

BigQuery gives these tables as JSON lines or Parquet (as CSV it refuses nested columns). A record is a charge, and each
of its credits one more, of the same service and hours and without a quantity. Which charges are of AI, and what they
add up to, is not said here. UNVERIFIED: what a SKU counts, which its name alone tells. Those that say tokens, or text
that goes in and comes out, are read as tokens of the Gemini model that they name; of all others the cost alone counts.
"""

import duckdb

from pipelines import engine
from pipelines.sources._files import Given, refused
from pipelines.sources._scans import json_lines

NEEDED = ["service", "sku", "usage_start_time", "usage_end_time", "cost", "currency"]
EXPORTED, MODEL, KIND = "x_ExportTime", "x_JevonsModel", "x_JevonsTokens"
KINDS = {  # by the name of a SKU, the first that fits
    "storage|tuning|ground": None,  # hours and questions
    "cached (input |content )?token count|token count .*caching|(input text|text input) caching": "cached_input",
    "input token count|text input .*- (batch )?predictions": "input",
    "output token count|text output .*- (batch )?predictions": "output",
}
GEMINI = "gemini[ -][0-9.]+[ -](flash[ -]lite|flash|pro)( preview)?"
OTHERS = "(flash|pro) (preview )?(image|native|live|tts|computer)"  # models of their own, or pictures that go into one

_SKU = "lower(json_extract_string(line, '$.sku.description'))"
_FIELDS = {
    "BillingCurrency": "$.currency", "ChargePeriodStart": "$.usage_start_time", "ChargePeriodEnd": "$.usage_end_time",
    "ServiceName": "$.service.description", "SkuId": "$.sku.id", "SkuMeter": "$.sku.description",
    "BillingAccountId": "$.billing_account_id", "SubAccountId": "$.project.id", "RegionId": "$.location.region",
    "ConsumedUnit": "$.usage.unit", "ResourceId": "$.resource.global_name", EXPORTED: "$.export_time",
}


def is_google(file: Given, header: dict[str, str]) -> bool:
    """Whether the file is such an export, and not one in FOCUS' columns."""
    return file.format == "jsonl" or {"usage_start_time", "sku"} <= header.keys()


def charges(duck: duckdb.DuckDBPyConnection, file: Given, names: list[str]) -> str:
    """A query for `record` and the named fields of FOCUS, as text.

    Raises:
        SourceError: a line is no record of a billing export.
    """
    parquet = f"select row_number() over () as record, to_json(export)::varchar as line " \
              f"from read_parquet({engine.text(file.path)}) as export"
    lines = f"select * from ({json_lines([file]) if file.format == 'jsonl' else parquet}) where trim(line) <> ''"
    odd = duck.execute(f"""
        select record, json_valid(line) from ({lines})
        where not json_valid(line) or not list_has_all(json_keys(if(json_valid(line), line, '{{}}')), {NEEDED})
            or json_type(line, '$.credits') not in ('ARRAY', 'NULL')
        order by record limit 1
    """).fetchone()
    if odd:
        raise refused(f"{file.shown}, record {odd[0]}",
                      "it has not the columns of Google Cloud's billing export" if odd[1] else "it is not whole JSON",
                      "export the table as it is, or name only billing files in path")
    kinds = " ".join(f"when regexp_matches({_SKU}, '{name}') then {engine.text(kind) if kind else 'null'}"
                     for name, kind in KINDS.items())
    amount = "case when credit is null then json_extract_string(line, '$.cost') " \
             "else json_extract_string(credit, '$.amount') end"
    fields = {name: f"json_extract_string(line, '{path}')" for name, path in _FIELDS.items()} | {
        "BilledCost": amount, "EffectiveCost": amount, "Tags": _tags(),
        "ServiceCategory": "'not told'", "ProviderName": "'Google Cloud'",
        "ChargeCategory": "case when credit is not null then 'Credit' else case json_extract_string(line, "
                          "'$.cost_type') when 'regular' then 'Usage' when 'tax' then 'Tax' else 'Adjustment' end end",
        "ConsumedQuantity": "case when credit is null then json_extract_string(line, '$.usage.amount') end",
        KIND: f"case when credit is null then case {kinds} end end",
        MODEL: f"case when not regexp_matches({_SKU}, '{OTHERS}') "
               f"then nullif(replace(regexp_extract({_SKU}, '{GEMINI}'), ' ', '-'), '') end",
    }
    return f"""
        select record, {', '.join(f"{fields.get(name, 'null::varchar')} as {name}" for name in names)}
        from (
            select record, line, null::varchar as credit from ({lines})
            union all
            select record, line, unnest(json_extract(line, '$.credits[*]'))::varchar as credit from ({lines})
        )
    """


def _tags() -> str:
    """SQL: the labels of the use, then those of its project, as one object; FOCUS has tags so."""
    pairs = "list_concat(json_extract(line, '$.labels[*]'), json_extract(line, '$.project.labels[*]'))"
    key, value = (f"to_json(json_extract_string(pair, '$.{name}'))::varchar" for name in ("key", "value"))
    return f"'{{' || array_to_string(list_transform({pairs}, lambda pair: {key} || ':' || {value}), ',') || '}}'"
