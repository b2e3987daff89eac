"""What is remembered of evaluations."""

from datetime import date

from tests.fakes.scans import SECURITY, facts_of, package, update
from tests.fakes.site import Installation

from patchwindow.domain.facts import digest
from patchwindow.domain.facts_reading import parse
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import default_for
from patchwindow.operations.evaluations import evaluation_by

DAY = date(2026, 3, 14)
FACTS = parse(facts_of([package("openssl", origin=SECURITY)], [update("openssl")]))
DEBIAN = default_for(OperatingSystem.DEBIAN)


def test_equal_questions_are_answered_once(here: Installation) -> None:
    with here.database.read() as work:
        found = evaluation_by(work, FACTS, digest(FACTS), DEBIAN, DAY)
        assert evaluation_by(work, FACTS, digest(FACTS), DEBIAN, DAY) is found


def test_another_day_or_baseline_is_another_question(here: Installation) -> None:
    ubuntu = default_for(OperatingSystem.UBUNTU)
    with here.database.read() as work:
        found = evaluation_by(work, FACTS, digest(FACTS), DEBIAN, DAY)
        assert evaluation_by(work, FACTS, digest(FACTS), DEBIAN, date(2026, 3, 15)) is not found
        assert evaluation_by(work, FACTS, digest(FACTS), ubuntu, DAY) is not found
