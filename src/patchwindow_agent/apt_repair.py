"""How what an interrupted apt or dpkg left half done is finished."""

from pathlib import Path
from typing import Optional, Sequence

from patchwindow_agent import apt_plan
from patchwindow_agent.apt_commands import Commands
from patchwindow_agent.apt_plan import States
from patchwindow_agent.errors import InstallFailed


def repair(commands: Commands, *, database: Path) -> Sequence[str]:
    """Finish what is half done in dpkg's *database*, a folder, and return what was done, a sentence for each.

    A package that cannot be configured because its own script fails is told and left as it is: it keeps only those
    from being installed that need it.

    Raises:
        InstallFailed: packages lack what they need, and that cannot be had without removing others.
    """
    said: list[str] = []
    before = commands.states()
    if _is_interrupted(database) or not all(state.is_settled for state in before.values()):
        done = commands.configure_all()
        if _is_interrupted(database):
            raise InstallFailed(f"dpkg was interrupted and cannot finish: {apt_plan.install_problem(done)}")
        said += _reinstall(commands)
        said += _told(before, commands.states(), apt_plan.parse_failures(done.stderr))
    broken = _broken(commands)
    if broken is not None:
        problem = _changed(commands, "--fix-broken", "install") or _broken(commands)
        if problem is not None:
            raise InstallFailed(f"packages are broken ({broken}) and could not be repaired: {problem}")
        said.append(f"packages lacked what they need ({broken}), and have it now")
    return said


def _broken(commands: Commands) -> Optional[str]:
    """Return what packages lack, None where they have all that they need."""
    checked = commands.apt_get("check")
    return apt_plan.install_problem(checked) if checked.exit_code != 0 else None


def _is_interrupted(database: Path) -> bool:
    """Return whether dpkg has left steps that are not in its database yet: files with a number for a name."""
    try:
        return any(path.name.isdigit() for path in (database / "updates").iterdir())
    except OSError:
        return False


def _reinstall(commands: Commands) -> Sequence[str]:
    """Install packages anew that were cut off while they were unpacked, in the version that they were, with what they need."""
    said = []
    for (name, arch), state in sorted(commands.states().items()):
        if state.is_reinstall_required:
            problem = _changed(commands, "--fix-broken", "--reinstall", "install", f"{name}:{arch}={state.version}")
            if problem is not None:
                said.append(f"{name} was cut off while it was unpacked and must be installed anew: {problem}")
    return said


def _changed(commands: Commands, *words: str) -> Optional[str]:
    """Let an apt-get with *words* do what it would, if it loses no package; return why it could not, None where it did."""
    plan = commands.simulate(*words)
    if plan.problem is not None:
        return plan.problem
    lost = commands.lost(plan)
    if lost:
        return f"apt would remove {', '.join(lost)}; decide by hand"
    done = commands.apt_get(*(() if plan.removes else ("--no-remove",)), *words)
    return apt_plan.install_problem(done) if done.exit_code != 0 else None


def _told(before: States, after: States, failures: "dict[str, str]") -> Sequence[str]:
    """Return a sentence for what is finished, and one for each package that is not."""
    finished = sorted(
        name
        for (name, arch), state in before.items()
        if not state.is_settled and (now := after.get((name, arch))) is not None and now.is_settled
    )
    said = [f"finished what was interrupted: {', '.join(finished)}"] if finished else []
    said += [
        f"{name} {state.version} is not configured: {failures.get(name, 'dpkg does not say why')}"
        for (name, _), state in sorted(after.items())
        if not state.is_whole and not state.is_reinstall_required
    ]
    return said or ["finished what dpkg had begun"]
