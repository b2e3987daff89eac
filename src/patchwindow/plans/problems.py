"""What can be wrong with a plan: every problem at once, each with its place in the file."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from patchwindow.domain.errors import Invalid


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a plan file; lines and columns count from one.  Where *file* is empty, the plan has one file."""

    line: int
    column: int
    file: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, and where."""

    file: str
    mark: Mark
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.mark.line}:{self.mark.column}: {self.message}"


class PlanProblems(Invalid):
    """A plan cannot be used; *problems* says all that is wrong with it, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))
