"""Worlds whose forecasts come true; `make simulate` has one more with every tenth seed."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.simulation import forecasts

from patchwindow.domain.baseline import PatchRuleGroup
from patchwindow.domain.forecast_run import forecast

_BUSY = 9
"""A world in which much is installed."""


@pytest.mark.parametrize("number", [4, 6, 7, 9, 10])
def test_what_is_forecast_is_what_happens(number: int, template: Path) -> None:
    forecasts.check(number, template.parent)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(100, 200))
def test_what_is_forecast_is_what_happens_in_many_worlds(number: int, template: Path) -> None:
    forecasts.check(number, template.parent)


def test_a_forecast_that_knows_of_no_windows_is_found_out(template: Path) -> None:
    with forecasts.living(_BUSY, template.parent) as world:
        blind = forecast(replace(forecasts.known(world), windows=()), world.until)
        world.run()
        with pytest.raises(AssertionError, match="done and not forecast"):
            forecasts.compare(blind, world)


def test_a_forecast_by_other_rules_is_found_out(template: Path) -> None:
    with forecasts.living(_BUSY, template.parent) as world:
        fleet = forecasts.known(world)
        baselines = {
            id: replace(baseline, approval_rules=PatchRuleGroup(), approved_patches=())
            for id, baseline in fleet.baselines.items()
        }
        wrong = forecast(replace(fleet, baselines=baselines), world.until)
        world.run()
        with pytest.raises(AssertionError, match=r"another time|other patches"):
            forecasts.compare(wrong, world)
