"""The source `disclosures`: what is landed of a supplier's letter, what is refused, and that nothing landed changes."""

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources.disclosures import SOURCE
from pipelines.window import Window

HEADER = ("disclosure_id,provider,model,unit,unit_count,energy,energy_low,energy_high,gsd_ratio,energy_unit,"
          "statistic,pue,host,idle,embodied,upstream,assurance,source_title,source_url,valid_from,valid_to\n")
LETTER = (
    "letter,acme,acme-1,output_token,1000000,0.5,0.4,0.9,,kWh,mean,included,included,included,excluded,excluded,"
    "reasonable,Letter of 3 May,https://acme.example/letter,2026-05-01,\n"
    "letter,acme,acme-1,input_token,1000000,50,,,1.3,Wh,mean,included,included,included,excluded,excluded,"
    "reasonable,Letter of 3 May,https://acme.example/letter,2026-05-01,\n"
)
NOTICE = "notice,acme,acme-2,request,,0.24,,,,Wh,,,excluded,,,,none,Notice,binder 7,2026-06-01,2026-07-01\n"


def land(home, text):
    (home / "scratch").mkdir(exist_ok=True)
    (home / "disclosures.csv").write_text(text)
    context = Context(Settings(home, "Test", False, {"disclosures": {"path": "disclosures.csv"}}, (), (), {}),
                      home / "scratch")
    staged = landing.stage(SOURCE, SOURCE.tables[0], context, Window.of_days("2026-06-01", "2026-06-01"))
    return landing.commit(staged, (), home, datetime(2026, 9, 1, tzinfo=UTC)), context


def landed(home, columns):
    path = home / "raw" / "disclosures" / "figures" / "part.parquet"
    return duckdb.sql(f"select {columns} from read_parquet('{path}') order by disclosure_id, unit").fetchall()


def test_a_letter_lands_with_its_words_and_what_was_made_of_them(tmp_path):
    """0.5 kWh for a million are 5e-7 each, 0.4 to 0.9 stated; 1.2^1.96 = 1.4295365 is wider below (3.497637e-7).

    50 Wh for a million are 5e-8; 1.3^1.96 = 1.6723569. Of it cached tokens take 0.01, 0.1, 0.25: the high end is
    5e-8 x 1.6723569 x 0.25. The notice: 0.24 Wh are 2.4e-4 kWh; 1.5^1.96 = 2.2138025; host outside 1.25, 1.35, 1.45;
    idle (1.12, 1.30), PUE (1.15, 1.54) and the mean (1.44, 1.64) not said:
    2.4e-4 x 1.35 x sqrt(1.12 x 1.15 x 1.44) = 4.412495e-4; low 2.4e-4 / 2.2138025 x 1.25 = 1.355134e-4;
    high 2.4e-4 x 2.2138025 x 1.45 x 1.30 x 1.54 x 1.64 = 2.529450e-3.
    """
    done, context = land(tmp_path, HEADER + LETTER + NOTICE)
    assert done.findings == [] and done.changed == [None]
    found = {row[:2]: row[2:] for row in landed(
        tmp_path, "disclosure_id, unit, basis, kwh_per_unit_low, kwh_per_unit, kwh_per_unit_high")}
    for key, basis, low, central, high in (
        (("letter", "output_token"), "stated", 3.497637e-7, 5e-7, 9e-7),
        (("letter", "input_token"), "stated", 5e-8 / 1.6723569, 5e-8, 5e-8 * 1.6723569),
        (("letter", "cached_input_token"), "from input_token", 5e-10 / 1.6723569, 5e-9, 1.25e-8 * 1.6723569),
        (("letter", "request"), "within", 0, 0, 0),
        (("notice", "request"), "stated", 1.355134e-4, 4.412495e-4, 2.529450e-3),
        (("notice", "output_token"), "within", 0, 0, 0),
    ):
        assert found[key][0] == basis, key
        assert [float(value) for value in found[key][1:]] == pytest.approx([low, central, high], rel=1e-6), key
    # of images it says nothing
    assert {unit for name, unit in found if name == "letter"} == {
        "request", "output_token", "input_token", "cached_input_token", "cache_write_token"}
    assert landed(tmp_path, "energy, energy_unit, valid_to, quarantine_reason")[-1] == (
        Decimal("0.24"), "Wh", date(2026, 7, 1), None)
    assert land(tmp_path, HEADER + LETTER + NOTICE)[0].changed == []
    assert SOURCE.check(context) == "2 records of disclosures in disclosures.csv can be read."


