"""Runs a Great Expectations suite over a DuckDB table or view: the one small function behind both gates.

Which expectations make up a suite belongs to the gates.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # before the import: it reports home otherwise

import great_expectations as gx
from great_expectations.core.result_format import ResultFormat
from great_expectations.datasource.fluent.interfaces import Batch
from great_expectations.expectations import Expectation
from sqlalchemy import URL

log = logging.getLogger(__name__)
SHOWN_VALUES = 5


@dataclass(frozen=True)
class Broken:
    """A rule that does not hold.

    Attributes:
        rule: The expectation, to be looked at again on a smaller batch.
        sentence: What was expected and what was found, values included.
    """

    rule: Expectation
    sentence: str


def broken_rules(database: Path, suites: Mapping[str, Sequence[Expectation]]) -> dict[str, list[Broken]]:
    """The rules that each relation breaks.

    Args:
        database: DuckDB file; nobody else may have it open in another mode.
        suites: Table or view in it, and its rules.

    Raises:
        RuntimeError: a rule could not be evaluated at all; a gate that cannot look must not say yes.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_sql("duckdb", connection_string=_address(database))
    with _one_connection(source):
        return {relation: _broken(source, relation, rules) if rules else [] for relation, rules in suites.items()}


def _broken(source: Any, relation: str, rules: Sequence[Expectation]) -> list[Broken]:
    asset = source.add_table_asset(relation, table_name=relation)
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    # whether they hold is asked first, and by far the cheaper question; examples only of those that do not
    failed = [rule for rule, held in _validated(batch, relation, rules, ResultFormat.BOOLEAN_ONLY) if not held.success]
    found = _validated(batch, relation, failed, ResultFormat.SUMMARY) if failed else []
    return [Broken(rule, _sentence(rule, outcome.result)) for rule, outcome in found]


def _validated(
    batch: Batch, relation: str, rules: Sequence[Expectation], form: ResultFormat
) -> list[tuple[Expectation, Any]]:
    """Each rule and what was found."""
    result = batch.validate(gx.ExpectationSuite(relation, expectations=list(rules)), result_format=form)
    found = list(zip(rules, _in_order(rules, result.results), strict=True))
    for rule, outcome in found:
        if outcome.exception_info and _raised(outcome.exception_info):
            raise RuntimeError(
                f"{rule.expectation_type} on {relation} could not be evaluated: {outcome.exception_info}")
    return found


def _address(database: Path) -> str:
    return URL.create("duckdb", database=str(database)).render_as_string()


@contextmanager
def _one_connection(source: Any) -> Iterator[None]:
    """Keeps one connection open for the whole validation.

    Results of this dialect die with their connection, and the library closes it before it reads them.
    """
    execution = source.get_execution_engine()
    connection = execution.engine.connect()

    @contextmanager
    def kept() -> Iterator[Any]:
        yield connection

    execution.get_connection = kept
    try:
        yield
    finally:
        connection.close()
        execution.engine.dispose()
        source.get_engine().dispose()


def _in_order(rules: Sequence[Expectation], results: Sequence[Any]) -> list[Any]:
    """The results in the order of the rules; the library groups them by column."""
    left = list(results)
    ordered = []
    for rule in rules:
        wanted = rule.expectation_type, _arguments(rule.configuration.kwargs)
        match = next(r for r in left if wanted == (r.expectation_config.type, _arguments(r.expectation_config.kwargs)))
        left.remove(match)
        ordered.append(match)
    return ordered


def _arguments(kwargs: Any) -> dict[str, Any]:
    return {key: value for key, value in dict(kwargs).items() if key != "batch_id" and value is not None}


def _raised(info: Any) -> bool:
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(bool(entry.get("raised_exception")) for entry in info.values() if isinstance(entry, dict))


def _sentence(rule: Expectation, result: dict[str, Any]) -> str:
    """What was expected, how often it failed, and a few of the values."""
    kwargs = rule.configuration.kwargs
    least, most = kwargs.get("min_value"), kwargs.get("max_value")
    between = f"must be between {least:g} and {most:g}" if most is not None else f"must be at least {least or 0:g}"
    subject, wanted = {
        "expect_column_values_to_not_be_null": (kwargs.get("column"), "must not be empty"),
        "expect_column_values_to_be_between": (kwargs.get("column"), between),
        "expect_column_values_to_be_in_set": (
            kwargs.get("column"), f"must be one of {', '.join(map(str, kwargs.get('value_set') or ()))}"),
        "expect_column_pair_values_a_to_be_greater_than_b": (
            kwargs.get("column_A"), f"must not be below {kwargs.get('column_B')}"),
    }[rule.expectation_type]
    values = [_shown(value) for value in result.get("partial_unexpected_list", []) if value is not None]
    shown = f" (found {', '.join(list(dict.fromkeys(values))[:SHOWN_VALUES])})" if values else ""
    broken = result.get("unexpected_count")
    return f"{subject} {wanted}, broken {'once' if broken == 1 else f'{broken} times'}{shown}"


def _shown(value: Any) -> str:
    """A value as a person writes it; a pair as its two values."""
    if isinstance(value, (tuple, list)):
        return " beside ".join(_shown(part) for part in value)
    if isinstance(value, Decimal):
        plain = f"{value:f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return str(value)[:40]
