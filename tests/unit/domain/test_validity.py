"""How long an evaluation holds."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.baseline import Baseline, PatchFilter, PatchFilterGroup, PatchRule, PatchRuleGroup
from patchwindow.domain.evaluation import evaluate
from patchwindow.domain.facts import Advisory, Facts, Manager, Package, Reboot, System, Update
from patchwindow.domain.filter_values import FilterKey
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.validity import next_change

TODAY = date(2026, 3, 14)
DAY = timedelta(days=1)
SYSTEM = System(id="rhel", name="Red Hat Enterprise Linux", version_id="9.3", arch="x86_64")

days = st.integers(-20, 20).map(lambda number: TODAY + number * DAY)
delays = st.integers(0, 15)
rules = st.builds(
    lambda after, until, non_security: PatchRule(
        patch_filter_group=PatchFilterGroup(patch_filters=(PatchFilter(key=FilterKey.PRODUCT, values=("*",)),)),
        approve_after_days=None if until else after,
        approve_until_date=until.isoformat() if until else None,
        enable_non_security=non_security,
    ),
    delays,
    st.none() | days,
    st.booleans(),
)
baselines = st.lists(rules, max_size=3).map(
    lambda several: Baseline(
        baseline_id="pb-1",
        name="own",
        operating_system=OperatingSystem.REDHAT_ENTERPRISE_LINUX,
        approval_rules=PatchRuleGroup(patch_rules=tuple(several)),
    )
)


def facts(issued: list[date]) -> Facts:
    """Return facts of a node with so many packages, each with an advisory that was issued on a day."""
    return Facts(
        manager=Manager.DNF,
        os=SYSTEM,
        advisories=tuple(
            Advisory(id=f"RHSA-{at}", kind="security", severity="Important", issued=day.isoformat())
            for at, day in enumerate(issued)
        ),
        packages=tuple(
            Package(name=f"p{at}", arch="x86_64", version="0:1-1", built="2026-03-01") for at in range(len(issued))
        ),
        updates=tuple(
            Update(name=f"p{at}", arch="x86_64", installed="0:1-1", candidate="0:2-1", advisories=(at,))
            for at in range(len(issued))
        ),
        reboot=Reboot(required=False),
    )


@given(st.lists(days, max_size=4), baselines, st.integers(1, 40))
def test_until_the_next_change_every_day_says_the_same(issued: list[date], baseline: Baseline, look_ahead: int) -> None:
    found = facts(issued)
    change = next_change(found, baseline, TODAY)
    assert change is None or change > TODAY
    today = evaluate(found, baseline, TODAY)
    for number in range(look_ahead):
        day = TODAY + number * DAY
        if change is not None and day >= change:
            break
        later = evaluate(found, baseline, day)
        assert (later.entries, later.counts) == (today.entries, today.counts)


def rule(days: int) -> Baseline:
    group = PatchFilterGroup(patch_filters=(PatchFilter(key=FilterKey.PRODUCT, values=("*",)),))
    made = PatchRule(patch_filter_group=group, approve_after_days=days)
    return Baseline(
        name="own",
        operating_system=OperatingSystem.REDHAT_ENTERPRISE_LINUX,
        approval_rules=PatchRuleGroup(patch_rules=(made,)),
    )


def test_the_next_change_is_the_first_day_on_which_a_delay_is_over() -> None:
    issued = [TODAY - 3 * DAY, TODAY - DAY, TODAY - 100 * DAY]
    # The packages, built on the 1st and named by no advisory, are too old to change.
    assert next_change(facts(issued), rule(7), TODAY) == TODAY + 4 * DAY
    assert next_change(facts(issued), rule(7), TODAY + 4 * DAY) == TODAY + 6 * DAY
    assert next_change(facts(issued), rule(7), TODAY + 6 * DAY) is None


def test_on_apt_nothing_changes_by_the_day_unless_the_baseline_goes_by_first_sight() -> None:
    found = Facts(
        manager=Manager.APT,
        os=System(id="debian", name="Debian GNU/Linux", version_id="12", arch="amd64"),
        packages=(Package(name="bash", arch="amd64", version="1"),),
        reboot=Reboot(required=False),
    )
    group = PatchFilterGroup(patch_filters=(PatchFilter(key=FilterKey.PRODUCT, values=("*",)),))
    made = PatchRuleGroup(patch_rules=(PatchRule(patch_filter_group=group, approve_after_days=7),))
    plain = Baseline(name="own", operating_system=OperatingSystem.DEBIAN, approval_rules=made)
    by_sight = Baseline(
        name="own", operating_system=OperatingSystem.DEBIAN, approval_rules=made, approves_by_first_seen=True
    )
    assert next_change(found, plain, TODAY) is None
    assert next_change(found, by_sight, TODAY) == TODAY + 7 * DAY, "it is seen today"
