"""Microsoft's security updates: CVRF of a month, in JSON or XML, and CSAF of a CVE.  Each CVE is a notice.

The forms differ in names alone: products by number, and of each CVE the KBs that close it, by product.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element

from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds import markup
from patchwindow.domain.feeds.members import day, is_cve, items, mapping, one_line, parse, sequence, text
from patchwindow.domain.feeds.notice import Extent, Feed, Fix, Notice
from patchwindow.domain.feeds.scope import Scope
from patchwindow.domain.operating_system import OperatingSystem

_SERVER: Final = re.compile(r"Windows Server ([0-9]{4})( R2)?\b")
_CLIENT: Final = re.compile(r"Windows ([0-9]+)\b")
_KB: Final = re.compile(r"(?:\bKB|/help/|^)([0-9]{6,8})\b")
_SEVERITIES: Final = ("Critical", "Important", "Moderate", "Low")
# Numbers in JSON for what XML says in words.
_JSON_SEVERITY, _JSON_VENDOR_FIX = 3, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a document says of one CVE: words that may be its severity, and texts that name a KB, with its products."""

    cve_id: str
    title: str
    threats: tuple[str, ...]
    remedies: tuple[tuple[str, tuple[str, ...]], ...]


def read(data: bytes, _: Scope) -> Feed:
    """Return what the document says.

    Raises:
        Invalid: it is neither CVRF nor CSAF.
    """
    if data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return _xml(data)
    document = mapping(parse(data), "the document")
    if "ProductTree" in document or "Vulnerability" in document:
        return _cvrf(document)
    if "document" in document:
        return _csaf(document)
    raise Invalid("it is neither CVRF nor CSAF: it has neither Vulnerability nor document")


def _notices(found: Iterable[_Found], products: Mapping[str, str], *, issued: str, updated: str) -> Feed:
    # Advice without a CVE (`ADV240001`) closes nothing that a scanner would look for.
    return Feed(notices=tuple(_notice(one, products, issued, updated) for one in found if is_cve(one.cve_id)))


def _notice(found: _Found, products: Mapping[str, str], issued: str, updated: str) -> Notice:
    fixes = [
        Fix(
            operating_system=OperatingSystem.WINDOWS,
            product=_product(products.get(id, "")),
            name=f"KB{kb[1]}",
            extent=Extent.EXACT,
        )
        for words, ids in found.remedies
        if (kb := _KB.search(words)) is not None
        for id in ids or ("",)
    ]
    return Notice(
        id=found.cve_id,
        kind="SecurityUpdates",
        severity=next((word for word in _SEVERITIES if word in found.threats), ""),
        issued=issued,
        updated=updated,
        title=found.title,
        cve_ids=(found.cve_id,),
        fixes=tuple(dict.fromkeys(fixes)),
    )


def _product(name: str) -> str:
    """Return the PRODUCT of what Microsoft calls so; empty where nodes are not told apart by it."""
    if server := _SERVER.match(name):
        return f"WindowsServer{server[1]}{(server[2] or '').strip()}"
    client = _CLIENT.match(name)
    return f"Windows{client[1]}" if client else ""


def _cvrf(document: Mapping[str, Any]) -> Feed:
    tracking = mapping(document.get("DocumentTracking") or {}, "DocumentTracking")
    tree = mapping(document.get("ProductTree") or {}, "ProductTree")
    products = {
        text(one.get("ProductID"), path): text(one.get("Value"), path)
        for path, one in items(tree.get("FullProductName"), "ProductTree.FullProductName")
    }
    return _notices(
        [_of_cvrf(one, path) for path, one in items(document.get("Vulnerability"), "Vulnerability")],
        products,
        issued=_day(tracking, "InitialReleaseDate"),
        updated=_day(tracking, "CurrentReleaseDate"),
    )


def _of_cvrf(one: Mapping[str, Any], path: str) -> _Found:
    threats = [
        _value(threat, "Description", place)
        for place, threat in items(one.get("Threats"), f"{path}.Threats")
        if threat.get("Type") == _JSON_SEVERITY
    ]
    remedies = [
        (_value(remedy, "Description", place), _texts(remedy.get("ProductID"), place))
        for place, remedy in items(one.get("Remediations"), f"{path}.Remediations")
        if remedy.get("Type") == _JSON_VENDOR_FIX
    ]
    return _Found(
        cve_id=text(one.get("CVE"), f"{path}.CVE"),
        title=_value(one, "Title", path),
        threats=tuple(threats),
        remedies=tuple(remedies),
    )


