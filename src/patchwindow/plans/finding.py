"""What a check finds: a code, how bad it is, where it stands, what it means and what to do about it.  Values only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is: it cannot work, it hardly does what is meant, or it is good to know; worst first."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """What a finding is about: a place in the file *thing*, or where *line* is 0 something that is there by name."""

    thing: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.thing}:{self.line}:{self.column}" if self.line else self.thing


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check has found; *sentence* names the values, *remedy* says what to do, where that is known."""

    code: str
    severity: Severity
    where: Where
    sentence: str
    remedy: str = ""

    @property
    def text(self) -> str:
        """The sentence with its remedy."""
        return f"{self.sentence}; {self.remedy}" if self.remedy else self.sentence

    def __str__(self) -> str:
        return f"{self.where}: {self.severity}: {self.text} [{self.code}]"

    def record(self) -> Mapping[str, object]:
        """Return it as the members of a JSON object; what is in no file has no line."""
        place = {"Line": self.where.line, "Column": self.where.column} if self.where.line else {}
        return {
            "Code": str(self.code),
            "Severity": str(self.severity),
            "Where": self.where.thing,
            **place,
            "Sentence": self.sentence,
            "Remedy": self.remedy,
        }


def are_as_bad(findings: Iterable[Finding], as_bad_as: Severity) -> bool:
    """Say whether one of *findings* is as bad as *as_bad_as*, or worse."""
    order = list(Severity)
    return any(order.index(finding.severity) <= order.index(as_bad_as) for finding in findings)
