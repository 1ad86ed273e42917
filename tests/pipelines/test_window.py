"""Half-open windows of whole UTC days."""

from datetime import UTC, date, datetime, timedelta

import pytest

from pipelines.window import Window


def test_a_window_of_days_holds_both_and_ends_before_the_next():
    window = Window.of_days("2026-06-01", date(2026, 6, 3))
    assert window == Window(date(2026, 6, 1), date(2026, 6, 4)) and str(window) == "2026-06-01 to 2026-06-03"
    assert list(window.days()) == [date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)]
    assert date(2026, 6, 1) in window and date(2026, 6, 3) in window
    assert date(2026, 5, 31) not in window and date(2026, 6, 4) not in window


def test_its_instants_are_utc_and_half_open():
    window = Window.of_days("2026-06-01", "2026-06-01")
    assert window.start_utc == datetime(2026, 6, 1, tzinfo=UTC) and window.end_utc == datetime(2026, 6, 2, tzinfo=UTC)
    assert window.start_s == 1_780_272_000 and window.end_s - window.start_s == 86_400
    hours = list(window.hours())
    assert len(hours) == 24 and hours[0] == window.start_utc and hours[-1] == window.end_utc - timedelta(hours=1)


def test_the_days_when_clocks_change_have_24_hours():
    assert [len(list(Window.of_days(day, day).hours())) for day in ("2026-03-29", "2026-10-25")] == [24, 24]


def test_a_leap_year_has_its_day():
    assert list(Window.of_days("2028-02-28", "2028-03-01").days())[1] == date(2028, 2, 29)
    assert list(Window.of_days("2027-02-28", "2027-03-01").days()) == [date(2027, 2, 28), date(2027, 3, 1)]
    assert len(list(Window.of_days("2028-01-01", "2028-12-31").days())) == 366


@pytest.mark.parametrize(("size", "lengths"), [(1, [1] * 10), (3, [3, 3, 3, 1]), (10, [10]), (99, [10])])
def test_chunks_cover_the_window_once_and_in_order(size, lengths):
    window = Window.of_days("2028-02-25", "2028-03-05")
    chunks = list(window.chunks(size))
    assert [len(list(chunk.days())) for chunk in chunks] == lengths
    assert [day for chunk in chunks for day in chunk.days()] == list(window.days())


@pytest.mark.parametrize("size", [0, -1])
def test_chunks_of_nothing_are_refused(size):
    with pytest.raises(ValueError):
        list(Window.of_days("2026-06-01", "2026-06-02").chunks(size))


def test_a_window_without_a_day_is_refused():
    with pytest.raises(ValueError, match="an empty window"):
        Window(date(2026, 6, 1), date(2026, 6, 1))
    with pytest.raises(ValueError):
        Window.of_days("2026-06-02", "2026-06-01")
