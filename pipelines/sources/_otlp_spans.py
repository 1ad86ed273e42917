"""Model calls out of files of OTLP/JSON traces, by one DuckDB query that stops at the first thing that may not pass.

Which names count is said in `_otlp_words`; what is done about a file at which the query stops, in `_otlp_reading`.
"""

from collections.abc import Sequence

from pipelines import engine
from pipelines.sources._files import Given
from pipelines.sources._otlp_words import (
    CLAUDE_CODE_SPAN,
    HIDDEN,
    LONGEST_TEXT,
    OPENINFERENCE_CALLS,
    OPENLLMETRY_CALLS,
    OTHER,
    PERSONAL,
    RESOURCE,
    TEXTS,
    TOKENS,
    VENDOR_SCOPES,
    WHOLE,
    WHOLE_AS_DECIMAL,
    Words,
)

LONGEST_PAYLOAD_BYTES = 32 << 20
LONGEST_CALL_NS = 10**15
KEPT = ("operation", "provider", "model", "service_name", "pod", "node", "workflow_tag", "vendor_request_id")

_VALUE = "STRUCT(stringValue VARCHAR, intValue VARCHAR, doubleValue VARCHAR)"
_ATTRIBUTES = f"STRUCT(key VARCHAR, value {_VALUE})[]"
_SPANS = (
    "STRUCT(traceId VARCHAR, spanId VARCHAR, name VARCHAR, startTimeUnixNano VARCHAR, endTimeUnixNano VARCHAR, "
    f"attributes {_ATTRIBUTES}, status STRUCT(code VARCHAR))[]"
)
COLUMNS = {
    "resourceSpans": f"STRUCT(resource STRUCT(attributes {_ATTRIBUTES}), "
                     f"scopeSpans STRUCT(scope STRUCT(name VARCHAR), spans {_SPANS})[])[]",
    "resourceMetrics": "JSON[]",
    "resourceLogs": "JSON[]",
}


def reader(files: Sequence[Given], lines: bool, columns: dict[str, str] = COLUMNS) -> str:
    """SQL: the payloads of the files, which are all packed alike; one a line, or else one document after the other."""
    paths = ", ".join(engine.text(file.path) for file in files)
    typed = ", ".join(f"{name}: {engine.text(kind)}" for name, kind in columns.items())
    return f"""read_json([{paths}], format = '{'newline_delimited' if lines else 'unstructured'}',
        compression = {engine.text(files[0].packed)}, maximum_object_size = {LONGEST_PAYLOAD_BYTES},
        columns = {{{typed}}})"""


