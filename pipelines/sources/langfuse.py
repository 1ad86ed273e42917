"""Langfuse's generations and embeddings (v2 observations), their tokens by kinds that are apart; no text is kept.

Which provider a model belongs to is not told by Langfuse and declared in jevons.toml; what it is called there is
staging's business. Not established by a primary source, and so checked rather than trusted: whether `input` holds what
`input_cached_tokens` and the like hold (the total tells; without one, kinds are taken to be apart, as Langfuse means
them), and for how long an observation may still change (three days are read again).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pipelines.errors import Finding, SettingError, SourceError
from pipelines.http import Client, RequestRefused, basic
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources._admin_api import Admin, places
from pipelines.sources._bucket_pages import Params, Wire
from pipelines.sources._day_files import shrunk
from pipelines.sources._kept_words import behind, one_word
from pipelines.window import DAY, Window

NAME, SECRET, PUBLIC = "langfuse", "LANGFUSE_SECRET_KEY", "LANGFUSE_PUBLIC_KEY"
PATH = "api/public/v2/observations"
FIELDS = "core,basic,model,usage,trace_context"  # never io, metadata or prompt
TYPES = ("GENERATION", "EMBEDDING")
TEXTS = ("provider", "workflow_tag_prefix")
PAGE_ROWS, QUIET_DAYS = 1000, 30
WIRE = Wire("Langfuse", "fromStartTime", "toStartTime", "cursor", str, lambda value: None, kinds=False)
ADMIN = Admin(
    WIRE, NAME, SECRET, "https://cloud.langfuse.com", lambda key: {}, "the secret key (sk-lf-...) of a project",
    "made in the project's settings", "of the project, with its public key in " + PUBLIC,
)


def client(context: Context) -> Client:
    """The client that carries the project's two keys; SourceError where one is missing or could not be sent."""
    public = (context.settings.secret(PUBLIC) or "").strip()
    if not public:
        raise SourceError("Langfuse was not asked", PUBLIC, "this environment variable is not set",
                          f"set it to the public key (pk-lf-...) that belongs to {SECRET}")

    def headers(secret: str) -> dict[str, str]:
        return {"Authorization": basic(f"{public}:{secret}")}

    return replace(ADMIN, headers=headers).client(context)


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """The observations of each day, page by page.

    Raises:
        SourceError: Langfuse refused, turned in circles, sent another day, or tells of nothing in a month.
    """
    options, asks = _options(context), client(context)
    for day in window.days():
        rows, request = 0, ""
        for kind in TYPES:
            for records, request in _pages(asks, day, kind):
                findings: list[Finding] = []
                found = [row(record, f"{request}, observation {number}", day, options, findings)
                         for number, record in enumerate(records, start=1)]
                rows += len(found)
                yield Page(found, request, findings=tuple(findings))
        if not rows:
            _has_spoken(asks, day)
        yield Page((), request, findings=tuple(shrunk(context, NAME, OBSERVATIONS, day, rows)))


def check(context: Context) -> str:
    """Asks for one observation of one finished day."""
    _options(context)
    asks, day = client(context), Window.of_days("2026-01-01", "2026-01-01")
    asked = [*_asked(day, TYPES[0], "core"), ("limit", "1")]
    try:
        _read(asks.get(PATH, asked), asks.describe(PATH, asked))
    except RequestRefused as error:
        if error.status != 404:
            raise
        raise SourceError("Langfuse has no such address", error.where, error.why,
                          "use Langfuse Cloud, or a Langfuse of your own from v4 on: older ones lack it") from None
    return "Langfuse answers, and the keys may read the project's observations."


def row(
    record: Mapping[str, Any], where: str, day: date, options: Mapping[str, Any], findings: list[Finding]
) -> dict[str, Any]:
    """An observation without anything of its user or content; what does not fit is a finding, or landing's to name."""
    model = one_word(record.get("model"))
    provider = _provider(model, options)
    if model and not provider:
        findings.append(Finding(
            f"{where}, field model", f"nothing says whose model {model!r:.60} is; a vendor may report it too",
            f'name its provider in [sources.{NAME}.providers], as in "{model[:20]}" = "openai", or set `provider`',
            day.isoformat(),
        ))
    if "usageDetails" not in record:
        findings.append(Finding(f"{where}, field usageDetails", "it is not there", WIRE.report, day.isoformat()))
    try:
        tokens = kinds_of_tokens(record.get("usageDetails"))
    except ValueError as wrong:
        findings.append(Finding(f"{where}, field usageDetails", str(wrong), WIRE.report, day.isoformat()))
        tokens = {}
    return {
        "observation_id": record.get("id"), "started_at_utc": _instant(record.get("startTime")),
        "type": record.get("type"), "project_id": one_word(record.get("projectId")), "model": model,
        "provider": provider, "workflow_tag": behind(options.get("workflow_tag_prefix"), record.get("tags")),
        "level": record.get("level"), **tokens, "cost_usd": places(record.get("totalCost"), 9),
    }


