"""What nodes of one image have and are offered, drawn from a world's chance."""

import random
from datetime import date, timedelta
from typing import Final

from tests.simulation.patching import Facts

NAMES: Final = ("bash", "curl", "glibc", "httpd", "kernel", "openssl", "sudo", "zlib")


def image(draw: random.Random, today: date) -> Facts:
    """Return what a node of some image has and is offered: dated and undated, held, pulled along, in several versions."""
    advisories = [
        {
            "id": f"RHSA-2026:{number}",
            "kind": draw.choice(["security", "bugfix"]),
            "severity": "Important",
            "issued": f"{today - timedelta(days=draw.randrange(20))}",
            "cves": [f"CVE-2026-{1000 + number}"],
        }
        for number in range(12)
    ]
    installed = sorted(draw.sample(NAMES, draw.randint(3, len(NAMES))))
    held = {name for name in installed if draw.random() < 0.1}
    updates: list[Facts] = []
    for name in installed:
        for version in sorted(draw.sample(range(2, 6), draw.choice([0, 1, 1, 2]))):
            named = [draw.randrange(len(advisories))] if draw.random() < 0.9 else []
            updates.append(
                {
                    "name": name,
                    "arch": "x86_64",
                    "installed": "1-1",
                    "candidate": f"{version}-1",
                    "origins": [0],
                    "advisories": named,
                    "held": name in held,
                    "pulls": [],
                    "adds": [0] if draw.random() < 0.2 else [],
                }
            )
    for update in updates:
        # Nothing needs, by way of others, another version of itself.
        others = [index for index, other in enumerate(updates) if other["name"] > update["name"]]
        if others and draw.random() < 0.25:
            update["pulls"] = [draw.choice(others)]
    return {
        "schema": 2,
        "manager": "dnf",
        "os": {"id": "rhel", "name": "Red Hat Enterprise Linux", "versionId": "9.3", "arch": "x86_64"},
        "origins": [{"id": "baseos"}],
        "advisories": advisories,
        "packages": [{"name": name, "arch": "x86_64", "version": "1-1", "origins": [0]} for name in installed],
        "additions": [{"name": "libnew", "arch": "x86_64", "version": "1-1", "origins": [0]}],
        "updates": updates,
        "reboot": {"required": False},
    }
