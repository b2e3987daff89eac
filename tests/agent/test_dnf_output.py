"""What dnf 4, dnf 5 and yum print: as 4.14 and 5.4 print it, and as the source of yum says."""

import textwrap

import pytest

from patchwindow_agent import dnf_output
from patchwindow_agent.dnf_output import Offer, Plan, Repository
from patchwindow_agent.errors import Locked, NoRights, ScanFailed
from patchwindow_agent.rpm_database import Links

REPOINFO_4 = """\
Repo-id            : baseos
Repo-name          : Rocky Linux 9 - BaseOS
Repo-revision      : 9.5
Repo-updated       : Mon Nov 23 08:42:00 2026
Repo-pkgs          : 29
Repo-size          : 183 k
Repo-mirrors       : https://mirrors.example.net/mirrorlist?arch=x86_64&repo=BaseOS-9
Repo-baseurl       : http://one.example.org/9/BaseOS/x86_64/os/ (9 more)
Repo-expire        : 21600 second(s) (last: Mon Nov 23 08:42:42 2026)
Repo-filename      : /etc/yum.repos.d/rocky.repo

Repo-id            : local
Repo-name          : On this disk
Repo-baseurl       : file:///srv/repository, http://two.example.org/
Total packages: 29
"""
REPOINFO_5 = """\
Repo ID              : updates
Name                 : Fedora 41 - x86_64 - Updates
Status               : enabled
Priority             : 99
Cost                 : 1000
Type                 : available
Metadata expire      : 21600 seconds (last: 2026-11-23 08:42:42)
Skip if unavailable  : false
Config file          : /etc/yum.repos.d/fedora-updates.repo
URLs                 :
  Base URL           : http://one.example.org/updates/41/ (80 more)
  Metalink           : https://mirrors.example.net/metalink?repo=updates-released-f41&arch=x86_64
OpenPGP              :
  Keys               : file:///etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-41-x86_64
  Verify repodata    : false
  Verify packages    : true
Repodata info        :
  Available packages : 9000
  Updated            : 2026-11-22 03:00:00
"""


def test_repositories_are_told_with_the_host_of_their_list_of_mirrors() -> None:
    assert dnf_output.parse_repositories(REPOINFO_4) == [
        Repository("baseos", "Rocky Linux 9 - BaseOS", "mirrors.example.net"),
        Repository("local", "On this disk", ""),
    ]
    assert dnf_output.parse_repositories(REPOINFO_5) == [
        Repository("updates", "Fedora 41 - x86_64 - Updates", "mirrors.example.net")
    ]


@pytest.mark.parametrize("built", ["2026-01-01 00:00", "1767225600"])
def test_an_offer_is_read_whether_its_build_is_told_as_a_day_or_in_seconds(built: str) -> None:
    text = f"\ntoy|1|1.0~rc1|1|noarch|updates|{built}|6513\n\ntoy|1|1.0~rc1|1|src|updates|{built}|6513\nUpdating...\n"
    assert dnf_output.parse_offers(text) == [Offer("toy", "noarch", "1:1.0~rc1-1", "updates", "2026-01-01", 6513)]


def test_relations_of_several_lines_stay_with_their_package() -> None:
    text = textwrap.dedent("""\
        toy-app|0|2.1|1|noarch|toy|2026-01-01 00:00|6449|
        toy-base >= 1.0-2
        (toy-extra if toy-more)
        |
        toy-app = 2.1-1
        ||

        toy-base|0|1.0|2|noarch|toy|2026-01-01 00:00|6445|

        |
        toy-base = 1.0-2
        ||
        """)
    found = {offer.name: links for offer, links in dnf_output.parse_links(text).items()}
    assert found == {
        "toy-app": Links(["toy-base >= 1.0-2", "(toy-extra if toy-more)"], ["toy-app = 2.1-1"]),
        "toy-base": Links([], ["toy-base = 1.0-2"]),
    }


def test_updates_are_found_among_sentences_and_under_long_names() -> None:
    text = textwrap.dedent("""\

        glibc.noarch                               2.36-2                            toy
        java-1.8.0-openjdk-headless-with-a-very-long-name.x86_64
                                                   1:1.8.0.432.b06-2.el9             appstream
        Obsoleting Packages
        toy-new.noarch                             2.0-1                             toy
            toy-old.noarch                         1.0-1                             @toy
        Security: kernel-core-5.14.0-503.el9.x86_64 is an installed security update
        Updating Subscription Management repositories.
        """)
    assert dnf_output.parse_check_update(text) == {
        ("glibc", "noarch"),
        ("java-1.8.0-openjdk-headless-with-a-very-long-name", "x86_64"),
        ("toy-new", "noarch"),
        ("toy-old", "noarch"),
    }