def kinds_of_tokens(usage: Any) -> dict[str, int | None]:
    """The tokens of an observation by kinds that are apart; None where nothing is told.

    Raises:
        ValueError: a count is none; says so.
    """
    names = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    if usage is None or usage == {}:
        return dict.fromkeys(names)
    if not isinstance(usage, dict):
        raise ValueError("it is no object")
    sums = {"input": 0, "output": 0, "cached": 0, "written": 0, "inputs": 0, "reasoning": 0, "outputs": 0}
    told = set()
    for name, count in usage.items():
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise ValueError(f"{name[:40]!r} is no count of tokens")
        if kind := _kind(name.lower()):
            told.add(kind)
            sums[kind] += count
    details = sums["cached"] + sums["written"] + sums["inputs"] + sums["reasoning"] + sums["outputs"]
    fresh, output = sums["input"], sums["output"]
    if details and usage.get("total") == fresh + output:  # then what is told in detail is part of these two
        fresh -= sums["cached"] + sums["written"]
    else:
        fresh, output = fresh + sums["inputs"], output + sums["reasoning"] + sums["outputs"]
    if fresh < 0:
        raise ValueError("its details are more than their sum")
    return dict(zip(names, (
        fresh, sums["cached"], sums["written"], output, sums["reasoning"] if "reasoning" in told else None,
    ), strict=True))


def _kind(name: str) -> str | None:
    """What a count is of, by its free name; None for sums and for what is neither input nor output."""
    if name in ("input", "prompt_tokens", "input_tokens"):
        return "input"
    if name in ("output", "completion_tokens", "output_tokens"):
        return "output"
    if "cache" in name:
        return "written" if "creat" in name or "write" in name else "cached"
    if "reasoning" in name:
        return "reasoning"
    return "inputs" if name.startswith("input_") else "outputs" if name.startswith("output_") else None


def _pages(asks: Client, day: date, kind: str) -> Iterator[tuple[list[Mapping[str, Any]], str]]:
    """Each page of a day's observations of one type, until Langfuse gives no further cursor."""
    asked: Params = [*_asked(Window(day, day + DAY), kind, FIELDS), ("limit", str(PAGE_ROWS))]
    seen: set[str] = set()
    cursors: set[str] = set()
    params = asked
    while True:
        request = asks.describe(PATH, asked)
        records, cursor = _read(asks.get(PATH, params), request)
        for record in records:
            at = _instant(record.get("startTime"))
            if not isinstance(at, datetime) or at.date() != day or record.get("type") != kind:
                told = f"{at:%Y-%m-%d %H:%M:%S} UTC" if isinstance(at, datetime) else "no instant"
                raise SourceError("Langfuse sent an observation that was not asked for", request,
                                  f"it is of {told}, of type {str(record.get('type'))[:20]}", WIRE.report)
        ids = {str(record.get("id")) for record in records}
        if (records or cursor) and ids <= seen:
            raise SourceError("Langfuse's pages do not end", request, "a page held nothing new", WIRE.report)
        seen |= ids
        yield records, request
        if not cursor:
            return
        if cursor in cursors:
            raise SourceError("Langfuse's pages turn in a circle", request, "a cursor came twice", WIRE.report)
        cursors.add(cursor)
        params = [*asked, ("cursor", cursor)]


def _has_spoken(asks: Client, day: date) -> None:
    """A day without generations is believed where there was one in the month before.

    Raises:
        SourceError: there was none, which cannot be told apart from an answer that went wrong.
    """
    month = Window(day - timedelta(days=QUIET_DAYS), day + DAY)
    asked = [*_asked(month, TYPES[0], "core"), ("limit", "1")]
    request = asks.describe(PATH, asked)
    if not _read(asks.get(PATH, asked), request)[0]:
        raise SourceError(
            "Langfuse tells of nothing at all", request, f"in {QUIET_DAYS} days there is no generation",
            f"look whether {SECRET} is of the right project, or switch off sources.{NAME}",
        )


