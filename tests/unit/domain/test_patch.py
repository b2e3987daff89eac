"""How answers name a patch."""

from dataclasses import replace

import pytest

from patchwindow.domain.patch import Patch

DEB = Patch(name="openssl", arch="amd64", version="3.0.16-1~deb12u1")
RPM = Patch(name="openssl", arch="x86_64", epoch="1", version="3.0.8", release="1.amzn2023")
KB = Patch(name="2026-03 Cumulative Update", kb_number="KB5034123")


@pytest.mark.parametrize(
    ("patch", "kb_id", "title"),
    [
        (DEB, "openssl.amd64", "openssl.amd64:3.0.16-1~deb12u1"),
        (RPM, "openssl.x86_64", "openssl.x86_64:1:3.0.8-1.amzn2023"),
        (replace(RPM, epoch=""), "openssl.x86_64", "openssl.x86_64:0:3.0.8-1.amzn2023"),
        (KB, "KB5034123", "2026-03 Cumulative Update"),
    ],
)
def test_a_patch_is_named_as_the_api_names_it(patch: Patch, kb_id: str, title: str) -> None:
    assert (patch.kb_id, patch.title) == (kb_id, title)


def test_equal_patches_hash_alike_and_others_stay_apart() -> None:
    assert hash(replace(DEB)) == hash(DEB)
    assert len({DEB, replace(DEB), replace(DEB, is_security=True)}) == 2
