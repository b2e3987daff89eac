"""The baselines that are there from the start."""

import re

import pytest

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.baseline_check import check
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import PREDEFINED, arn, default_for


def test_there_are_seventeen_with_ids_of_their_own() -> None:
    ids = {baseline.baseline_id for baseline in PREDEFINED}
    assert len(PREDEFINED) == len(ids) == 17
    assert all(re.fullmatch(r"pb-[0-9a-f]{17}", id) for id in ids)


@pytest.mark.parametrize("baseline", PREDEFINED, ids=lambda baseline: baseline.name)
def test_each_is_a_valid_baseline(baseline: Baseline) -> None:
    check(baseline)


@pytest.mark.parametrize("system", OperatingSystem)
def test_each_system_has_exactly_one_that_clients_recognise_as_its_default(system: OperatingSystem) -> None:
    """Terraform restores the only one whose name matches this."""
    names = [baseline.name for baseline in PREDEFINED if baseline.operating_system is system]
    matching = [name for name in names if re.fullmatch(r"AWS-[0-9A-Za-z]+PatchBaseline", name)]
    assert matching == [default_for(system).name]


def test_ubuntu_stores_a_delay_and_debian_none() -> None:
    ubuntu = default_for(OperatingSystem.UBUNTU).approval_rules.patch_rules
    debian = default_for(OperatingSystem.DEBIAN).approval_rules.patch_rules
    assert [rule.approve_after_days for rule in ubuntu] == [7]
    assert [rule.approve_after_days for rule in debian] == [None]


def test_only_centos_takes_what_is_not_security() -> None:
    systems = {
        baseline.operating_system
        for baseline in PREDEFINED
        for rule in baseline.approval_rules.patch_rules
        if rule.enable_non_security
    }
    assert systems == {OperatingSystem.CENTOS}


def test_the_id_of_a_predefined_baseline_is_an_arn_of_its_owner() -> None:
    id = default_for(OperatingSystem.DEBIAN).baseline_id
    name = arn(id, "eu-central-1")
    assert name == "arn:aws:ssm:eu-central-1:075727635805:patchbaseline/pb-09a5f8eb62bde80b1"
