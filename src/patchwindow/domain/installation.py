"""The lines that install an agent: what is pasted into a shell on the machine that is to become a node.

A line trusts nothing but itself. It carries the SHA-256 of the server's CA; it fetches the certificate over a connection
that is not verified, as it must, compares the two, and makes every further connection with that certificate alone.
The code of the activation goes through a pipe, since every user of a machine can read command lines.
"""

import shlex
from dataclasses import dataclass
from typing import Final

CA_PATH: Final = "/agent/ca.der"
PROGRAM_PATH: Final = "/agent/agent.pyz"
SHELL_PATH: Final = "/agent/install.sh"
POWERSHELL_PATH: Final = "/agent/install.ps1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What the lines are made of."""

    url: str
    """Where nodes reach the server, without a slash at the end."""
    region: str
    ca_fingerprint: str
    """The SHA-256 of the CA to trust, hexadecimal; empty where the machine's system knows the authority, or without TLS."""
    activation_id: str
    activation_code: str


# For sh, without single quotes, since it stands between two of them. Options at the end of the line go to the installer.
_SHELL: Final = (
    'set -eu; u=$1 f=$2; shift 2; t=$(mktemp -d); trap "rm -rf $t" EXIT; '
    'get() { if command -v curl >/dev/null; then curl -fsS -m 60 $c -o "$t/$1" "$u/agent/$1"; '
    'elif command -v wget >/dev/null; then wget -q -T 60 $w -O "$t/$1" "$u/agent/$1"; '
    'else python3 -Ic "import ssl,sys,urllib.request as r; a=sys.argv; '
    "c=ssl.create_default_context(cafile=a[3] or None) if a[4] else ssl._create_unverified_context(); "
    'open(a[2],\\"wb\\").write(r.urlopen(a[1],context=c,timeout=60).read())" '
    '"$u/agent/$1" "$t/$1" "$p" "$v"; fi; }; '
    'if [ "$f" ]; then c=-k w=--no-check-certificate p= v=; get ca.der; '
    'h=$({ sha256sum "$t/ca.der" || shasum -a 256 "$t/ca.der" || openssl dgst -r -sha256 "$t/ca.der"; } 2>/dev/null); '
    '[ "${h%% *}" = "$f" ] || { echo "patchwindow: the CA of $u is not the one of this line; nothing was installed" >&2; exit 1; }; '
    '{ echo "-----BEGIN CERTIFICATE-----"; base64 <"$t/ca.der" | tr -d "\\n" | fold -w 64; echo; '
    'echo "-----END CERTIFICATE-----"; } >"$t/ca.pem"; '
    'c="--cacert $t/ca.pem" w="--ca-certificate=$t/ca.pem" p=$t/ca.pem v=1; else c= w= p= v=1; fi; '
    'get install.sh; get agent.pyz; s=; [ "$(id -u)" = 0 ] || s=sudo; $s sh "$t/install.sh" "$t" "$u" "$@"'
)

_POWERSHELL: Final = (
    "& {{ $ErrorActionPreference='Stop'; [Net.ServicePointManager]::SecurityProtocol='Tls12'; $u={url}; $f={fingerprint}; "
    "if ($f) {{ "
    "Add-Type 'public class PatchwindowAny {{ public static void On() {{ System.Net.ServicePointManager."
    "ServerCertificateValidationCallback = (a,b,c,d) => true; }} }}'; [PatchwindowAny]::On(); "
    # Not kept alive: what is fetched after the comparison must come over a connection that is verified.
    "try {{ $q=[Net.WebRequest]::Create($u+'/agent/ca.der'); $q.KeepAlive=$false; $r=$q.GetResponse(); "
    "$m=New-Object IO.MemoryStream; $r.GetResponseStream().CopyTo($m); $r.Close(); $d=$m.ToArray() }} "
    "finally {{ [Net.ServicePointManager]::ServerCertificateValidationCallback=$null }}; "
    "$h=-join([Security.Cryptography.SHA256]::Create().ComputeHash($d)|ForEach-Object {{ $_.ToString('x2') }}); "
    "if ($h -ne $f) {{ throw 'patchwindow: the CA of '+$u+' is not the one of this line; nothing was installed' }}; "
    "$s=New-Object Security.Cryptography.X509Certificates.X509Store 'Root','LocalMachine'; $s.Open('ReadWrite'); "
    "$s.Add((New-Object Security.Cryptography.X509Certificates.X509Certificate2 (,$d))); $s.Close() }}; "
    "& ([scriptblock]::Create((New-Object Net.WebClient).DownloadString($u+'/agent/install.ps1'))) "
    "-Url $u -ActivationId {id} -ActivationCode {code} -Region {region} }}"
)


def shell_line(installation: Installation) -> str:
    """Return the line for the shell of Linux and macOS."""
    told = (installation.url, installation.ca_fingerprint, installation.activation_id, installation.region)
    words = " ".join(shlex.quote(word) for word in told)
    return f"printf '%s\\n' {shlex.quote(installation.activation_code)} | sh -c '{_SHELL}' patchwindow {words}"


def powershell_line(installation: Installation) -> str:
    """Return the line for an elevated PowerShell 5.1 of Windows, where an amazon-ssm-agent becomes the node's agent."""
    return _POWERSHELL.format(
        url=_quoted(installation.url),
        fingerprint=_quoted(installation.ca_fingerprint),
        id=_quoted(installation.activation_id),
        code=_quoted(installation.activation_code),
        region=_quoted(installation.region),
    )


def _quoted(text: str) -> str:
    # In single quotes PowerShell expands nothing, and a quote is written twice.
    return "'" + text.replace("'", "''") + "'"
