"""The database's own refusal to loosen a ceiling: triggers that know the rule, and keep what was tried.

The same rule in Python, with sentences for people, belongs in `ceilings`; guards of the other tables in `store`.

The triggers hold against every statement that inserts, changes or deletes a row, whoever sends it: not against a
statement that drops a table or a trigger, nor against whoever edits the file. SQLite keeps decimals as text: there a
limit must be written with nine decimals and no leading zero, so that the longer text is the larger number, and of two
of one length the one that sorts later. That is exact; as numbers they would be compared as floats.
"""

import hashlib

from pipelines.registry.drafts import METRICS, PERIMETER_TYPES
from pipelines.registry.enclosing import Enclosing, country

APPEND_ONLY = "the registry is append-only: {0} may not be changed or deleted, record a new version"
TABLE = "ceilings"
SCOPE = ("ceiling_id", "perimeter_type", "perimeter_id", "metric", "period_start", "period_end", "limit_quantity")

_IDS = ("ceiling_id", "perimeter_type", "perimeter_id", "metric")


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _rules(dialect: str, table: str) -> list[tuple[str, str]]:
    """Conditions on `new` that refuse it, each with what is told, in the order in which they are looked at.

    Each may lean on those before it: once an id, a day and a limit are written as they should be, text compares well.
    """
    lite = dialect == "sqlite"
    differs = "is not" if lite else "is distinct from"

    def place(row: str) -> str:
        return (
            f"case when {row}.perimeter_type = 'country' then {country(lite, f'{row}.perimeter_id')}"
            f" else {row}.perimeter_id end"
        )

    def some(condition: str) -> str:
        return f"exists (select 1 from {table} as old_row where {condition})"

    same_id = "old_row.ceiling_id = new.ceiling_id"
    other_subject = (
        f"old_row.perimeter_type <> new.perimeter_type or old_row.metric <> new.metric or {place('old_row')} <>"
        f" {place('new')}"
    )
    newest = f"from {table} as old_row where {same_id}"
    around = Enclosing(lite, table.removesuffix(TABLE))
    if lite:
        higher = (
            "length(new.limit_quantity) > length(old_row.limit_quantity)"
            " or (length(new.limit_quantity) = length(old_row.limit_quantity)"
            " and new.limit_quantity > old_row.limit_quantity)"
        )
        ends = [f"date(new.period_start, '+{months} months')" for months in (1, 3, 12)]
        first_day = "substr(new.period_start, 9) = '01'"
        malformed = _malformed_text()
        replacing = some(
            "old_row.row_id = new.row_id or old_row.supersedes = new.supersedes"
            f" or ({same_id} and old_row.version = new.version)"
        )
    else:
        higher = "new.limit_quantity > old_row.limit_quantity"
        ends = [f"(new.period_start + interval '{months} months')::date" for months in (1, 3, 12)]
        first_day = "extract(day from new.period_start) = 1"
        malformed = " or ".join((
            "new.limit_quantity is null or new.limit_quantity = 'NaN' or new.limit_quantity < 0",
            "new.period_start is null or new.period_end is null"
            " or not isfinite(new.period_start) or not isfinite(new.period_end)",
            *(f"new.{name} is null or new.{name} !~ '^[A-Za-z0-9._:-]+$'" for name in _IDS),
        ))
        replacing = some(
            f"old_row.row_id = new.row_id or ({same_id} and old_row.version = new.version)"
        )
    return [
        (replacing, APPEND_ONLY.format(TABLE)),
        (malformed, "a ceiling has ids without spaces, days written YYYY-MM-DD and a limit of at least 0, in SQLite"
                    " as text with nine decimals"),
        (
            f"new.perimeter_type not in ({_listed(PERIMETER_TYPES)}) or new.metric not in ({_listed(METRICS)})"
            " or (new.perimeter_type = 'organisation' and new.perimeter_id <> 'organisation')"
            " or (new.perimeter_type = 'country' and length(new.perimeter_id) <> 3)",
            "no account is computed for that perimeter or in that metric",
        ),
        (some(f"{same_id} and ({other_subject})"), "a ceiling cannot be moved to another perimeter or metric"),
        (
            some(f"{same_id} and (old_row.period_start <> new.period_start or old_row.period_end <> new.period_end)"),
            "a ceiling is never re-dated",
        ),
        (
            some(
                f"old_row.ceiling_id <> new.ceiling_id and not ({other_subject})"
                " and old_row.period_start < new.period_end and new.period_start < old_row.period_end"
            ),
            "another ceiling already binds that perimeter and metric in that period",
        ),
        (some(f"{same_id} and ({higher})"), "a ceiling is never raised"),
        (
            f"new.version {differs} (select coalesce(max(old_row.version), 0) + 1 {newest})"
            f" or new.supersedes {differs} (select old_row.row_id {newest} order by old_row.version desc limit 1)",
            "a version follows the newest one of its id and supersedes it",
        ),
        (
            f"not {some(same_id)} and not ({first_day} and new.period_end in ({', '.join(ends)}))",
            "a period is a month, a quarter or a year, from the first day of a month",
        ),
        (f"not {some(same_id)} and ({around.unknown()})", "the registry knows no such perimeter"),
        (around.handed_out(), "the ceilings below it sum to more than it"),
        (
            f"not {some(same_id)} and {around.too_much()}",
            "with it the ceilings below the one that encloses it would sum to more than that one",
        ),
    ]


