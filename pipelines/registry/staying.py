"""The database's own refusal to let a team or a workflow slip from under a ceiling: triggers on new versions of them.

The same rule in Python, with sentences for people, belongs in `leaving`; triggers on ceilings in `binding`.

The day by which a ceiling is over is the database's own, not one that the statement gives.
"""

import hashlib

from pipelines.registry.enclosing import country, newest

TOLD = "it would leave a place that has a ceiling for one that has not the same"
FIX = "adopt that ceiling first, or record the change once the period is over"
# Table to its id and the columns that place an entry.
PLACED = {"teams": ("team_id", ("unit_id", "country")), "workflows": ("workflow_id", ("team_id", "sector_tag"))}


def _leaves(lite: bool, prefix: str, table: str) -> str:
    """Whether `new` is a version that leaves a place with a ceiling for one without its counterpart."""
    differs, today = ("is not", "date('now')") if lite else ("is distinct from", "(now() at time zone 'UTC')::date")

    def team(column: str, row: str) -> str:
        return f"(select t.{column} from {newest(prefix, 'teams', 'team_id', 't')} and t.team_id = {row}.team_id)"

    def moved(kind: str, column: str, of_team: bool = False) -> str:
        old, new = (team(column, row) if of_team else f"{row}.{column}" for row in ("was", "new"))
        bound = "bound.perimeter_id"
        if kind == "country":
            old, new, bound = (country(lite, name) for name in (old, new, bound))
        return (
            f"({old} {differs} {new} and exists (select 1 from {prefix}ceilings as bound"
            f" where bound.perimeter_type = '{kind}' and {bound} = {old} and bound.period_end > {today} and not exists"
            f" (select 1 from {prefix}ceilings as same where same.perimeter_type = '{kind}'"
            f" and same.perimeter_id = {new} and same.metric = bound.metric and same.period_start = bound.period_start"
            " and same.period_end = bound.period_end)))"
        )

    of_teams = [("unit", "unit_id"), ("country", "country")]
    if table == "teams":
        ways = [moved(*place) for place in of_teams]
    else:
        ways = [moved("team", "team_id"), moved("sector_tag", "sector_tag"),
                *(moved(*place, of_team=True) for place in of_teams)]
    identity = PLACED[table][0]
    return (
        f"exists (select 1 from {newest(prefix, table, identity, 'was')} and was.{identity} = new.{identity}"
        f" and ({' or '.join(ways)}))"
    )


def sqlite_guards() -> dict[str, str]:
    """The DDL of SQLite's triggers, by name; the attempt is kept as `binding.sqlite_guards` says."""
    found = {}
    for table, (identity, columns) in PLACED.items():
        tried = ", ".join(f"'{name}', cast(new.{name} as text)" for name in (identity, *columns))
        leaves = _leaves(True, "", table)
        name = f"{table}_no_leaving"
        found[name] = (
            f"create trigger {name} before insert on {table} when {leaves} begin"
            " insert into refused_attempts (attempted_at_utc, attempted_by, path, entry_id, tried, field, rule, fix)"
            " values (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000', 'whoever has the file', 'sql',"
            f" coalesce(cast(new.{identity} as text), ''), json_object('statement', 'insert', {tried}), '', '{TOLD}',"
            f" '{FIX}'); select raise(fail, '{TOLD}'); end"
        )
    return found


def postgresql_guards(schema: str, lock: int) -> dict[str, str]:
    """The DDL of PostgreSQL's triggers, by a name that changes with the rule; arguments as in `binding`."""
    found = {}
    for table, (identity, columns) in PLACED.items():
        prefix = f'"{schema}".'
        tried = ", ".join(f"'{name}', new.{name}" for name in (identity, *columns))
        body = f"""
            begin
                perform pg_advisory_xact_lock({lock});
                if current_setting('transaction_isolation') <> 'repeatable read' and not (
                    {_leaves(False, prefix, table)}
                ) then
                    return new;
                end if;
                insert into {prefix}refused_attempts
                    (attempted_at_utc, attempted_by, path, entry_id, tried, field, rule, fix)
                values (
                    clock_timestamp() at time zone 'UTC', session_user, 'sql', coalesce(new.{identity}, ''),
                    json_build_object('statement', 'insert', {tried})::text, '', '{TOLD}', '{FIX}'
                );
                raise warning '{TOLD}';
                return null;
            end
        """
        name = f"{table}_bind_{hashlib.sha256(body.encode()).hexdigest()[:8]}"
        function = f"{prefix}{name}()"
        found[name] = (
            f"create or replace function {function} returns trigger language plpgsql set jit = off as $${body}$$;"
            f" create trigger {name} before insert on {prefix}{table} for each row execute function {function};"
            f" alter table {prefix}{table} enable always trigger {name}"
        )
    return found
