"""Where the energy of own hardware went: the lines of each machine's meter, and the stages of each training run.

What does not belong here: meters held against other accounts, and the totals of runs.
"""

import pandas

from dashboards.book import Book


def energy_lines(book: Book) -> pandas.DataFrame:
    """Energy of each machine by line over the days shown, in kWh; `is_metered` for hours that its meter read whole."""
    return book.ask(
        """
        select coalesce(host, 'unnamed machine') as host, line, is_metered,
            (sum(energy_j) / 3600000)::double as energy_kwh
        from fct_energy_line_daily
        where {days}
        group by 1, line, is_metered
        order by 1, line, is_metered
        """
    )


def meter_readings(book: Book) -> pandas.DataFrame:
    """What each machine's meter read over the days shown, in kWh; none where it has meters of two kinds."""
    if not book.holds("fct_meter_reconciliation_daily"):
        return pandas.DataFrame({"host": [], "meter_kwh": []})
    return book.ask(
        """
        with meters as (
            select host, site_id, meter_kind, boundary, sum(meter_kwh)::double as meter_kwh
            from fct_meter_reconciliation_daily
            where {days} and host is not null
            group by host, site_id, meter_kind, boundary
        )
        select host, max(meter_kwh) as meter_kwh
        from meters
        group by host
        having count(*) = 1
        order by host
        """
    )


def overhead_kwh(book: Book) -> float | None:
    """Energy booked for cooling and power conversion over the days shown; None where none is known."""
    asked = book.ask(
        """
        select sum(energy_kwh)::double as energy_kwh
        from fct_footprint_daily
        where {days} and energy_line = 'overhead'
        """
    )
    kwh = asked.iloc[0]["energy_kwh"]
    return None if pandas.isna(kwh) else float(kwh)


def run_stages(book: Book) -> pandas.DataFrame:
    """Stages of every training run that windows were measured of, in kWh, what no window holds as `unattributed`.

    The run of most energy comes first; a run's stages by energy, what belongs to none last.
    """
    return book.ask(
        """
        select run_id, stage, window_count, stage_seconds::double as stage_seconds,
            (energy_j / 3600000)::double as energy_kwh, (run_energy_j / 3600000)::double as run_energy_kwh,
            stage_energy_ratio::double as stage_ratio, status
        from fct_run_stage
        order by run_energy_j desc nulls last, run_id, stage = 'unattributed', energy_j desc nulls last, stage
        """
    )
