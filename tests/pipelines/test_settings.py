"""`jevons.toml`: what it says when it is right, and the one sentence when it is not."""

from datetime import date
from decimal import Decimal

import pytest

from pipelines import settings
from pipelines.errors import JevonsError
from pipelines.sources import all_sources
from pipelines.starter import write_starter

GOOD = """
[organisation]
name = "Probe"
[sources.openai]
[sources.call_log]
enabled = false
path = "calls.csv"
[sites.here]
zone = "FR"
country = "FRA"
pue = "1.25"
market_gco2e_per_kwh = 0
[providers.openai]
site = "here"
system_of_record = "openai"
[providers.own]
site = "here"
energy_from = "call_log"
"""


def loaded(folder, text, environ=None):
    (folder / settings.FILE).write_text(text, "utf-8")
    return settings.load(folder, environ or {})


def test_what_is_written_is_what_is_read(tmp_path):
    found = loaded(tmp_path, GOOD, {"KEY": "secret", "EMPTY": ""})
    assert (found.organisation, found.sandbox) == ("Probe", False)
    assert found.sites == (settings.Site("here", "FR", "FRA", Decimal("1.25"), None, Decimal(0), None),)
    assert [(p.provider, p.system_of_record, p.energy_from) for p in found.providers] == [
        ("openai", "openai", None), ("own", None, "call_log")]
    assert (found.enabled("openai"), found.enabled("call_log"), found.enabled("outcomes")) == (True, False, False)
    assert (found.secret("KEY"), found.secret("EMPTY"), found.secret("ABSENT")) == ("secret", None, None)
    assert "secret" not in repr(found)


@pytest.mark.parametrize("country, market, stored", [
    ("FR", "DE", ("FRA", "DEU")), ("GBR", "AIB", ("GBR", "AIB")), ("US", "FRA", ("USA", "FRA")),
])
def test_a_country_is_kept_in_three_letters(tmp_path, country, market, stored):
    text = GOOD.replace('country = "FRA"', f'country = "{country}"\nmarket_boundary = "{market}"')
    site, = loaded(tmp_path, text).sites
    assert (site.country, site.market_boundary) == stored


HARDWARE = """
[hardware.rack-7]
site = "here"
gpu_model = "H100"
count = 8
purchased_on = 2026-03-31
embodied_kgco2e = 273
embodied_kgco2e_low = 164
embodied_kgco2e_high = "575.5"
source = "maker's footprint, 2024"
lifetime_years = 5
"""


def test_who_controls_a_site_and_what_was_bought_is_read(tmp_path):
    found = loaded(tmp_path, GOOD.replace("[providers.openai]", 'control = "leased"\nmarket_boundary = "EU"\n'
                                          'grid_pin = "yearly_mix"\n'
                                          "[providers.openai]") + HARDWARE)
    site = found.sites[0]
    assert (site.control, site.market_boundary, site.grid_pin) == ("leased", "EU", "yearly_mix")
    assert found.hardware == (settings.Hardware(
        "rack-7", "here", "H100", 8, date(2026, 3, 31), Decimal(164), Decimal(273), Decimal("575.5"),
        "maker's footprint, 2024", Decimal(5)),)