def _asked(window: Window, kind: str, fields: str) -> Params:
    return [("fields", fields), ("type", kind), ("fromStartTime", f"{window.first}T00:00:00Z"),
            ("toStartTime", f"{window.end}T00:00:00Z")]


def _read(body: Any, request: str) -> tuple[list[Mapping[str, Any]], str | None]:
    """The records of a page, and the cursor of the next one or None."""
    records, meta = (body.get("data"), body.get("meta")) if isinstance(body, dict) else (None, None)
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise WIRE.misshapen(request, "it holds no list `data` of observations")
    cursor = meta.get("cursor") if isinstance(meta, dict) else "?"
    if not isinstance(meta, dict) or not isinstance(cursor, str | None):
        raise WIRE.misshapen(request, "it does not say in `meta` whether there is more")
    return records, cursor or None


def _provider(model: str | None, options: Mapping[str, Any]) -> str | None:
    """The provider that is declared for the longest beginning of the model's name, else the one for all."""
    declared = options.get("providers", {})
    named = max((begin for begin in declared if model and model.startswith(begin)), key=len, default=None)
    return declared[named] if named is not None else options.get("provider")


def _options(context: Context) -> Mapping[str, Any]:
    options = context.options(NAME)
    providers = options.get("providers", {})
    wrong = None
    if not isinstance(providers, Mapping) or not all(isinstance(name, str) for name in providers.values()):
        wrong = ("`providers` is no section of names",
                 f'write [sources.{NAME}.providers] and "gpt-" = "openai" below it')
    elif unwritten := [name for name in TEXTS if not isinstance(options.get(name, ""), str)]:
        wrong = f"`{unwritten[0]}` is no text", "put it in quotes"
    elif not providers and not options.get("provider"):
        wrong = ("nothing says whose the models are, and Langfuse does not either",
                 f'write provider = "openai", or name the beginnings of models in [sources.{NAME}.providers]')
    if wrong:
        raise SettingError(NAME, "", *wrong)
    return options


def _instant(value: Any) -> Any:
    """The instant in UTC; what is none stays as it is, for landing to name."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        return at.astimezone(UTC) if at and at.tzinfo else value
    except (ValueError, OverflowError):
        return value


def _count(name: str, description: str) -> Column:
    return Column(name, "BIGINT", description, minimum=0)


OBSERVATIONS = Table(
    "observations",
    (
        Column("observation_id", "VARCHAR", "Id of the observation.", True),
        Column("started_at_utc", "TIMESTAMP", "When it started.", True),
        Column("type", "VARCHAR", "GENERATION or EMBEDDING.", True, allowed=TYPES),
        Column("project_id", "VARCHAR", "Langfuse's project."),
        Column("model", "VARCHAR", "Model as the traced program names it; null where it names none."),
        Column("provider", "VARCHAR", "Who runs the model, as jevons.toml declares it."),
        Column("workflow_tag", "VARCHAR", "What stands behind workflow_tag_prefix in a tag of the trace."),
        Column("level", "VARCHAR", "ERROR where the call failed.", allowed=("DEBUG", "DEFAULT", "WARNING", "ERROR")),
        _count("input_tokens", "Input tokens of no cache; null where no usage is told."),
        _count("cached_tokens", "Input tokens read from a cache; null where no usage is told."),
        _count("cache_write_tokens", "Input tokens written to a cache; null where no usage is told."),
        _count("output_tokens", "Output tokens, reasoning included; null where no usage is told."),
        _count("reasoning_tokens", "Output tokens of reasoning; null where not told."),
        Column("cost_usd", "DECIMAL(18,9)", "Cost as Langfuse reckons it."),
    ),
    ("observation_id",), fetch, "Generations and embeddings, one row each, without user or content.",
    lambda row: row["started_at_utc"].date(), ("started_at_utc", "observation_id"),
)

SOURCE = Source(
    NAME, (OBSERVATIONS,), "Langfuse's traces: the calls of models in them.", SECRET, restate_days=3,
    options=("base_url", "site", "provider", "providers", "workflow_tag_prefix"),
    personal=("userId", "sessionId", "name", "statusMessage", "tags", "modelParameters", "traceName"), check=check,
)
