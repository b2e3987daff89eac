"""How tests are spread over processes, and how much chance tries in them."""

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

_WORKERS_MIN: Final = 2

# A processor that other tests use makes each example slow now and then, which says nothing of the example.
_PATIENT: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("few", _PATIENT, max_examples=40)
settings.register_profile("many", _PATIENT, max_examples=400)
# `make test-all` asks for many.
settings.load_profile("few")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes `-n auto` means: one for each core, and two on one core, since many tests wait."""
    # Where it can be told, what this process may use is fewer than what the machine has.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(_WORKERS_MIN, cores)
