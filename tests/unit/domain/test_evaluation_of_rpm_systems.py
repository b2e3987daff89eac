"""The states of patches on systems of yum, dnf and zypper, rule by rule."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.unit.domain.node_samples import node, notice, package, update
from tests.unit.domain.test_decision import baseline, rule

from patchwindow.domain.baseline import Baseline, ComplianceLevel, ComplianceStatus, PatchAction
from patchwindow.domain.baseline_check import check
from patchwindow.domain.decision import DecisionStatus
from patchwindow.domain.evaluation import Evaluation
from patchwindow.domain.evaluation import evaluate as evaluate_unchecked
from patchwindow.domain.facts import Facts
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch_state import PatchState
from patchwindow.domain.predefined import default_for

TODAY = date(2026, 3, 14)
AMAZON, AMAZON_2, REDHAT, SUSE, CENTOS, ORACLE = (
    OperatingSystem.AMAZON_LINUX_2023,
    OperatingSystem.AMAZON_LINUX_2,
    OperatingSystem.REDHAT_ENTERPRISE_LINUX,
    OperatingSystem.SUSE,
    OperatingSystem.CENTOS,
    OperatingSystem.ORACLE_LINUX,
)


def evaluate(facts: Facts, own: Baseline, **more: Any) -> Evaluation:
    """Evaluate as the product does: a baseline is checked before."""
    check(own)
    return evaluate_unchecked(facts, own, TODAY, **more)


def states(evaluation: Evaluation) -> dict[str, PatchState]:
    return {entry.title: entry.state for entry in evaluation.entries}


def passed(evaluation: Evaluation) -> dict[str, DecisionStatus]:
    return {one.title: one.decision.status for one in evaluation.passed}


def blocking(own: Baseline, *entries: str) -> Baseline:
    return replace(own, rejected_patches=entries, rejected_patches_action=PatchAction.BLOCK)


class TestNotices:
    """ "Package appears in an update notice; all packages of a notice count, and inherit its attributes"."""

    @pytest.mark.parametrize(
        ("system", "own", "kind", "severity", "is_missing"),
        [
            ("amazon2023", default_for(AMAZON), "security", "Important", True),
            ("amazon2023", default_for(AMAZON), "security", "Medium", False),
            ("amazon2023", default_for(AMAZON), "bugfix", "", True),
            ("amazon2023", default_for(AMAZON), "enhancement", "Critical", False),
            ("amazon2", default_for(AMAZON_2), "security", "Critical", True),
            ("amazon2", default_for(AMAZON_2), "security", "", True),
            ("redhat", default_for(REDHAT), "security", "Critical", True),
            ("redhat", default_for(REDHAT), "security", "Moderate", False),
            ("redhat", default_for(REDHAT), "newpackage", "", False),
            ("rocky", default_for(OperatingSystem.ROCKY_LINUX), "security", "Important", True),
            ("oracle", default_for(ORACLE), "security", "Moderate", True),
            ("oracle", default_for(ORACLE), "security", "Critical", False),
            ("suse", default_for(SUSE), "security", "Critical", True),
            ("suse", default_for(SUSE), "recommended", "", False),
            ("centos", default_for(CENTOS), "bugfix", "", True),
            ("amazon2023", baseline(AMAZON, rule(SEVERITY="Medium", days=0)), "security", "Moderate", True),
            ("suse", baseline(SUSE, rule(CLASSIFICATION="Recommended", days=0)), "recommended", "", True),
            ("redhat", baseline(REDHAT, rule(PRODUCT="RedhatEnterpriseLinux9.5", days=0)), "bugfix", "", True),
            ("redhat", baseline(REDHAT, rule(PRODUCT="RedhatEnterpriseLinux8.10", days=0)), "bugfix", "", False),
        ],
    )
    def test_an_update_is_missing_where_its_notice_meets_a_rule(
        self, system: str, own: Baseline, kind: str, severity: str, *, is_missing: bool
    ) -> None:
        facts = node(system, advisories=[notice("N-1", kind, severity)], updates=[update("curl", "8.3-1", "8.5-1", 0)])
        evaluation = evaluate(facts, own)
        expected = {"curl.x86_64:0:8.5-1": PatchState.MISSING} if is_missing else {}
        assert states(evaluation) == expected

    def test_either_of_two_notices_may_meet_a_rule_and_what_is_shown_is_its(self) -> None:
        facts = node(
            "redhat",
            advisories=[notice("RHSA-2026:1", severity="Low"), notice("RHBA-2026:2", "bugfix", "")],
            updates=[update("curl", "8.3-1", "8.5-1", 0, 1)],
        )
        (entry,) = evaluate(facts, default_for(REDHAT)).entries
        assert (entry.state, entry.classification) == (PatchState.MISSING, "Bugfix")
        (entry,) = evaluate(facts, baseline(REDHAT, rule(CLASSIFICATION="Security", days=0))).entries
        assert (entry.classification, entry.severity) == ("Security", "Low")

    def test_no_rule_is_met_by_two_notices_together(self) -> None:
        facts = node(
            "redhat",
            advisories=[notice("RHSA-2026:1", severity="Low"), notice("RHBA-2026:2", "bugfix", "Critical")],
            updates=[update("curl", "8.3-1", "8.5-1", 0, 1)],
        )
        assert (
            states(evaluate(facts, baseline(REDHAT, rule(CLASSIFICATION="Security", SEVERITY="Critical", days=0))))
            == {}
        )

    def test_the_highest_level_of_the_rules_that_approve_counts_over_all_notices(self) -> None:
        own = baseline(
            REDHAT,
            rule(CLASSIFICATION="Security", days=0, level=ComplianceLevel.LOW),
            rule(CLASSIFICATION="Bugfix", days=0, level=ComplianceLevel.HIGH),
        )
        facts = node(
            "redhat",
            advisories=[notice("RHSA-2026:1"), notice("RHBA-2026:2", "bugfix", "")],
            updates=[update("curl", "8.3-1", "8.5-1", 0, 1)],
        )
        (entry,) = evaluate(facts, own).entries
        assert (entry.classification, entry.compliance_level) == ("Security", ComplianceLevel.HIGH)

    def test_what_no_notice_names_needs_non_security(self) -> None:
        facts = node("redhat", updates=[update("curl", "8.3-1", "8.5-1", built="2026-01-01")])
        evaluation = evaluate(facts, default_for(REDHAT))
        assert passed(evaluation) == {"curl.x86_64:0:8.5-1": DecisionStatus.NOT_MATCHED}
        lenient = baseline(REDHAT, rule(CLASSIFICATION="*", days=7, enable_non_security=True))
        assert states(evaluate(facts, lenient)) == {"curl.x86_64:0:8.5-1": PatchState.MISSING}

    def test_the_default_of_centos_approves_without_any_notice(self) -> None:
        facts = node("centos", updates=[update("curl", "8.3-1", "8.5-1", built="2026-01-01")])
        assert states(evaluate(facts, default_for(CENTOS))) == {"curl.x86_64:0:8.5-1": PatchState.MISSING}

    def test_every_package_of_a_zypper_patch_is_a_security_patch(self) -> None:
        facts = node(
            "suse", advisories=[notice("SUSE-2026-7", "recommended", "")], updates=[update("vim", "9-1", "9-2", 0)]
        )
        assert states(evaluate(facts, baseline(SUSE, rule(CLASSIFICATION="*", days=0)))) == {
            "vim.x86_64:0:9-2": PatchState.MISSING
        }


class TestDates:
    """Amazon Linux goes by the last change of the notice, the others by its publication, then by the build."""

    @pytest.mark.parametrize(
        ("system", "own", "dates", "is_missing"),
        [
            ("amazon2023", default_for(AMAZON), {"issued": "2026-01-01", "updated": "2026-03-10"}, False),
            ("redhat", default_for(REDHAT), {"issued": "2026-01-01", "updated": "2026-03-10"}, True),
            ("suse", default_for(SUSE), {"issued": "2026-03-07"}, True),
            ("suse", default_for(SUSE), {"issued": "2026-03-08"}, False),
            ("redhat", default_for(REDHAT), {"issued": ""}, False),
        ],
    )
    def test_the_date_that_counts(self, system: str, own: Baseline, dates: dict[str, str], *, is_missing: bool) -> None:
        facts = node(system, advisories=[notice("N-1", **dates)], updates=[update("curl", "8.3-1", "8.5-1", 0)])
        assert bool(states(evaluate(facts, own))) is is_missing

    def test_a_notice_without_a_date_leaves_the_date_of_the_build(self) -> None:
        item = update("curl", "8.3-1", "8.5-1", 0)
        for built, is_missing in (("2026-03-01", True), ("2026-03-10", False)):
            facts = node("amazon2", advisories=[notice("N-1", issued="")], updates=[item | {"built": built}])
            assert bool(states(evaluate(facts, default_for(AMAZON_2)))) is is_missing

    def test_what_waits_passes_and_says_until_when(self) -> None:
        facts = node(
            "redhat", advisories=[notice("N-1", issued="2026-03-12")], updates=[update("curl", "8.3-1", "8.5-1", 0)]
        )
        (one,) = evaluate(facts, default_for(REDHAT)).passed
        assert one.decision.approval_date == date(2026, 3, 19)


class TestVersions:
    """ "Several versions approved for one package: only the newest is considered"."""

    CANDIDATES = (("3.0.7-24.el9", 0), ("3.0.7-27.el9", 1), ("1:3.0.1-1.el9", 2))

    def node(self, *issued: str) -> Facts:
        return node(
            "redhat",
            advisories=[notice(f"RHSA-2026:{number}", issued=day) for number, day in enumerate(issued)],
            updates=[update("openssl", "3.0.7-18.el9", version, index) for version, index in self.CANDIDATES],
        )

    def test_the_newest_by_epoch_version_and_release_is_missing(self) -> None:
        evaluation = evaluate(self.node("2026-01-01", "2026-01-02", "2026-01-03"), default_for(REDHAT))
        assert states(evaluation) == {"openssl.x86_64:1:3.0.1-1.el9": PatchState.MISSING}
        assert evaluation.passed == ()

    def test_the_newest_that_is_approved_is_missing(self) -> None:
        evaluation = evaluate(self.node("2026-01-01", "2026-01-02", "2026-03-13"), default_for(REDHAT))
        assert states(evaluation) == {"openssl.x86_64:0:3.0.7-27.el9": PatchState.MISSING}
        assert passed(evaluation) == {"openssl.x86_64:1:3.0.1-1.el9": DecisionStatus.PENDING_APPROVAL}

    def test_each_kernel_that_is_installed_is_an_entry(self) -> None:
        facts = node(
            "redhat",
            advisories=[notice("RHSA-2026:1")],
            packages=[package("kernel", "5.14.0-427.el9"), package("kernel", "5.14.0-503.el9", 0)],
        )
        assert states(evaluate(facts, default_for(REDHAT))) == {
            "kernel.x86_64:0:5.14.0-427.el9": PatchState.INSTALLED_OTHER,
            "kernel.x86_64:0:5.14.0-503.el9": PatchState.INSTALLED,
        }


class TestInstalled:
    FACTS = node(
        "redhat", advisories=[notice("RHSA-2026:1")], packages=[package("curl", "8.5-1", 0), package("vim", "9-1")]
    )
    CURL, VIM = "curl.x86_64:0:8.5-1", "vim.x86_64:0:9-1"

    def test_an_installed_version_is_installed_where_its_notice_is_approved_and_else_other(self) -> None:
        evaluation = evaluate(self.FACTS, default_for(REDHAT))
        assert states(evaluation) == {self.CURL: PatchState.INSTALLED, self.VIM: PatchState.INSTALLED_OTHER}
        assert evaluation.counts.status is ComplianceStatus.COMPLIANT
        assert evaluation.counts.overall_severity is ComplianceLevel.UNSPECIFIED

    def test_what_was_installed_without_a_reboot_is_pending(self) -> None:
        evaluation = evaluate(self.FACTS, default_for(REDHAT), pending_reboot={self.VIM})
        assert states(evaluation)[self.VIM] is PatchState.INSTALLED_PENDING_REBOOT
        assert evaluation.counts.status is ComplianceStatus.NON_COMPLIANT

    @pytest.mark.parametrize("entry", ["vim", "vim.x86_64", "vim-9-1", "vi*", "vim.x86_64:0:9-1"])
    def test_what_is_blocked_is_rejected_in_every_form_of_its_name(self, entry: str) -> None:
        evaluation = evaluate(self.FACTS, blocking(default_for(REDHAT), entry))
        assert states(evaluation)[self.VIM] is PatchState.INSTALLED_REJECTED
        assert evaluation.counts.installed_rejected_count == 1

    def test_what_is_rejected_and_allowed_as_a_dependency_is_other(self) -> None:
        evaluation = evaluate(self.FACTS, replace(default_for(REDHAT), rejected_patches=("curl",)))
        assert states(evaluation)[self.CURL] is PatchState.INSTALLED_OTHER
        assert evaluation.counts.installed_rejected_count == 0


class TestLists:
    FACTS = node(
        "redhat",
        advisories=[notice("RHSA-2026:1", severity="Low", cves=["CVE-2026-0001"], bugs=["2210001"])],
        updates=[update("curl", "8.3-1", "8.5-1", 0), update("vim", "9-1", "9-2")],
    )

    @pytest.mark.parametrize("entry", ["RHSA-2026:1", "CVE-2026-0001", "2210001", "curl", "cur*", "curl-8.5-1.x86_64"])
    def test_an_approved_notice_or_name_makes_it_missing_with_the_level_of_the_list(self, entry: str) -> None:
        own = replace(
            default_for(REDHAT),
            approved_patches=(entry,),
            approved_patches_compliance_level=ComplianceLevel.HIGH,
        )
        (found,) = evaluate(self.FACTS, own).entries
        assert (found.kb_id, found.compliance_level) == ("curl.x86_64", ComplianceLevel.HIGH)
        assert found.cve_ids == ("CVE-2026-0001",)

    def test_an_approved_name_without_any_notice_needs_non_security(self) -> None:
        own = replace(default_for(REDHAT), approved_patches=("vim",))
        assert states(evaluate(self.FACTS, own)) == {}
        allowed = replace(own, approved_patches_enable_non_security=True)
        assert states(evaluate(self.FACTS, allowed)) == {"vim.x86_64:0:9-2": PatchState.MISSING}

    def test_an_approved_entry_that_names_nothing_on_the_node_is_not_applicable(self) -> None:
        own = replace(
            default_for(REDHAT),
            approved_patches=("curl-8.5", "curl-9", "RHSA-2026:1", "RHSA-2026:9", "nginx*", "cu*", "httpd"),
            rejected_patches=("httpd",),
        )
        assert evaluate(self.FACTS, own).counts.not_applicable_count == 3


class TestDependencies:
    """ "BLOCK: the parent is not installed: Missing after Scan, Failed after Install"."""

    PARENT, MIDDLE, CHILD = "httpd.x86_64:0:2-2", "mod_ssl.x86_64:0:2-2", "openssl.x86_64:0:3-2"
    FACTS = node(
        "redhat",
        advisories=[notice("RHSA-2026:1")],
        additions=[package("newlib", "1-1")],
        updates=[
            update("httpd", "2-1", "2-2", 0, pulls=[1]),
            update("mod_ssl", "2-1", "2-2", pulls=[2, 0], adds=[0]),
            update("openssl", "3-1", "3-2"),
            update("vim", "9-1", "9-2", 0),
        ],
    )

    def test_an_approved_update_whose_dependency_is_blocked_is_missing_after_a_scan(self) -> None:
        evaluation = evaluate(self.FACTS, blocking(default_for(REDHAT), "openssl"))
        assert states(evaluation) == {self.PARENT: PatchState.MISSING, "vim.x86_64:0:9-2": PatchState.MISSING}
        reasons = {entry.title: entry.reason for entry in evaluation.entries}
        assert reasons[self.PARENT].endswith(
            "; it needs openssl.x86_64:0:3-2, which is blocked: RejectedPatches names it with openssl"
        )
        assert "blocked" not in reasons["vim.x86_64:0:9-2"]

    def test_after_an_installation_it_has_failed(self) -> None:
        evaluation = evaluate(self.FACTS, blocking(default_for(REDHAT), "openssl"), after_install=True)
        assert states(evaluation) == {self.PARENT: PatchState.FAILED, "vim.x86_64:0:9-2": PatchState.MISSING}
        (failed,) = (entry for entry in evaluation.entries if entry.state is PatchState.FAILED)
        assert "; its installation failed: it needs openssl.x86_64:0:3-2" in failed.reason

    def test_what_would_be_newly_installed_blocks_too(self) -> None:
        (parent, _) = evaluate(self.FACTS, blocking(default_for(REDHAT), "newlib")).entries
        assert "it needs newlib.x86_64:0:1-1, which is blocked" in parent.reason

    def test_allowed_as_a_dependency_nothing_is_blocked_and_what_comes_along_is_said(self) -> None:
        evaluation = evaluate(self.FACTS, replace(default_for(REDHAT), rejected_patches=("mod_ssl",)))
        assert all("blocked" not in entry.reason for entry in evaluation.entries)
        along = {one.title: one.comes_with for one in evaluation.passed}
        assert along == {self.MIDDLE: (self.PARENT,), self.CHILD: ()}

    def test_with_a_blocked_parent_nothing_comes_along(self) -> None:
        evaluation = evaluate(self.FACTS, blocking(default_for(REDHAT), "mod_ssl"))
        assert {one.comes_with for one in evaluation.passed} == {()}