def _malformed_text() -> str:
    """What SQLite, which takes anything in any column, must be told not to take."""
    def odd(name: str) -> str:  # not text, or with something behind a NUL
        return f"typeof(new.{name}) <> 'text' or length(cast(new.{name} as blob)) <> length(new.{name})"

    whole, fraction = "substr(new.limit_quantity, 1, length(new.limit_quantity) - 10)", "substr(new.limit_quantity, -9)"
    return " or ".join((
        *(odd(name) for name in SCOPE),
        *(f"new.{name} = '' or new.{name} glob '*[^A-Za-z0-9._:-]*'" for name in _IDS),
        *(f"new.{name} is not date(new.{name})" for name in ("period_start", "period_end")),
        "length(new.limit_quantity) not between 11 and 25 or substr(new.limit_quantity, -10, 1) <> '.'",
        f"{whole} glob '*[^0-9]*' or {fraction} glob '*[^0-9]*' or ({whole} <> '0' and {whole} glob '0*')",
    ))


def sqlite_guards() -> dict[str, str]:
    """The DDL of SQLite's triggers on ceilings, by name.

    `raise(fail)` ends the statement with its reason, and keeps what the trigger wrote before: the attempt. Where the
    program that sent the statement takes its whole transaction back, that goes too.
    """
    def kept(row: str, statement: str, told: str, condition: str) -> str:
        tried = ", ".join(f"'{name}', cast({row}.{name} as text)" for name in SCOPE)
        return (
            "insert into refused_attempts (attempted_at_utc, attempted_by, path, entry_id, tried, field, rule, fix)"
            " select strftime('%Y-%m-%d %H:%M:%f', 'now') || '000', 'whoever has the file', 'sql',"
            f" coalesce(cast({row}.ceiling_id as text), ''),"
            f" json_object('statement', '{statement}', {tried}), '', '{told}', '{_FIX}'{condition};"
            f" select raise(fail, '{told}'){condition};"
        )

    never = APPEND_ONLY.format(TABLE)
    inserting = " ".join(
        kept("new", "insert", told, f" where {condition}") for condition, told in _rules("sqlite", TABLE)
    )
    changing = {
        f"{TABLE}_no_{verb}":
            f"create trigger {TABLE}_no_{verb} before {verb} on {TABLE} begin {kept(row, verb, never, '')} end"
        for verb, row in (("update", "new"), ("delete", "old"))
    }
    return changing | {
        f"{TABLE}_no_replace": f"create trigger {TABLE}_no_replace before insert on {TABLE} begin {inserting} end"
    }


def postgresql_guards(schema: str, lock: int) -> dict[str, str]:
    """The DDL of PostgreSQL's triggers on ceilings, by a name that changes with the rule.

    A raised error would take the record of the attempt back with it, so the row is passed over with a warning: the
    statement ends with 0 rows. Only `truncate`, which has no rows to pass over, ends with an error.
    Compiling the conditions would take seconds where running them takes milliseconds, so nothing is compiled.

    Args:
        schema: Where the registry's tables are, so that no search path and no temporary table stands in for them.
        lock: The advisory lock by which writers take turns; what a repeatable read sees may be older than it.
    """
    table = f'"{schema}".{TABLE}'
    inserting = " ".join(f"when {condition} then '{told}'" for condition, told in _rules("postgresql", table))
    never = APPEND_ONLY.format(TABLE)
    tried = ", ".join(f"'{name}', seen.{name}" for name in SCOPE)
    body = f"""
        declare broken text; seen {table}%rowtype;
        begin
            if tg_op = 'TRUNCATE' then
                raise exception '{never}';
            elsif tg_op = 'INSERT' then
                seen := new;
                perform pg_advisory_xact_lock({lock});
                broken := case
                    when current_setting('transaction_isolation') = 'repeatable read'
                        then 'a ceiling is recorded in read committed or serializable isolation'
                    {inserting} end;
                if broken is null then
                    return new;
                end if;
            else
                seen := case when tg_op = 'DELETE' then old else new end;
                broken := '{never}';
            end if;
            insert into "{schema}".refused_attempts
                (attempted_at_utc, attempted_by, path, entry_id, tried, field, rule, fix)
            values (
                clock_timestamp() at time zone 'UTC', session_user, 'sql', coalesce(seen.ceiling_id, ''),
                json_build_object('statement', lower(tg_op), {tried})::text, '', broken, '{_FIX}'
            );
            raise warning '%', broken;
            return null;
        end
    """
    mark = hashlib.sha256(body.encode()).hexdigest()[:8]
    name = f"{TABLE}_bind_{mark}"
    function = f'"{schema}".{name}()'
    return {
        name: f"create or replace function {function} returns trigger language plpgsql set jit = off as $${body}$$;"
              f" create trigger {name} before insert or update or delete on {table}"
              f" for each row execute function {function};"
              f" create trigger {name}_whole before truncate on {table}"
              f" for each statement execute function {function};"
              f" alter table {table} enable always trigger {name};"
              f" alter table {table} enable always trigger {name}_whole"
    }


_FIX = "use `jevons ceilings lower`, or adopt one for a period that is not bound yet"
