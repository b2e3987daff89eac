"""The agent as a service of this machine: what starts it, what that is told, and the script that it starts."""

import plistlib
import shlex
from pathlib import Path
from typing import Callable, NamedTuple, Optional, Sequence

from patchwindow_agent import files
from patchwindow_agent.errors import ServiceProblem
from patchwindow_agent.programs import Run

UNIT = "patchwindow-agent.service"
LABEL = "io.patchwindow.agent"
PROGRAM = "agent.pyz"
SCRIPT = "start.sh"
LAUNCHD_LOG = "/var/log/patchwindow-agent.log"

# Every directive is explained in docs/agent.md. Nothing here may give the agent a view of the machine of its own (a mount
# namespace), take it privileges or calls: what it runs is package managers and the scripts of administrators.
_UNIT = """\
[Unit]
Description=patchwindow agent
Wants=network-online.target
After=network-online.target
RequiresMountsFor={state}
StartLimitIntervalSec=0

[Service]
Type=simple
ExecStart=/bin/sh {script}
EnvironmentFile=-/etc/default/patchwindow-agent
WorkingDirectory=/
Restart=always
RestartSec=5
TimeoutStopSec=30
KillMode=process
OOMPolicy=continue
TasksMax=infinity
KeyringMode=private
LockPersonality=yes
RestrictRealtime=yes

[Install]
WantedBy=multi-user.target
"""

# After an upgrade of the system its Python may be another, and a program that was taken over may not come up here: both
# are for something that does not change with either.
_SCRIPT = """\
#!/bin/sh
# Starts the patchwindow agent. Written by its installation; it goes with the folder that it stands in.
set -u
folder={state}
cd /
starts=$(cat "$folder/starts" 2>/dev/null || echo 0)
case $starts in '' | *[!0-9]*) starts=0 ;; esac
if [ -e "$folder/{program}.old" ] && [ "$starts" -ge 3 ]; then
  echo "patchwindow-agent: the new program did not come up in $starts starts; going back to the old one" >&2
  mv -f "$folder/{program}" "$folder/{program}.bad"
  mv -f "$folder/{program}.old" "$folder/{program}"
  starts=0
fi
(echo $((starts + 1)) >"$folder/starts") 2>/dev/null
for candidate in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9; do
  # The interpreter itself: what PATH finds may be a wrapper that is slow to start.
  if python=$("$candidate" -c 'import sys; print(sys.executable); sys.exit(sys.version_info < (3, 9))' 2>/dev/null); then
    exec "$python" -I "$folder/{program}" run --state "$folder" --self-update
  fi
done
echo 'patchwindow-agent: found no Python 3.9 or newer as python3 or python3.9 to python3.14; install one' >&2
exit 1
"""

# A patch operation upgrades what this service uses; the tool that restarts services after that must leave it alone.
_NEEDRESTART = """\
# Restarting the agent would end the patch operation that it runs.
$nrconf{override_rc}{qr(^patchwindow-agent\\.service$)} = 0;
"""
_NEEDRESTART_FILE = "etc/needrestart/conf.d/patchwindow-agent.conf"


class Manager(NamedTuple):
    """What starts services on this machine."""

    name: str
    # Where the service is described, below the root.
    path: str
    text: Callable[[Path], str]
    # What makes it known and starts it; started again where it runs already.
    start: Sequence[Sequence[str]]
    # What stops it and lets it not start again.
    stop: Sequence[Sequence[str]]
    # What ends with 0 while it runs.
    ask: Sequence[str]
    log: str


def _unit(state: Path) -> str:
    # Only of a command line are variables part.
    return _UNIT.format(script=_quoted(state / SCRIPT).replace("$", "$$"), state=_quoted(state))


def _quoted(path: Path) -> str:
    """Return *path* as systemd reads it, which has quoting and specifiers of its own."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def _plist(state: Path) -> str:
    told = {
        "Label": LABEL,
        "ProgramArguments": ["/bin/sh", str(state / SCRIPT)],
        "RunAtLoad": True,
        "KeepAlive": True,
        "ThrottleInterval": 5,
        # What the agent has started outlives it, as with KillMode=process.
        "AbandonProcessGroup": True,
        "WorkingDirectory": "/",
        "StandardOutPath": LAUNCHD_LOG,
        "StandardErrorPath": LAUNCHD_LOG,
    }
    return plistlib.dumps(told).decode()


_PLIST_PATH = f"Library/LaunchDaemons/{LABEL}.plist"

SYSTEMD = Manager(
    name="systemd",
    path=f"etc/systemd/system/{UNIT}",
    text=_unit,
    start=(("systemctl", "daemon-reload"), ("systemctl", "enable", UNIT), ("systemctl", "restart", UNIT)),
    stop=(("systemctl", "disable", "--now", UNIT),),
    ask=("systemctl", "is-active", "--quiet", UNIT),
    log=f"journalctl -u {UNIT}",
)
LAUNCHD = Manager(
    name="launchd",
    path=_PLIST_PATH,
    text=_plist,
    start=(("launchctl", "bootstrap", "system", f"/{_PLIST_PATH}"),),
    stop=(("launchctl", "bootout", f"system/{LABEL}"),),
    ask=("launchctl", "print", f"system/{LABEL}"),
    log=f"tail {LAUNCHD_LOG}",
)

# What is there when a machine is run by it.
_SIGNS = ((SYSTEMD, "run/systemd/system"), (LAUNCHD, "bin/launchctl"))


def find(root: Path) -> Optional[Manager]:
    """Return what starts services on the machine whose files are below *root*; None where it is none that is known here."""
    return next((manager for manager, sign in _SIGNS if (root / sign).exists()), None)


def write_script(state: Path) -> None:
    """Write the script that starts the agent whose state is in *state*.

    Raises:
        StateProblem: it cannot be written.
    """
    files.write(state / SCRIPT, _SCRIPT.format(state=shlex.quote(str(state)), program=PROGRAM))


def install(manager: Manager, state: Path, *, root: Path, run: Run) -> None:
    """Make the agent whose state is in *state* a service of *manager*, and start it.

    Raises:
        StateProblem: a file cannot be written.
        ServiceProblem: the service does not start.
    """
    path = root / manager.path
    if path.exists() and manager is LAUNCHD:
        # It takes no other description of a service while it runs.
        for command in manager.stop:
            run(command)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, manager.text(state))
    path.chmod(0o644)
    needrestart = root / _NEEDRESTART_FILE
    if needrestart.parent.is_dir():
        files.write(needrestart, _NEEDRESTART)
    for command in manager.start:
        done = run(command)
        if done.exit_code != 0:
            said = (done.stderr or done.stdout).strip()
            raise ServiceProblem(f"`{' '.join(command)}` failed: {said}; `{manager.log}` may say why")


def is_installed(manager: Manager, root: Path) -> bool:
    """Return whether the agent is a service of *manager*."""
    return (root / manager.path).exists()


def remove(manager: Manager, *, root: Path, run: Run) -> None:
    """Stop the service and take it off *manager*; nothing happens where there is none.

    Raises:
        ServiceProblem: it does not stop.
    """
    path = root / manager.path
    if not path.exists():
        return
    for command in manager.stop:
        done = run(command)
        if done.exit_code != 0 and run(manager.ask).exit_code == 0:
            raise ServiceProblem(f"`{' '.join(command)}` failed and the agent still runs: {done.stderr.strip()}")
    path.unlink()
    (root / _NEEDRESTART_FILE).unlink(missing_ok=True)
    if manager is SYSTEMD:
        run(("systemctl", "daemon-reload"))