PLAN_4 = """\
Dependencies resolved.
================================================================================
 Package             Architecture       Version           Repository       Size
================================================================================
Upgrading:
 toy-eats            noarch             1.1-1             toy             6.3 k
     replacing  toy-ate.noarch 1.0-1
Removing dependent packages:
 toy-food            noarch             1.0-1             @toy            4
 a-name-that-takes-the-whole-of-its-column-and-more
                     noarch             1.0-1             @toy            4

Transaction Summary
================================================================================
Upgrade  1 Package
Remove   1 Package

Total download size: 1.5 M
"""
PLAN_5 = """\
Package               Arch   Version Repository      Size
Removing dependent packages:
 toy-food             noarch 0:1.0-1 toy          4.0   B
Upgrading:
 toy-eats             noarch 0:1.1-1 toy          4.0   B
   replacing toy-eats noarch 0:1.0-1 toy          4.0   B

Transaction Summary:
 Upgrading:          1 package
 Replacing:          1 package
 Removing:           1 package

"""
PROGRESS_5 = """\
Updating and loading repositories:
 Toy toy                                100% | 218.1 KiB/s |  14.6 KiB |  00m00s
Repositories loaded.
Total size of inbound packages is 2 MiB. Need to download 1 MiB.
After this operation, 4 B will be freed (install 4 B, remove 8 B).
"""
REFRESH_5 = """\
Updating and loading repositories:
 Toy slow                               100% |   0.0   B/s |   3.5 KiB |  00m00s
>>> Curl error (7): Could not connect to server for http://127.0.0.1:8/repodata/repomd.xml
 Toy gone                               ???% |   0.0   B/s |  -1.0   B |  ?
>>> Curl error (7): Could not connect to server for http://127.0.0.1:9/x/repodata/repomd.xml
>>> Usable URL not found
Repositories loaded.
"""
TRANSACTION_5 = """\
[1/2] toy-broken-0:1.1-1.noarch         100% | 387.2 KiB/s |   6.6 KiB |  00m00s
[2/2] toy-mid-0:1.2-1.noarch            100% | 221.3 KiB/s |   6.4 KiB |  00m00s
--------------------------------------------------------------------------------
[2/2] Total                             100% | 433.3 KiB/s |  13.0 KiB |  00m00s
Running transaction
[1/6] Verify package files              100% |   0.0   B/s |   2.0   B |  00m00s
[3/6] Upgrading toy-mid-0:1.2-1.noarch  100% |   2.9 KiB/s | 100.0   B |  00m00s
>>> Running %pre scriptlet: toy-broken-0:1.1-1.noarch
>>> Error in %pre scriptlet: toy-broken-0:1.1-1.noarch
>>> [RPM] toy-broken-1.1-1.noarch: install failed
Transaction failed: Rpm transaction failed.
"""
PLAN_YUM = """\
Dependencies Resolved

================================================================================
 Package           Arch          Version             Repository            Size
================================================================================
Updating:
 toy-eats          noarch        1.1-1               toy                  6.3 k
Removing for dependencies:
 toy-food          noarch        1.0-1               @toy                 4.0

Transaction Summary
================================================================================
Upgrade  1 Package
Remove             ( 1 Dependent package)

Total download size: 6.3 k
Exiting on user command
"""


@pytest.mark.parametrize(
    ("stdout", "stderr", "removes", "size"),
    [
        (
            PLAN_4,
            "Operation aborted.\n",
            ["toy-food.noarch", "a-name-that-takes-the-whole-of-its-column-and-more"],
            1572864,
        ),
        (PLAN_5, f"{PROGRESS_5}Operation aborted by the user.\n", ["toy-food.noarch"], 1048576),
        (PLAN_YUM, "", ["toy-food.noarch"], 6451),
    ],
)
def test_a_plan_tells_what_it_removes_and_not_what_is_replaced(
    stdout: str, stderr: str, removes: list[str], size: int
) -> None:
    assert dnf_output.parse_plan(1, stdout, stderr) == Plan(removes, [], size, None)


@pytest.mark.parametrize(
    ("stdout", "stderr"),
    [
        ("No match for argument: toy-0:1-1.noarch\n", "Error: No packages marked for upgrade.\n"),
        ("", "Failed to resolve the transaction:\nNo match for argument: toy-0:1-1.noarch\n"),
        ("", "Argument 'toy-0:1-1.noarch' matches only packages excluded by versionlock.\n"),
        ("", "Argument 'toy-0:1-1.noarch' matches only excluded packages.\n"),
        ("No Match for argument: toy-0:1-1.noarch\nNo packages marked for update\n", ""),
        ("No package toy-0:1-1.noarch available.\n", "Error: Nothing to do\n"),
    ],
)
def test_what_is_not_known_or_not_allowed_is_named(stdout: str, stderr: str) -> None:
    assert dnf_output.parse_plan(1, stdout, stderr).unmatched == ["toy-0:1-1.noarch"]


