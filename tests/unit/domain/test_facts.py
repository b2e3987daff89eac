"""Facts: what they mean, and that equal ones are equal bytes."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.facts import Facts, canonical, digest
from patchwindow.domain.facts_patches import patches_of
from patchwindow.domain.facts_reading import aligned, parse
from patchwindow.domain.operating_system import OperatingSystem

MAIN = {
    "origin": "Debian",
    "label": "Debian",
    "suite": "oldstable",
    "codename": "bookworm",
    "component": "main",
    "site": "mirror.example.net",
}
SECURITY = MAIN | {"label": "Debian-Security", "suite": "oldstable-security", "codename": "bookworm-security"}
BACKPORTS = MAIN | {"suite": "oldstable-backports", "codename": "bookworm-backports"}


def package(name: str, version: str, *origins: int) -> dict[str, Any]:
    return {
        "name": name,
        "arch": "amd64",
        "version": version,
        "section": "utils",
        "priority": "optional",
        "origins": list(origins),
    }


def update(name: str, installed: str, candidate: str, *origins: int) -> dict[str, Any]:
    return {
        "name": name,
        "arch": "amd64",
        "installed": installed,
        "candidate": candidate,
        "section": "utils",
        "priority": "optional",
        "size": 1430000,
        "origins": list(origins),
        "security": True,
        "held": False,
    }


def example() -> dict[str, Any]:
    return {
        "schema": 1,
        "manager": "apt",
        "os": {
            "id": "debian",
            "name": "Debian GNU/Linux",
            "versionId": "12",
            "codename": "bookworm",
            "arch": "amd64",
        },
        "origins": [MAIN, SECURITY, BACKPORTS],
        "packages": [package("bash", "5.2.15-2+b7", 0), package("openssl", "3.0.15-1~deb12u1", 0, 1)],
        "updates": [update("openssl", "3.0.15-1~deb12u1", "3.0.16-1~deb12u1", 1)],
        "held": ["linux-image-amd64"],
        "reboot": {"required": True, "reasons": ["the kernel is newer than the running one"]},
    }


def test_the_patches_of_facts_are_what_is_installed_and_what_is_offered() -> None:
    facts = parse(example())
    patches = patches_of(facts)
    assert facts.operating_system is OperatingSystem.DEBIAN
    assert [patch.title for (patch,) in patches.installed] == [
        "bash.amd64:5.2.15-2+b7",
        "openssl.amd64:3.0.15-1~deb12u1",
    ]
    ((offered,),) = patches.offered
    assert (offered.kb_id, offered.title) == ("openssl.amd64", "openssl.amd64:3.0.16-1~deb12u1")
    assert (offered.classification, offered.severity, offered.product) == ("Security", "optional", "Debian12")
    assert offered.repository == "Debian-Security bookworm-security"


def test_security_is_what_one_of_the_security_sources_offers() -> None:
    (bash,), (openssl,) = patches_of(parse(example())).installed
    assert not bash.is_security
    assert bash.classification == ""
    assert openssl.is_security
    assert openssl.repository == "Debian-Security bookworm-security"


def test_the_security_source_of_ubuntu_is_known_by_its_suite() -> None:
    data = example()
    data["origins"][1] = MAIN | {"origin": "Ubuntu", "label": "Ubuntu", "suite": "jammy-security", "codename": "jammy"}
    (bash,), (openssl,) = patches_of(parse(data)).installed
    assert (bash.is_security, bash.repository) == (False, "Debian bookworm")
    assert (openssl.is_security, openssl.repository) == (True, "Ubuntu jammy-security")


def test_what_no_source_offers_has_no_source_and_is_no_security_patch() -> None:
    data = example()
    data["packages"][0]["origins"] = []
    ((bash,), _) = patches_of(parse(data)).installed
    assert (bash.is_security, bash.repository) == (False, "")


def test_a_system_that_the_api_does_not_have_has_no_product() -> None:
    data = example()
    data["os"]["name"] = "Devuan"
    facts = parse(data)
    assert facts.operating_system is None
    assert {patch.product for (patch,) in patches_of(facts).installed} == {""}


def test_the_digest_is_of_compact_json_with_sorted_keys_that_leaves_out_what_says_nothing() -> None:
    text = canonical(parse(example())).decode()
    assert text.startswith('{"additions":[],"advisories":[],"held":["linux-image-amd64"],"manager":"apt","origins":[{')
    assert json.loads(text)["schema"] == 2
    # The origins went into order, main, backports, security, and the indexes with them.
    assert [entry["origins"] for entry in json.loads(text)["packages"]] == [[0], [0, 2]]
    assert "held" not in json.loads(text)["updates"][0]


def test_schema_1_is_schema_2_that_leaves_nothing_out() -> None:
    """Nodes whose agents differ in age share their facts."""
    assert digest(parse(example() | {"schema": 2})) == digest(parse(example()))


versions = st.sampled_from(["1.0-1", "1.0-2", "1:0.9", "2.0~rc1"])
some_origins = st.lists(st.integers(0, 2), max_size=3, unique=True)
some_facts = st.builds(
    lambda packages, updates, held: example() | {"packages": packages, "updates": updates, "held": held},
    st.lists(
        st.builds(
            lambda name, version, origins: package(name, version, *origins),
            st.sampled_from("abcdef"),
            versions,
            some_origins,
        ),
        unique_by=lambda entry: str(entry["name"]),
    ),
    st.lists(
        st.builds(
            lambda name, version, origins: update(name, "0", version, *origins),
            st.sampled_from("abc"),
            versions,
            some_origins,
        ),
        unique_by=lambda entry: (str(entry["name"]), str(entry["candidate"])),
    ),
    st.lists(st.sampled_from("abc"), unique=True),
)


@given(some_facts, st.randoms())
def test_the_order_of_facts_is_irrelevant(data: dict[str, Any], chance: Any) -> None:
    """ "Equal for nodes in the same state"."""
    order = [0, 1, 2]
    chance.shuffle(order)

    def shuffled(name: str) -> list[Any]:
        entries = [dict(entry) if isinstance(entry, dict) else entry for entry in data[name]]
        chance.shuffle(entries)
        for entry in entries:
            if isinstance(entry, dict):
                entry["origins"] = [order.index(index) for index in reversed(entry["origins"])]
        return entries

    other = data | {name: shuffled(name) for name in ("packages", "updates", "held")}
    other["origins"] = [data["origins"][index] for index in order]
    assert digest(parse(other)) == digest(parse(data))
    assert parse(other) == parse(data)


@given(some_facts)
def test_what_was_written_is_read_back(data: dict[str, Any]) -> None:
    facts: Facts = parse(data)
    assert parse(json.loads(canonical(facts))) == facts


@given(some_facts, st.randoms())
def test_times_of_installation_follow_their_packages(data: dict[str, Any], chance: Any) -> None:
    packages = list(data["packages"])
    chance.shuffle(packages)
    times = {entry["name"]: 1790000000 + ord(entry["name"]) for entry in packages}
    data = data | {"packages": packages}
    found = aligned(data, [times[entry["name"]] for entry in packages])
    assert found == tuple(float(times[entry.name]) for entry in parse(data).packages)
