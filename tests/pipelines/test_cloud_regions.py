"""The table of cloud regions against the providers' own lists, and its zones against those that publishers know.

How a site takes its zone from it is tested with the settings.
"""

import csv

import pytest

from pipelines import cloud_regions, countries, settings
from pipelines.sources import eia, neso
from pipelines.sources._entsoe_areas import AREAS

# What the providers list for everybody; regions of governments, of test, and announced ones are left out.
LISTED = {
    "aws": """us-east-1 us-east-2 us-west-1 us-west-2 af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2
        ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5
        ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2
        eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1""",
    "azure": """australiacentral australiaeast australiasoutheast austriaeast belgiumcentral brazilsouth canadacentral
        canadaeast centralindia centralus chilecentral eastasia eastus eastus2 francecentral germanywestcentral
        indonesiacentral israelcentral italynorth japaneast japanwest koreacentral koreasouth malaysiawest mexicocentral
        newzealandnorth northcentralus northeurope norwayeast polandcentral qatarcentral southafricanorth
        southcentralus southeastasia southindia spaincentral swedencentral switzerlandnorth uaenorth uksouth ukwest
        westcentralus westeurope westindia westus westus2 westus3""",
    "google": """africa-south1 asia-east1 asia-east2 asia-northeast1 asia-northeast2 asia-northeast3 asia-south1
        asia-south2 asia-southeast1 asia-southeast2 australia-southeast1 australia-southeast2 europe-central2
        europe-north1 europe-north2 europe-southwest1 europe-west1 europe-west2 europe-west3 europe-west4 europe-west6
        europe-west8 europe-west9 europe-west10 europe-west12 me-central1 me-central2 me-west1 northamerica-northeast1
        northamerica-northeast2 northamerica-south1 southamerica-east1 southamerica-west1 us-central1 us-east1 us-east4
        us-east5 us-south1 us-west1 us-west2 us-west3 us-west4""",
}
# Balancing authorities of EIA's form 930, and zones of Electricity Maps that no other publisher here tells of
AUTHORITIES = {"AZPS", "BPAT", "CISO", "ERCO", "GCPD", "LDWP", "MISO", "NEVP", "PACE", "PACW", "PJM", "SC", "WACM"}
ELECTRICITY_MAPS = set(
    "AE AU-NSW AU-VIC BH BR-CS CA-AB CA-ON CA-QC CL-SEN CN HK ID IL IN-NO IN-SO IN-WE JP-KN JP-TK KR MX MY-WM NZ QA SA "
    "SG TH TW ZA".split())
ROWS = list(csv.DictReader(cloud_regions.FILE.read_text("utf-8").splitlines()))


def test_every_region_that_is_listed_is_there():
    wanted = {f"{cloud}:{name}" for cloud, names in LISTED.items() for name in names.split()}
    assert len(wanted) == 34 + 47 + 42
    assert wanted - set(cloud_regions.regions()) == set()
    assert len(ROWS) == len(cloud_regions.regions()), "each is there once"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["cloud_region"])
def test_a_region_is_in_a_zone_that_a_publisher_knows(row):
    zone, country = row["zone"], row["country"]
    code = eia.respondent(zone)
    assert (code in AUTHORITIES) if code else zone in {*AREAS, neso.ZONE} | ELECTRICITY_MAPS
    # a zone's name begins with its country, as alpha-2
    assert countries.alpha3(zone.partition("-")[0]) == country
    assert row["place"] and row["source_url"].startswith("https://")
    assert row["cloud_region"].partition(":")[0] in LISTED


@pytest.mark.parametrize("name, zone", [
    ("aws:eu-west-3", "FR"), ("azure:northcentralus", "US-MIDA-PJM"), ("google:northamerica-northeast2", "CA-ON"),
    ("azure:israelcentral", "IL"), ("azure:southeastasia", "SG"),
])
def test_well_known_places_and_those_that_published_tables_have_wrong(name, zone):
    assert cloud_regions.region(name).zone == zone


@pytest.mark.parametrize("name", ["aws:eu-west-9", "eu-west-3", "", None, 3, "AWS:eu-west-3"])
def test_what_is_not_there_is_nothing(name):
    assert cloud_regions.region(name) is None


def test_a_site_takes_its_zone_and_its_country_from_its_region(tmp_path):
    (tmp_path / settings.FILE).write_text('[sites.paris]\ncloud_region = "aws:eu-west-3"\ncontrol = "vendor"\n')
    site, = settings.load(tmp_path, {}).sites
    assert (site.zone, site.country, site.control) == ("FR", "FRA", "vendor")
