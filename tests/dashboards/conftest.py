"""Published organisations for the tests of the pages: one of 90 days, and odd ones made on demand.

What does not belong here: assertions, and a browser.
"""

import fixture_marts
import pytest


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """An organisation of 90 days in which each kind of ceiling, gap and hostile name occurs."""
    folder = tmp_path_factory.mktemp("organisation")
    fixture_marts.publish(folder)
    return folder
