"""`jevons alerts`: what the sensor would tell, and telling it where no Dagster runs.

What is told, and that it is told once, is the business of `pipelines.alerts`.
"""

from datetime import UTC, datetime

import typer

from assets.terminal import err, out, plain, say
from pipelines.settings import home, load

alerts_app = typer.Typer(
    no_args_is_help=True, help="Alerts: who is told, once, when a ceiling changes its status or more of it is used.",
)


@alerts_app.command("check")
def alerts_check() -> None:
    """Shows what `jevons alerts send` would tell each channel now; nothing is sent or noted.

    Example: `jevons alerts check`
    """
    from pipelines.alerts import sending

    for outcome in sending.check(load(home())):
        say(out, plain(sending.summary(outcome)))
        for message in outcome.messages:
            for text in (message.head, *(sentence for _, sentence in message.lines)):
                say(out, f"  {plain(text)}")


@alerts_app.command("send")
def alerts_send() -> None:
    """Tells log, webhook and e-mail what has changed of the ceilings since each was last told.

    For where `jevons dev` does not run: its sensor `alerts` does the same every few minutes. A change is told once per
    channel, however often this is run; a channel that fails is told the next time. The first message of a channel holds
    the present state of all ceilings. Channels are set in `jevons.toml`, [alerts].

    Exit code 1 if a channel failed.

    Example: `jevons materialize --from 2026-08-01 --to 2026-08-31 && jevons alerts send`
    """
    from pipelines.alerts import sending

    outcomes = sending.send(load(home()), datetime.now(UTC), lambda line: say(out, plain(line)))
    if outcomes is None:
        say(err, "another process is sending now; nothing is left to do")
        return
    for outcome in outcomes:
        say(out, plain(sending.summary(outcome)))
        if outcome.trouble:
            say(err, f"[bold red]Error:[/] {plain(outcome.trouble)}")
    raise typer.Exit(1 if any(outcome.trouble for outcome in outcomes) else 0)