def _value(one: Mapping[str, Any], member: str, path: str) -> str:
    return text(mapping(one.get(member) or {}, f"{path}.{member}").get("Value"), f"{path}.{member}.Value")


def _csaf(document: Mapping[str, Any]) -> Feed:
    about = mapping(document["document"], "document")
    tracking = mapping(about.get("tracking") or {}, "document.tracking")
    tree = mapping(document.get("product_tree") or {}, "product_tree")
    found = [_of_csaf(one, path, about) for path, one in items(document.get("vulnerabilities"), "vulnerabilities")]
    return _notices(
        found,
        dict(_branches(tree, "product_tree")),
        issued=_day(tracking, "initial_release_date"),
        updated=_day(tracking, "current_release_date"),
    )


def _of_csaf(one: Mapping[str, Any], path: str, about: Mapping[str, Any]) -> _Found:
    threats = [
        text(threat.get("details"), f"{place}.details")
        for place, threat in items(one.get("threats"), f"{path}.threats")
    ]
    overall = mapping(about.get("aggregate_severity") or {}, "document.aggregate_severity")
    remedies = [
        (
            f"{text(remedy.get('url'), place)} {text(remedy.get('details'), place)}",
            _texts(remedy.get("product_ids"), place),
        )
        for place, remedy in items(one.get("remediations"), f"{path}.remediations")
        if remedy.get("category") == "vendor_fix"
    ]
    return _Found(
        cve_id=text(one.get("cve"), f"{path}.cve"),
        title=text(one.get("title"), f"{path}.title"),
        threats=(*threats, text(overall.get("text"), "document.aggregate_severity.text")),
        remedies=tuple(remedies),
    )


def _branches(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Yield the products below *node*, by number."""
    left = [(path, node)]
    while left:
        place, here = left.pop()
        if "product" in here:
            product = mapping(here["product"], f"{place}.product")
            yield text(product.get("product_id"), place), text(product.get("name"), place)
        for member in ("branches", "full_product_names"):
            left.extend(items(here.get(member), f"{place}.{member}"))
        if "product_id" in here:
            yield text(here["product_id"], place), text(here.get("name"), place)


def _texts(value: object, path: str) -> tuple[str, ...]:
    return tuple(text(one, path) for one in sequence(value, path))


def _day(members: Mapping[str, Any], member: str) -> str:
    return day(text(members.get(member), member), member)


def _xml(data: bytes) -> Feed:
    products: dict[str, str] = {}
    found: list[_Found] = []
    days: dict[str, str] = {}

    def part(element: Element) -> None:
        match element.tag:
            case "ProductTree":
                products.update(
                    (one.get("ProductID") or "", one_line(one.text or "")) for one in element.iter("FullProductName")
                )
            case "DocumentTracking":
                days.update(
                    (member, day(_below(element, member), member))
                    for member in ("InitialReleaseDate", "CurrentReleaseDate")
                )
            case _:
                found.append(_of_xml(element))

    root = markup.read(data, each={"ProductTree", "DocumentTracking", "Vulnerability"}, found=part)
    if root != "cvrfdoc":
        raise Invalid(f"it is no CVRF: its root is <{root}>, not <cvrfdoc>")
    return _notices(
        found, products, issued=days.get("InitialReleaseDate", ""), updated=days.get("CurrentReleaseDate", "")
    )


def _of_xml(element: Element) -> _Found:
    return _Found(
        cve_id=_below(element, "CVE"),
        title=_below(element, "Title"),
        threats=tuple(
            _below(threat, "Description")
            for threat in element.iterfind("Threats/Threat")
            if threat.get("Type") == "Severity"
        ),
        remedies=tuple(
            (_below(remedy, "Description"), tuple(one_line(one.text or "") for one in remedy.findall("ProductID")))
            for remedy in element.iterfind("Remediations/Remediation")
            if remedy.get("Type") == "Vendor Fix"
        ),
    )


def _below(element: Element, member: str) -> str:
    return one_line(element.findtext(member) or "")
