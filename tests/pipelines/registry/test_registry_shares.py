"""Shares of one identity sum to exactly 1 on each day on which any of them is valid."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.registry.export import current_rows
from pipelines.registry.shares import wrong_sums

START = date(2026, 2, 25)
DAYS = 12  # rules begin and end within so many days; open ends last beyond
QUARTERS = [Decimal(n) / 4 for n in range(1, 5)]


@dataclass(frozen=True)
class Rule:
    match_type: str
    source: str | None
    match_value: str
    share: Decimal
    valid_from: date
    valid_to: date | None


def days(first, last):
    return st.integers(first, last).map(lambda n: START + timedelta(days=n))


rules = st.lists(st.builds(
    Rule, st.sampled_from(["api_key", "tag"]), st.sampled_from([None, "openai"]), st.just("a"),
    st.sampled_from(QUARTERS), days(0, DAYS), st.none() | days(0, DAYS),
), max_size=9)


def by_hand(given_rules):
    """Day by day, rule by rule: the first wrong day and sum of each identity."""
    wrong = {}
    for key in {(rule.match_type, rule.source, rule.match_value) for rule in given_rules}:
        for n in range(DAYS + 2):
            day = START + timedelta(days=n)
            valid = [
                rule.share for rule in given_rules
                if (rule.match_type, rule.source, rule.match_value) == key
                and rule.valid_from <= day and (rule.valid_to is None or day < rule.valid_to)
            ]
            if valid and sum(valid) != 1:
                wrong[key] = (day, sum(valid))
                break
    return wrong


@given(rules)
@settings(max_examples=600, deadline=None)
def test_it_agrees_with_a_loop_over_all_days(given_rules):
    found = {key: (wrong.day, wrong.total) for key, wrong in wrong_sums(given_rules).items()}
    assert found == by_hand(given_rules)


@given(st.lists(st.integers(1, 10**8), min_size=1, max_size=6), st.integers(-1, 1))
@settings(max_examples=200, deadline=None)
def test_one_unit_in_the_last_digit_is_seen(parts, off):
    """Shares of eight decimals made to sum to 1, then put off by 0.00000001."""
    total = sum(parts)
    whole = [part * 10**8 // total for part in parts]
    whole[0] += 10**8 - sum(whole) + off
    given_rules = [
        Rule("tag", None, "x", Decimal(share).scaleb(-8), START, None) for share in whole if share > 0
    ]
    expected = {("tag", None, "x")} if sum(share for share in whole if share > 0) != 10**8 else set()
    assert set(wrong_sums(given_rules)) == expected


def test_an_identity_that_does_not_sum_holds_back_all_its_rules_and_no_other(put, engine):
    put.all()
    result = put.one("rules", put.rule_header + (
        "n1,api_key,openai,key_n,letters,0.5,2026-01-01,\n"
        "n2,api_key,openai,key_n,sums,0.5,2026-01-01,2026-04-01\n"  # from April only half is given away
        "n3,tag,,night,sums,1,2026-01-01,\n"
    ))
    assert (result.accepted, result.unchanged) == (1, 0)
    assert [finding.sentence() for finding in result.refused] == [
        f"rules.csv, line {line}, share: the shares of api_key 'key_n' (openai) sum to 0.5 on 2026-04-01, not to"
        " 1; give all rules of that identity together, with shares that sum to exactly 1 on each day."
        for line in (2, 3)
    ]
    ids = [row["rule_id"] for row in current_rows(engine)["attribution_rules"]]
    assert ids == ["n3", "r1", "r2", "r3"]


def test_source_is_part_of_the_identity(put):
    put.all()
    result = put.one("rules", put.rule_header + (
        "m1,tag,,x,letters,0.5,2026-01-01,\n"
        "m2,tag,openai,x,sums,0.5,2026-01-01,\n"
    ))
    assert result.accepted == 0
    assert "tag 'x' (any source) sum to 0.5 on 2026-01-01" in result.refused[0].sentence()
    assert "tag 'x' (openai) sum to 0.5 on 2026-01-01" in result.refused[1].sentence()


def test_a_hand_over_is_two_rows_imported_together(put, engine):
    """From June on key_a belongs to sums alone: r1 ends, r2 ends, r4 begins."""
    put.all()
    result = put.one("rules", put.rule_header + (
        "r1,api_key,openai,key_a,letters,0.33333333,2026-01-01,2026-06-01\n"
        "r2,api_key,openai,key_a,sums,0.66666667,2026-01-01,2026-06-01\n"
        "r4,api_key,openai,key_a,sums,1,2026-06-01,\n"
    ))
    assert (result.accepted, result.refused) == (3, [])
    alone = put.one("rules", put.rule_header + "r4,api_key,openai,key_a,sums,1,2026-07-01,\n")
    assert alone.accepted == 1  # on no day of June any rule is valid: that is an orphan, not a wrong sum


def test_ending_one_share_alone_is_refused(put):
    put.all()
    result = put.one("rules", put.rule_header + "r1,api_key,openai,key_a,letters,0.33333333,2026-01-01,2026-06-01\n")
    assert result.accepted == 0
    assert "sum to 0.66666667 on 2026-06-01, not to 1" in result.refused[0].sentence()


def test_a_rule_that_leaves_an_unbalanced_identity_stays_and_so_does_who_needs_it(put, engine):
    """r1 would leave key_a (2/3 remain there) for key_z, where z2 counts on it: both are held back."""
    put.all()
    result = put.one("rules", put.rule_header + (
        "r1,api_key,openai,key_z,letters,0.33333333,2026-01-01,\n"
        "z2,api_key,openai,key_z,sums,0.66666667,2026-01-01,\n"
    ))
    assert result.accepted == 0
    assert [finding.line for finding in result.refused] == [2, 3]
    assert "key_a" in result.refused[0].rule and "key_z" in result.refused[1].rule


def test_a_rule_valid_on_no_day_is_withdrawn(put, engine):
    put.all()
    assert put.one("rules", put.rule_header + "r3,project,,proj_b,sums,1,2026-03-01,2026-03-01\n").accepted == 1
    assert [row["rule_id"] for row in current_rows(engine)["attribution_rules"]] == ["r1", "r2"]
    assert put.one("rules", put.rules).accepted == 1  # and comes back as a third version
