"""The run-time proxy, frozen: only added to, typed when read, and never changed for a day on which it counts."""

from datetime import date
from decimal import Decimal

import pytest

from pipelines.errors import JevonsError
from pipelines.runtime_proxies import FILE, freeze, frozen

FIT = {"gpu_model": "H100", "low_w": Decimal("90.5"), "fitted_w": Decimal("250"), "high_w": Decimal("600"),
       "gsd_ratio": Decimal("1.5"), "metered_hours": 400, "fitted_from_date": date(2026, 6, 1),
       "fitted_to_date": date(2026, 6, 30), "is_usable": True}


def test_what_was_frozen_stays_and_later_fits_are_added(tmp_path):
    assert list(frozen(tmp_path)) == []
    other = {**FIT, "gpu_model": "A100", "is_usable": False}
    assert [row["gpu_model"] for row in freeze(tmp_path, [FIT, other], date(2026, 7, 1))] == ["H100"]
    before = (tmp_path / FILE).read_text("utf-8")
    freeze(tmp_path, [{**FIT, "fitted_w": Decimal("260")}, {**other, "is_usable": True}], date(2026, 8, 1))
    assert (tmp_path / FILE).read_text("utf-8").startswith(before)
    assert [(row["gpu_model"], row["fitted_w"], row["valid_from"]) for row in frozen(tmp_path)] == [
        ("H100", Decimal("250"), date(2026, 7, 1)), ("A100", Decimal("250"), date(2026, 8, 1)),
        ("H100", Decimal("260"), date(2026, 8, 1))]
    assert next(iter(frozen(tmp_path))) == {
        **{name: value for name, value in FIT.items() if name != "is_usable"}, "valid_from": date(2026, 7, 1)}


@pytest.mark.parametrize("day", [date(2026, 7, 1), date(2026, 6, 1)])
def test_a_day_on_which_a_fit_counts_is_not_given_another(tmp_path, day):
    freeze(tmp_path, [FIT], date(2026, 7, 1))
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(JevonsError, match="already counts from 2026-07-01"):
        freeze(tmp_path, [FIT], day)
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize(("old", "new", "words"), [
    ("gpu_model,low_w", "model,low_w", "header"), (",250,", ",much,", "line 2"), (",90.5,", ",300,", "range around"),
    (",90.5,", ",0,", "range around"), ("2026-07-01", "July", "line 2"), ("400", "4e2", "line 2"),
])
def test_a_file_changed_by_hand_is_refused(tmp_path, old, new, words):
    freeze(tmp_path, [FIT], date(2026, 7, 1))
    text = (tmp_path / FILE).read_text("utf-8")
    assert text.count(old) == 1
    (tmp_path / FILE).write_text(text.replace(old, new), "utf-8")
    with pytest.raises(JevonsError) as error:
        list(frozen(tmp_path))
    assert words in str(error.value)