@pytest.mark.parametrize(
    ("wrong", "right", "parts"), [
        ('site = "here"\ngpu', 'site = "there"\ngpu', ("a site that is not there", "hardware.rack-7")),
        ("count = 8", "count = 0", ("declared incompletely", "hardware.rack-7.count", "a whole number")),
        ("count = 8", "", ("declared incompletely", "count", "it is None")),
        ("purchased_on = 2026-03-31", 'purchased_on = "2026-03-31"', ("purchased_on", "a day without quotes")),
        ("= 164", "= 300", ("no true range", "not all there in order")),
        ("embodied_kgco2e_low = 164\n", "", ("no true range", "_low and _high")),
        ("embodied_kgco2e = 273\n", "", ("no true range", "_low and _high")),
        ("embodied_kgco2e = 273", "embodied_kgco2e = -1", ("an impossible number", "hardware.rack-7.embodied_kgco2e")),
        ('source = "maker\'s footprint, 2024"', "", ("a figure without a source", "hardware.rack-7.source")),
        ("lifetime_years", "lifetime", ("means nothing", "hardware.rack-7.lifetime")),
    ],
)
def test_hardware_that_is_not_right_is_told(tmp_path, wrong, right, parts):
    assert HARDWARE.count(wrong) == 1
    with pytest.raises(JevonsError) as told:
        loaded(tmp_path, GOOD + HARDWARE.replace(wrong, right))
    assert all(part in str(told.value) for part in parts), str(told.value)


def test_a_number_keeps_its_digits(tmp_path):
    assert loaded(tmp_path, GOOD.replace('"1.25"', "1.1")).sites[0].pue_ratio == Decimal("1.1")


def test_an_empty_file_is_an_organisation_without_sources(tmp_path):
    found = loaded(tmp_path, "")
    assert (found.organisation, dict(found.sources), found.sites) == ("Unnamed organisation", {}, ())


def test_what_init_writes_is_right_as_it_is_and_with_every_line_in_use(tmp_path):
    (path,) = write_starter(tmp_path)
    starter = path.read_text("utf-8")
    assert settings.load(tmp_path, {}).sources == {}
    used = "\n".join(
        line.removeprefix("# ") if line.startswith("# [") or line.startswith("# ") and " = " in line else line
        for line in starter.splitlines())
    found = loaded(tmp_path, used)
    assert set(found.sources) <= {source.name for source in all_sources() if not source.always}
    assert {"openai", "call_log", "gpu_prometheus", "electricity_maps", "outcomes", "instruments"} <= set(found.sources)
    assert [(site.control, site.market_boundary) for site in found.sites] == [
        (None, None), (None, None), ("own", "FRA")]
    assert [each.count for each in found.hardware] == [8]


