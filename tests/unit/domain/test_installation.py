"""The lines that install agents, as text; that they work is tried by tests/acceptance/test_installation.py."""

import re
import shlex
import subprocess
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.installation import Installation, powershell_line, shell_line

GIVEN = Installation(
    url="https://patch.example.net:8443",
    region="eu-west-3",
    ca_fingerprint="ab" * 32,
    activation_id="01234567-89ab-cdef-0123-456789abcdef",
    activation_code="a-code",
)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0\n"), min_size=1)


@given(words, words)
def test_whatever_a_region_and_a_code_hold_reaches_the_shell_as_it_is(region: str, code: str) -> None:
    line = shell_line(replace(GIVEN, region=region, activation_code=code))
    printf, form, told, pipe, *command = shlex.split(line)
    assert (printf, form, told, pipe) == ("printf", "%s\\n", code, "|")
    assert command[:2] == ["sh", "-c"]
    assert command[3:] == ["patchwindow", GIVEN.url, GIVEN.ca_fingerprint, GIVEN.activation_id, region]


def test_the_script_of_the_line_is_one_that_a_posix_shell_reads() -> None:
    script = shlex.split(shell_line(GIVEN))[6]
    assert subprocess.run(["sh", "-n", "-c", script], check=False).returncode == 0
    assert "'" not in script


def test_every_connection_after_the_comparison_is_made_with_the_ca_of_the_line() -> None:
    script = shlex.split(shell_line(GIVEN))[6]
    before, comparison, after = script.partition('[ "${h%% *}" = "$f" ]')
    assert comparison
    # Before it only the CA itself is fetched, by connections that nothing can be known of.
    assert re.findall(r"\bget ([a-z.]+);", before) == ["ca.der"]
    assert "--no-check-certificate" not in after
    assert 'c="--cacert $t/ca.pem"' in after
    assert 'w="--ca-certificate=$t/ca.pem"' in after
    assert re.findall(r"\bget ([a-z.]+);", after) == ["install.sh", "agent.pyz"]


def test_powershell_is_told_the_same_and_checks_before_it_trusts() -> None:
    line = powershell_line(replace(GIVEN, region="it's"))
    assert "$u='https://patch.example.net:8443'; $f='" + "ab" * 32 + "'" in line
    assert "-Region 'it''s'" in line
    steps = ["ca.der", "ServerCertificateValidationCallback=$null", "-ne $f", "X509Store", "install.ps1"]
    places = [line.index(step) for step in steps]
    assert places == sorted(places)
    assert line.count("{") == line.count("}")
    assert line.count("(") == line.count(")")
    assert "\n" not in line