@pytest.mark.parametrize("before, after, where, rule", [
    (",valid_to\n", ",valid_to,contact\n", "line 2", "20 fields|21 fields"),
    ("0.4,0.9", "0.6,0.9", "line 2, field energy", "the figure lies between"),
    ("0.4,0.9", "0.4,", "line 2, field energy", "a range has two ends"),
    ("0.4,0.9", "0,0.9", "line 2, field energy_low", "no end at 0"),
    ("0.4,0.9,,", "0.4,0.9,1.3,", "line 2, field gsd_ratio", "stated twice"),
    (",0.5,0.4,0.9", ",-0.5,,", "line 2, field energy", "-0.5 is less than 0"),
    ("kWh,mean", "MWh,mean", "line 2, field energy_unit", "'MWh' is none of Wh, kWh"),
    ("output_token,1000000", "word,1000000", "line 2, field unit", "'word' is none of request"),
    ("output_token,1000000", "output_token,0", "line 2, field unit_count", "0 is less than 1"),
    ("Letter of 3 May", "", "line 2, field source_title", "it is empty"),
    ("acme-1,output", ",output", "line 2, field model", "it is empty"),
    ("https://acme.example/letter", "ann@acme.example", "line 2, field source_url", "e-mail address"),
    ("excluded,excluded,", "included,excluded,", "line 2, field embodied", "energy of a whole life"),
    ("excluded,excluded,", "excluded,included,", "line 2, field upstream", "energy of a whole life"),
    ("reasonable", "some", "line 2, field assurance", "'some' is none of none, limited, reasonable"),
    ("2026-05-01,", "2026-05-01,2026-04-30", "line 2, field valid_to", "before valid_from"),
    ("2026-05-01", "2026-05-02", "line 2, field valid_from", "do not agree on it"),
    ("letter,acme,acme-1,input_token", "other,acme,acme-3,input_token", "line 2, field unit", "nothing of input_token"),
    ("input_token", "output_token", "line 2, field unit", "states one twice"),
    ("acme-2,request", "acme-2,image", None, None),
    ("notice,acme,acme-2", "notice,acme,acme-1", None, None),
    ("0.24,", "0,", "line 4, field energy", "0 is no disclosed energy"),
    ("0.24,,,,Wh", "240,,,,Wh", "line 4, field energy", "1 kWh or more a unit"),
])
def test_what_is_wrong_is_refused_by_name(tmp_path, before, after, where, rule):
    text = HEADER + LETTER + NOTICE
    assert before in text
    done, context = land(tmp_path, text.replace(before, after, 1))
    if where is None:
        assert done.findings == []
        return
    assert done.findings[0].where.startswith(f"disclosures.csv, {where}")
    assert any(part in done.findings[0].rule for part in rule.split("|")) and "ann@" not in str(done.findings)
    assert done.quarantined == [None] and not (tmp_path / "raw").exists()
    with pytest.raises(SourceError, match="of disclosures (is|are) refused"):
        SOURCE.check(context)


def test_columns_that_nobody_asked_for_are_refused(tmp_path):
    done, _ = land(tmp_path, HEADER.replace("valid_to", "valid_to,contact") + NOTICE.replace("\n", ",ann\n"))
    assert [found.where for found in done.findings] == ["disclosures.csv, field contact"]
    assert "this column is not known" in done.findings[0].rule


def test_two_disclosures_for_one_model_from_one_day_are_refused_unless_one_has_ended(tmp_path):
    twin = NOTICE.replace("notice", "twin").replace("0.24", "0.30")
    done, _ = land(tmp_path, HEADER + NOTICE + twin)
    assert [found.where for found in done.findings] == ["disclosures.csv, line 3, field valid_from"]
    assert "notice is for the same model from the same day on" in done.findings[0].rule
    assert land(tmp_path, HEADER + NOTICE.replace("2026-07-01", "2026-06-01") + twin)[0].findings == []


def test_what_was_landed_is_ended_and_never_changed(tmp_path, monkeypatch):
    assert land(tmp_path, HEADER + LETTER + NOTICE)[0].findings == []
    before = landed(tmp_path, "disclosure_id, unit, kwh_per_unit_low, kwh_per_unit, kwh_per_unit_high")
    for text, where, rule in (
        (LETTER + NOTICE.replace("0.24", "0.20"), "line 4, field energy", "is not what was landed"),
        (LETTER + NOTICE.replace("none", "limited"), "line 4, field assurance", "is not what was landed"),
        (LETTER.replace("input_token", "image") + NOTICE, "line 2, field unit", "is not what was landed"),
        (LETTER, "", "notice is not there any more"),
    ):
        done, _ = land(tmp_path, HEADER + text)
        assert [found.where for found in done.findings] == [f"disclosures.csv{where and ', '}{where}"], text
        assert rule in done.findings[0].rule and done.quarantined == [None]
    # neither are factors made anew where the coefficients were, or a list price: only the end of the disclosure changes
    monkeypatch.setattr("pipelines.factors.disclosed.of_facility", lambda *given: 1 / 0)
    done, _ = land(tmp_path, HEADER + LETTER + NOTICE.replace("2026-07-01", "2026-06-20"))
    assert done.findings == [] and done.changed == [None]
    assert landed(tmp_path, "disclosure_id, unit, kwh_per_unit_low, kwh_per_unit, kwh_per_unit_high") == before
    assert landed(tmp_path, "valid_to")[-1] == (date(2026, 6, 20),)


def test_an_absurd_figure_is_landed_with_the_reason_and_told(tmp_path):
    """0.0625 Wh a token at 0.08 USD/kWh is 5e-6 USD of a price of 1e-5 USD."""
    text = LETTER.replace("acme,acme-1", "openai,gpt-4o").replace("1000000,0.5,0.4,0.9,,kWh", "1,0.0625,,,,Wh")
    done, _ = land(tmp_path, HEADER + text)
    assert done.findings == []
    assert {reason for reason, in landed(tmp_path, "quarantine_reason")} == {
        "electricity would be 50% of the list price"}
    assert done.receipts[0].warnings == ["letter is not used: electricity would be 50% of the list price"]