def test_a_plan_that_cannot_be_made_has_the_words_of_the_solver() -> None:
    stderr = textwrap.dedent("""\
        Error:
         Problem: package toy-app-2.1-1.noarch requires toy-base >= 1.0-2, but none of the providers can be installed
          - package toy-base-1.0-2.noarch is filtered out by exclude filtering
        (try to add '--skip-broken' to skip uninstallable packages)
        """)
    problem = dnf_output.parse_plan(1, "", stderr).problem
    assert problem is not None
    assert problem.startswith("Problem: package toy-app-2.1-1.noarch requires toy-base >= 1.0-2")
    assert problem.endswith("filtered out by exclude filtering")


def test_what_dnf_5_says_of_its_progress_is_no_reason() -> None:
    assert dnf_output.problem_text(1, "", PROGRESS_5 + TRANSACTION_5) == "Transaction failed: Rpm transaction failed."
    solver = """Failed to resolve the transaction:
Problem: package toy-grows-1.1-1.noarch from toy requires toy-lib2 >= 2, but none of the providers can be installed
  - package toy-deep-3.0-1.noarch from toy is filtered out by exclude filtering
You can try to add to command line:
  --no-best to not limit the transaction to the best candidates
"""
    assert dnf_output.problem_text(1, "", PROGRESS_5 + solver) == (
        "Problem: package toy-grows-1.1-1.noarch from toy requires toy-lib2 >= 2, but none of the providers can be"
        " installed - package toy-deep-3.0-1.noarch from toy is filtered out by exclude filtering"
    )


def test_scripts_that_failed_under_dnf_5_are_told_by_their_package() -> None:
    assert dnf_output.scriptlets("", TRANSACTION_5) == {
        "toy-broken-0:1.1-1.noarch": "Error in %pre scriptlet: toy-broken-0:1.1-1.noarch"
    }


def test_a_failure_without_words_is_told_with_its_exit_status() -> None:
    assert dnf_output.problem_text(3, "", "") == "it failed with exit status 3 and gave no reason"


def test_what_scripts_say_is_told_by_package() -> None:
    stdout = (
        "error: toy-broken-1.1-1.noarch: install failed\n>>> Error in pre-install scriptlet: toy-new-0:2-1.noarch\n"
    )
    stderr = "Error in POSTIN scriptlet in rpm package toy-warns\nwarning: %post(toy-old-1-1.x86_64) scriptlet failed, exit status 1\n"
    assert set(dnf_output.scriptlets(stdout, stderr)) == {
        "toy-broken-1.1-1.noarch",
        "toy-new-0:2-1.noarch",
        "toy-warns",
        "toy-old-1-1.x86_64",
    }


@pytest.mark.parametrize(
    ("exit_code", "stderr", "kind"),
    [
        (200, "Error: Failed to obtain the transaction lock (logged in as: root).\n", Locked),
        (1, "Another app is currently holding the yum lock; exiting as configured by exit_on_lock\n", Locked),
        (
            1,
            "Error: This command has to be run with superuser privileges (under the root user on most systems).\n",
            NoRights,
        ),
        (1, "Error: [Errno 13] Permission denied: '/var/cache/dnf/x'\n", NoRights),
        (1, "Error: Failed to download metadata for repo 'toy': Cannot download repomd.xml\n", ScanFailed),
    ],
)
def test_a_failure_is_told_as_what_it_is(exit_code: int, stderr: str, kind: type[ScanFailed]) -> None:
    assert type(dnf_output.failure(exit_code, "", stderr, doing="refresh the package lists")) is kind


def test_repositories_that_were_left_out_are_named() -> None:
    assert dnf_output.skipped_repositories("Ignoring repositories: epel, extras\n", "") == ["epel", "extras"]
    assert dnf_output.skipped_repositories("Metadata cache created.\n", REFRESH_5) == ["Toy gone"]
    reason = dnf_output.problem_text(
        1,
        "",
        REFRESH_5
        + 'Failed to download metadata (baseurl: "http://127.0.0.1:9/x") for repository "gone": Usable URL not found\n',
    )
    assert reason.startswith('Failed to download metadata (baseurl: "http://127.0.0.1:9/x") for repository "gone"')
