"""How far a run is: a moving bar in a terminal, one line a step in a pipe.

What a step is called and when it begins is told by `assets.run`.
"""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

SHOWN = 60


class Progress:
    """A context that shows what it is told."""

    def __init__(self, console: Console):
        self._console = console
        self._bar = Bar(
            TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn(),
            console=console, disable=not console.is_terminal, transient=True,
        )
        self._task = self._bar.add_task("", total=None)
        self._last = ""

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def tell(self, step: str, done: int, total: int) -> None:
        """Shows the step that is at work (`step · detail` while it is), and how many are done."""
        if self._console.is_terminal:
            self._bar.update(self._task, description=f"{step[:SHOWN]:{SHOWN}}", completed=done, total=total or None)
            return
        name = step.partition(" · ")[0]
        if name != self._last and done < max(total, 1):
            count = f"{done + 1}/{total} " if total else ""
            self._console.print(f"{count}{name}", highlight=False, markup=False)
        self._last = name
