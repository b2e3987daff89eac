"""A made-up Windows Update Agent, at the boundary of COM: the documented names, states and result codes, and nothing behind them.

Members have Python's form of their names; what a script does not find here ends the test.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from tests.powershell.values import NOTHING, Nothing, NotKnown, Thrown

SUCCEEDED: Final = 2
SUCCEEDED_WITH_ERRORS: Final = 3
FAILED: Final = 4
NOT_ALLOWED: Final = 0x80240016
NO_UPDATE: Final = 0x80240024
EULAS_DECLINED: Final = 0x80240023
NOT_DOWNLOADED: Final = 0x80246007


def hresult(code: int) -> int:
    """Return an HRESULT as COM hands it over, in 32 bits with a sign."""
    return code - 2**32 if code >= 2**31 else code


def com_error(code: int) -> Thrown:
    """Return what a method of COM throws."""
    return Thrown("COMException", f"Exception from HRESULT: 0x{code:08X}", error_code=hresult(code))


@dataclass(slots=True)
class Collection:
    """Any collection of COM: a pipeline takes it apart."""

    com_items: list[Any]

    @property
    def count(self) -> int:
        return len(self.com_items)

    def item(self, index: int) -> Any:
        return self.com_items[index]

    def add(self, value: Any) -> int:
        self.com_items.append(value)
        return len(self.com_items) - 1


@dataclass(frozen=True, slots=True)
class Identity:
    """An IUpdateIdentity."""

    update_id: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    """An IInstallationBehavior; *reboot_behavior*: 0 never, 1 always, 2 perhaps."""

    reboot_behavior: int = 2
    can_request_user_input: bool = False


@dataclass(frozen=True, slots=True)
class Category:
    """An ICategory."""

    type: str
    name: str
    category_id: str = ""
    parent: "Category | None" = None


WINDOWS: Final = Category("ProductFamily", "Windows")
SERVER_2022: Final = Category("Product", "Microsoft Server operating system-21H2", parent=WINDOWS)
# The name is that of a system in another language: the id says what it is.
SECURITY: Final = Category("UpdateClassification", "Sicherheitsupdates", "0fa1201d-4330-4fa8-8ae9-b877473b6441")
CRITICAL: Final = Category("UpdateClassification", "Critical Updates", "e6cf1350-c01b-414d-a61f-263d14d133b4")
DRIVERS: Final = Category("UpdateClassification", "Drivers", "ebfc1fc5-71a4-4f7b-9aca-3b9a503104a0")


@dataclass(slots=True)
class Update:
    """An IUpdate, and (below) what goes wrong with it."""

    title: str
    kb: str = ""
    msrc_severity: str | None = "Critical"
    max_download_size: int = 1000
    last_deployment_change_time: datetime | None = None
    kinds: Sequence[Category] = (SECURITY, SERVER_2022)
    supersedes: Sequence[str] = ()
    cves: Sequence[str] = ()
    bulletins: Sequence[str] = ()
    installation_behavior: Behaviour | None = Behaviour()
    is_installed: bool = False
    is_hidden: bool = False
    is_downloaded: bool = False
    eula_accepted: bool = False
    reboot_required: bool = False
    needs_reboot: bool = False
    needs: str = ""
    # HRESULTs of the attempts to come, the next one first; where there are none left it succeeds.
    download_errors: list[int] = field(default_factory=list)
    install_errors: list[int] = field(default_factory=list)
    is_undone_by_reboot: bool = False
    ends_after_error: bool = False
    number: int = 0
    install_count: int = 0
    installed_in_boot: int = 0

    @property
    def identity(self) -> Identity:
        return Identity(self.id)

    @property
    def id(self) -> str:
        """An id that follows from the title, and from the number of those that have the same one."""
        return f"00000000-0000-4000-{self.number:04d}-{sum(map(ord, self.title)):012d}"

    @property
    def kb_article_ids(self) -> Collection:
        return Collection([self.kb] if self.kb else [])

    @property
    def cve_ids(self) -> Collection:
        return Collection(list(self.cves))

    @property
    def security_bulletin_ids(self) -> Collection:
        return Collection(list(self.bulletins))

    @property
    def superseded_update_ids(self) -> Collection:
        return Collection(list(self.supersedes))

    @property
    def categories(self) -> Collection:
        return Collection(list(self.kinds))

    def accept_eula(self) -> Nothing:
        self.eula_accepted = True
        return NOTHING


@dataclass(frozen=True, slots=True)
class Result:
    """An ISearchResult, IDownloadResult, IInstallationResult, or one of the results in them."""

    result_code: int
    h_result: int = 0
    updates: Collection | None = None
    of_updates: tuple["Result", ...] = ()

    def get_update_result(self, index: int) -> "Result":
        return self.of_updates[index]


@dataclass(frozen=True, slots=True)
class Event:
    """An IUpdateHistoryEntry; *operation*: 1 is an installation."""

    update_identity: Identity
    result_code: int
    date: datetime
    operation: int = 1


@dataclass(slots=True)
class Agent:
    """What Windows Update is and knows on one machine, whoever asks."""

    now: Callable[[], datetime]
    point: Callable[[str], None]
    updates: list[Update] = field(default_factory=list)
    history: list[Event] = field(default_factory=list)
    # How often another installer is still seen at work.
    busy_count: int = 0
    needs_reboot_first: bool = False
    # HRESULTs of the searches of the update server to come; 3 is a search that found a part.
    search_errors: list[int] = field(default_factory=list)
    boot_count: int = 1

    def restart(self) -> None:
        """Finish what waits for it."""
        self.boot_count += 1
        self.needs_reboot_first = False
        for update in self.updates:
            if update.reboot_required:
                update.is_installed = not update.is_undone_by_reboot
                update.reboot_required = False
                update.is_downloaded = update.is_installed

    def found(self, criteria: str) -> Iterator[Update]:
        """Yield what a search finds: what is superseded by another that is offered is left out."""
        conditions = {"IsInstalled": "is_installed", "IsHidden": "is_hidden", "RebootRequired": "reboot_required"}
        wanted = [condition.split("=") for condition in criteria.split(" and ")]
        replaced = {each for update in self.updates if not update.is_installed for each in update.supersedes}
        for update in self.updates:
            is_offered = not update.needs or any(one.is_installed for one in self.updates if one.title == update.needs)
            fits = all(getattr(update, conditions[name]) is bool(int(value)) for name, value in wanted)
            if is_offered and fits and update.id not in replaced:
                yield update

    def install(self, update: Update) -> Result:
        """Install one update that is there."""
        if not update.eula_accepted:
            return Result(FAILED, hresult(EULAS_DECLINED))
        if not update.is_downloaded:
            return Result(FAILED, hresult(NOT_DOWNLOADED))
        if update.install_errors:
            update.is_installed = update.ends_after_error
            return Result(FAILED, hresult(update.install_errors.pop(0)))
        self.point(f"before install {update.title}")
        update.install_count += 1
        update.installed_in_boot = self.boot_count
        update.reboot_required = update.needs_reboot
        # One that waits for a restart is not there yet, says the real one.
        update.is_installed = not update.needs_reboot
        self.history.insert(0, Event(update.identity, SUCCEEDED, self.now()))
        self.point(f"after install {update.title}")
        return Result(SUCCEEDED)

    def download(self, update: Update) -> Result:
        """Download one update."""
        self.point(f"before download {update.title}")
        if update.download_errors:
            return Result(FAILED, hresult(update.download_errors.pop(0)))
        update.is_downloaded = True
        self.point(f"after download {update.title}")
        return Result(SUCCEEDED)


@dataclass(slots=True)
class Session:
    """An IUpdateSession3."""

    agent: Agent
    client_application_id: str = ""
    user_locale: int = 0

    def create_update_searcher(self) -> "Searcher":
        return Searcher(self.agent)

    def create_update_downloader(self) -> "Downloader":
        return Downloader(self.agent)

    def create_update_installer(self) -> "Installer":
        return Installer(self.agent)


@dataclass(slots=True)
class Searcher:
    """An IUpdateSearcher."""

    agent: Agent
    online: bool = True

    def search(self, criteria: str) -> Result:
        if self.online:
            error = self.agent.search_errors.pop(0) if self.agent.search_errors else 0
            if error > SUCCEEDED_WITH_ERRORS:
                raise com_error(error)
            if error:
                return Result(error, updates=Collection([]))
        return Result(SUCCEEDED, updates=Collection(list(self.agent.found(criteria))))

    def get_total_history_count(self) -> int:
        return len(self.agent.history)

    def query_history(self, first: int, count: int) -> Collection:
        if not count:
            raise com_error(0x80070057)
        return Collection(self.agent.history[first : first + count])


@dataclass(slots=True)
class Downloader:
    """An IUpdateDownloader."""

    agent: Agent
    updates: Collection | None = None

    def download(self) -> Result:
        results = tuple(map(self.agent.download, _chosen(self.updates)))
        return Result(max(one.result_code for one in results), of_updates=results)


@dataclass(slots=True)
class Installer:
    """An IUpdateInstaller4."""

    agent: Agent
    updates: Collection | None = None
    force_quiet: bool = False
    allow_source_prompts: bool = True

    @property
    def is_busy(self) -> bool:
        self.agent.busy_count -= self.agent.busy_count > 0
        return self.agent.busy_count > 0

    @property
    def reboot_required_before_installation(self) -> bool:
        return self.agent.needs_reboot_first

    def install(self) -> Result:
        if not self.force_quiet or self.allow_source_prompts:
            raise NotKnown("an installation that may ask a person something")
        if self.is_busy or self.agent.needs_reboot_first:
            raise com_error(NOT_ALLOWED)
        results = tuple(map(self.agent.install, _chosen(self.updates)))
        return Result(max(one.result_code for one in results), of_updates=results)


def _chosen(updates: Collection | None) -> list[Update]:
    if updates is None or not updates.com_items:
        raise com_error(NO_UPDATE)
    if not all(isinstance(one, Update) for one in updates.com_items):
        raise NotKnown("a collection of something else than updates")
    return updates.com_items


@dataclass(frozen=True, slots=True)
class SystemInformation:
    """An ISystemInformation."""

    agent: Agent

    @property
    def reboot_required(self) -> bool:
        return any(update.reboot_required for update in self.agent.updates) or self.agent.needs_reboot_first