def calls_query(files: Sequence[Given], lines: bool, words: Words) -> str:
    """SQL: the columns of the table, `kind` (call or unheard) and `file_day`."""
    day = f"date '{files[0].day}'" if files[0].day else "null::date"
    texts = ", ".join(f"{_first(names, 'names', 'texts')} as {name}" for name, names in TEXTS.items())
    tokens = ", ".join(f"{_first(names, 'names', 'texts')} as {name}" for name, names in TOKENS.items())
    of_resource = ", ".join(
        f"{_first(names, 'resource_names', 'resource_texts')} as {name}" for name, names in RESOURCE.items())
    workflow = f"coalesce({_first((words.workflow,), 'names', 'texts')}, " \
               f"{_first((words.workflow,), 'resource_names', 'resource_texts')})"
    told = " or ".join(f"{name} is not null" for name in TOKENS)
    whole = ", ".join(f"{_whole(name)} as {name}" for name in TOKENS)
    return f"""
        with payloads as (
            select resourceSpans from {reader(files, lines)}
            where resourceSpans is not null or resourceMetrics is not null or resourceLogs is not null
                or error('refused')::boolean
        ),
        resources as (select unnest(resourceSpans) as r from payloads),
        scopes as (
            select {_names('r.resource.attributes')} as resource_names,
                {_texts('r.resource.attributes')} as resource_texts, unnest(r.scopeSpans) as s
            from resources
        ),
        spans as (select resource_names, resource_texts, s.scope.name as scope, unnest(s.spans) as span from scopes),
        named as (
            select span.traceId as trace_id, span.spanId as span_id, span.startTimeUnixNano as start_ns,
                span.endTimeUnixNano as end_ns, span.name as name, span.status.code as status_code,
                {_names('span.attributes')} as names, {_texts('span.attributes')} as texts,
                resource_names, resource_texts, scope
            from spans
        ),
        told as (
            select trace_id, span_id, start_ns, end_ns, name, scope, {texts}, {tokens}, {of_resource},
                {workflow} as workflow_tag,
                coalesce(status_code in ('2', 'STATUS_CODE_ERROR'), false) as status_failed
            from named
        ),
        sorted as (
            select *, status_failed or error_type is not null as failed, case
                when operation is not null then case
                    when {_among('lower(operation)', words.inference)} then 'call'
                    when ({told}) and not {_among('lower(operation)', OTHER)} then 'unheard' end
                when openinference_kind is not null
                    then case when {_among('lower(openinference_kind)', OPENINFERENCE_CALLS)} then 'call' end
                when openllmetry_type is not null
                    then case when {_among('lower(openllmetry_type)', OPENLLMETRY_CALLS)} then 'call' end
                when openllmetry_kind is not null then null
                when name = {engine.text(CLAUDE_CODE_SPAN)} then 'call'
                when provider is not null and model is not null
                    and ({told} or status_failed or error_type is not null) then 'call' end as kind
            from told
        ),
        -- not a filter: DuckDB would look for every attribute once more beneath it
        kept as (
            select * replace (coalesce(provider, case when name = {engine.text(CLAUDE_CODE_SPAN)} then 'anthropic' end)
                as provider)
            from (select unnest(case when kind is not null then [sorted] end, max_depth := 2) from sorted)
        ),
        typed as (
            select * replace ({whole}), try_cast(start_ns as bigint) as started, try_cast(end_ns as bigint) as ended,
                regexp_matches(concat({', '.join(KEPT)}), '[\\x00-\\x1f{{\\[@?]')
                    or length(concat({', '.join(KEPT)})) > {LONGEST_TEXT} as odd,
                not coalesce(name = {engine.text(CLAUDE_CODE_SPAN)} or {_among('scope', words.excluding)}, false)
                    as input_includes_cached
            from kept
        )
        select {_id('trace_id', 32)} as trace_id, {_id('span_id', 16)} as span_id,
            case when ended > 0 and ended::varchar = end_ns then make_timestamp(ended // 1000)
                else error('refused')::timestamp end as ended_at_utc,
            case when started > 0 and started::varchar = start_ns and started <= ended
                and ended - started < {LONGEST_CALL_NS}
                then cast(cast((ended - started) // 1000000 as decimal(15, 0)) / 1000 as decimal(12, 3))
                end as duration_seconds,
            {', '.join(f'case when not odd then {name} else {_impersonal(name)} end as {name}' for name in KEPT)},
            {_among('scope', VENDOR_SCOPES)} as vendor_side,
            input_tokens,
            case when input_includes_cached and coalesce(cached_input_tokens, 0) + coalesce(cache_write_input_tokens, 0)
                > coalesce(input_tokens, 9223372036854775807) then error('refused')::bigint
                else cached_input_tokens end as cached_input_tokens,
            cache_write_input_tokens, output_tokens,
            case when reasoning_output_tokens > output_tokens then error('refused')::bigint
                else reasoning_output_tokens end as reasoning_output_tokens,
            input_includes_cached, if(failed, 'error', 'ok') as status, kind, {day} as file_day
        from typed
    """


def _names(attributes: str) -> str:
    return f"list_transform({attributes}, lambda a: a.key)"


def _texts(attributes: str) -> str:
    return f"list_transform({attributes}, lambda a: " \
           "nullif(coalesce(a.value.stringValue, a.value.intValue, a.value.doubleValue), ''))"


def _first(names: Sequence[str], keys: str, texts: str) -> str:
    found = ", ".join(f"{texts}[list_position({keys}, {engine.text(name)})]" for name in names)
    return f"coalesce({found})" if len(names) > 1 else found


def _id(name: str, digits: int) -> str:
    # unhex stops the query itself where it meets anything but digits
    whole = f"length({name}) = {digits} and octet_length(unhex({name})) > 0 and {name} <> '{'0' * digits}'"
    return f"case when {whole} then lower({name}) else error('refused') end"


def _whole(name: str) -> str:
    return f"case when {name} is null then null when regexp_full_match({name}, '{WHOLE}') then {name}::bigint " \
           f"when regexp_full_match({name}, '{WHOLE_AS_DECIMAL}') then split_part({name}, '.', 1)::bigint " \
           "else error('refused')::bigint end"


def _impersonal(name: str) -> str:
    return f"case when {name} <> '{HIDDEN}' and length({name}) <= {LONGEST_TEXT} " \
           f"and not regexp_matches({name}, {engine.text(PERSONAL)}) then {name} end"


def _among(expression: str, words: Sequence[str]) -> str:
    """SQL: whether it is one of the words, without the join that DuckDB makes of a long `in`."""
    return f"coalesce(list_contains([{', '.join(map(engine.text, words))}]::varchar[], {expression}), false)"