@pytest.mark.parametrize(
    ("wrong", "right", "parts"), [
        ("[organisation]", "[organization]", ("an unknown section", "`organization` means nothing here")),
        ('name = "Probe"', "name = Probe", ("cannot be read", "line 3")),
        ('zone = "FR"', "", ("A site is incomplete", "sites.here", "it has no `zone`")),
        ('country = "FRA"', 'country = ""', ("A site is incomplete", "it has no `country`")),
        ('zone = "FR"', 'cloud_region = "aws:eu-west-9"', ("cloud region that is not known", "here.cloud_region")),
        ('zone = "FR"', 'cloud_region = "aws:eu-west-3"', ("says twice where it is", "it has a `country` as well")),
        ('pue = "1.25"', 'pue = "0.9"', ("an impossible number", "sites.here.pue", "'0.9' cannot be", "at least 1")),
        ('pue = "1.25"', 'pue = "about 1.2"', ("an impossible number", "'about 1.2' cannot be")),
        ('pue = "1.25"', 'control = "ours"', ("controlled by nobody", "sites.here.control", "own, leased, vendor")),
        ('pue = "1.25"', 'grid_pin = "marginal"', ("a grid source that there is not", "sites.here.grid_pin",
                                                   "yearly_mix")),
        ('pue = "1.25"', "pue = nan", ("an impossible number", "sites.here.pue")),
        ('pue = "1.25"', "pue = true", ("an impossible number", "sites.here.pue")),
        ("market_gco2e_per_kwh = 0", "market_gco2e_per_kwh = -1", ("an impossible number", "-1 cannot be")),
        ('site = "here"\nsystem', 'site = "there"\nsystem', ("a site that is not there", "providers.openai",
                                                             "no [sites.there] is declared")),
        ("[sources.openai]", '[sources.openai]\nsite = "x"',
         ("a site that is not there", "sources.openai", "[sites.x]")),
        ('system_of_record = "openai"', 'system_of_record = "opnai"',
         ("A provider relies on a source that is not there", "providers.openai.system_of_record",
          "no [sources.opnai] is declared")),
        ('energy_from = "call_log"', 'energy_from = "gpu_prometheus"',
         ("A provider relies on a source that is not there", "providers.own.energy_from")),
        ("[sources.openai]", "[sources.opnai]\n[sources.openai]", (
            "a source that there is not", "sources.opnai", "use openai, or leave the section out")),
            ("[sources.openai]", "[sources.zzz]\n[sources.openai]", ("a source that there is not", " or openai or ")),
        ("[sources.openai]", "[sources.registry]\n[sources.openai]", ("a source that there is not", "registry")),
        ("[sources.openai]", '[sources.openai]\nbase_ulr = "x"', ("means nothing", "openai.base_ulr", "base_url")),
        ("[sources.openai]", '[sources.gpu_prometheus]\nstep_second = 5\n[sources.openai]', (
            "means nothing", "gpu_prometheus.step_second", "step_seconds")),
        ("[sources.openai]", '[sources.electricity_maps]\nurl = "x"\n[sources.openai]', (
            "means nothing", "electricity_maps.url", "base_url, enabled, fallback_url")),
        ('enabled = false', 'enabled = "false"', ("the wrong kind", "sources.call_log.enabled", "without quotes")),
        ('system_of_record = "openai"', 'system_of_recrod = "openai"', (
            "means nothing", "providers.openai.system_of_recrod", "system_of_record")),
        ('pue = "1.25"', 'puee = "1.25"', ("means nothing", "sites.here.puee")),
        ('name = "Probe"', 'nme = "Probe"', ("means nothing", "organisation.nme", "use name, sandbox")),
        ('name = "Probe"', "name = 5", ("the wrong kind", "organisation.name", "give text in quotes")),
        ('name = "Probe"', 'sandbox = "no"', ("the wrong kind", "organisation.sandbox", "give true or false")),
        ('zone = "FR"', "zone = 33", ("the wrong kind", "sites.here.zone")),
        ('country = "FRA"', 'country = "XXX"', (
            "A site names a country that there is not", "sites.here.country", "it is 'XXX'", "such as FR or FRA")),
        ('country = "FRA"', 'country = "WOR"', ("a country that there is not", "it is 'WOR'")),
        ('country = "FRA"', 'country = "fra"', ("a country that there is not", "it is 'fra'")),
        ("[sources.openai]", "[sources]\nopenai = true", ("a value where a section belongs", "sources.openai",
                                                         "True is not a section", "write [sources.openai]")),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(tmp_path, wrong, right, parts):
    assert GOOD.count(wrong) == 1
    with pytest.raises(JevonsError) as told:
        loaded(tmp_path, GOOD.replace(wrong, right))
    sentence = str(told.value)
    for part in (settings.FILE, *parts):
        assert part in sentence
    assert "\n" not in sentence and sentence.endswith(".")


@pytest.mark.parametrize("text", ["sites = 3", "organisation = 'x'", "sources = []", "providers = true"])
def test_a_value_is_no_section(tmp_path, text):
    with pytest.raises(JevonsError, match="a value where a section belongs"):
        loaded(tmp_path, text)


def test_no_file_says_what_to_do(tmp_path):
    with pytest.raises(JevonsError, match="jevons init"):
        settings.load(tmp_path, {})
    (tmp_path / settings.FILE).write_bytes(b'name = "\xff"')
    with pytest.raises(JevonsError, match="The settings cannot be read"):
        settings.load(tmp_path, {})


def test_home_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert settings.home({}) == settings.home({"JEVONS_HOME": ""}) == tmp_path / "data"
    assert settings.home({"JEVONS_HOME": str(tmp_path / "x" / ".." / "y")}) == tmp_path / "y"
