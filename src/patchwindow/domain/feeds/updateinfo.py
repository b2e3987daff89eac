"""updateinfo.xml of yum and dnf repositories: what each update names, in exact versions."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final
from xml.etree.ElementTree import Element

from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds import markup
from patchwindow.domain.feeds.members import day, is_cve, one_line, unique
from patchwindow.domain.feeds.notice import Extent, Feed, Fix, Notice
from patchwindow.domain.feeds.scope import Scope
from patchwindow.domain.rpm_version import Evr

# Packages of sources are never installed.
_SOURCES: Final = frozenset({"src", "nosrc"})
_EPOCH: Final = date(1970, 1, 1)


def read(data: bytes, scope: Scope) -> Feed:
    """Return what the file says; it does not say for which system it is, so *scope* does.

    Raises:
        Invalid: it is no updateinfo, or *scope* names no operating system.
    """
    form = Fix(operating_system=scope.needed("updateinfo"), product=scope.product, name="", extent=Extent.EXACT)
    notices: list[Notice] = []
    root = markup.read(data, each={"update"}, found=lambda update: notices.append(_notice(update, form)))
    if root != "updates":
        raise Invalid(f"it is no updateinfo: its root is <{root}>, not <updates>")
    return Feed(notices=tuple(notices))


def _notice(update: Element, form: Fix) -> Notice:
    id = one_line(update.findtext("id") or "")
    if not id:
        raise Invalid("an <update> has no <id>")
    references = update.findall("references/reference")
    return Notice(
        id=id,
        kind=one_line(update.get("type") or ""),
        severity=one_line(update.findtext("severity") or ""),
        issued=_day(update, "issued", id),
        updated=_day(update, "updated", id),
        title=one_line(update.findtext("title") or ""),
        cve_ids=unique([cve for one in references if is_cve(cve := one.get("id") or "")]),
        bugzilla_ids=unique(
            [bug for one in references if one.get("type") == "bugzilla" and (bug := one.get("id") or "").isdigit()]
        ),
        fixes=tuple(dict.fromkeys(_fix(package, form, id) for package in _packages(update))),
    )


def _packages(update: Element) -> list[Element]:
    return [package for package in update.iterfind("pkglist//package") if package.get("arch") not in _SOURCES]


def _fix(package: Element, form: Fix, id: str) -> Fix:
    name, version, release = (package.get(member) or "" for member in ("name", "version", "release"))
    if not name or not version or not release:
        raise Invalid(f"{id}: a <package> has no name, version or release")
    epoch = package.get("epoch") or "0"
    return replace(
        form, name=name, arch=package.get("arch") or "", version=str(Evr(epoch.lstrip("0") or "0", version, release))
    )


def _day(update: Element, member: str, id: str) -> str:
    element = update.find(member)
    written = "" if element is None else (element.get("date") or element.text or "").strip()
    # Some publishers write seconds since 1970 here; nothing else has as many digits and no dash.
    if written.isascii() and written.isdigit() and len(written) < 12:
        return str(_EPOCH + timedelta(days=int(written) // 86400))
    return day(written, f"{id}: <{member}>")
