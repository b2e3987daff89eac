"""Plans of every section, drawn at random, as a writer of YAML would have them."""

from typing import Any, Final

from hypothesis import strategies as st

Section = dict[str, Any]

_NAMES: Final = st.text("abcXYZ019_.-", min_size=3, max_size=12).filter(lambda name: not name.startswith("AWS"))
# What the API keeps as it is: no line ends, and nothing at the ends that YAML or a tag would take away.
_WORDS: Final = st.text("abc äß:#'\"é{}%-", min_size=1, max_size=20).map(str.strip).filter(bool)
_LIMITS: Final = st.sampled_from(["1", "10", "5%", "100%"])
_GROUPS: Final = ("Web Server", "DB")
_FREEZES: Final = ("Year-End", "Audit")


def _said(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Section]:
    """Return mappings of some of *members*."""
    return st.fixed_dictionaries({}, optional=members)


def _joined(*parts: st.SearchStrategy[Section]) -> st.SearchStrategy[Section]:
    return st.tuples(*parts).map(lambda drawn: {key: value for part in drawn for key, value in part.items()})


_LINUX: Final = _joined(
    st.just({"operatingSystem": "REDHAT_ENTERPRISE_LINUX"}),
    _said(
        description=_WORDS,
        rules=st.lists(
            _joined(
                st.just({"filters": {"SEVERITY": ["Critical", "Important"]}}),
                st.one_of(
                    st.integers(0, 360).map(lambda days: {"approveAfterDays": days}),
                    st.just({"approveUntilDate": "2026-03-01"}),
                ),
                _said(enableNonSecurity=st.booleans(), complianceLevel=st.sampled_from(["HIGH", "UNSPECIFIED"])),
            ),
            max_size=3,
        ),
        approvedPatches=st.just(["kernel", "openssl.x86_64"]),
        rejectedPatches=st.just(["nginx"]),
        rejectedPatchesAction=st.sampled_from(["BLOCK", "ALLOW_AS_DEPENDENCY"]),
        sources=st.just([{"name": "own", "products": "*", "configuration": "[own]\nname=own\n"}]),
    ),
)
_WINDOWS_SYSTEM: Final = _joined(
    st.just({"operatingSystem": "WINDOWS", "globalFilters": {"PRODUCT": "*"}}),
    _said(availableSecurityUpdatesComplianceStatus=st.sampled_from(["COMPLIANT", "NON_COMPLIANT"])),
)
_NODES: Final[st.SearchStrategy[Section]] = st.sampled_from(
    [
        {"patchGroup": "Web Server"},
        {"patchGroups": ["DB", "Web Server"]},
        {"tags": {"Environment": ["Test", "Production"], "Patch Group": "other"}},
        {"patchGroup": "DB", "tags": {"Ring": "1"}},
    ]
)
_PATCHING: Final = _joined(
    st.fixed_dictionaries({"operation": st.sampled_from(["Scan", "Install"])}),
    _said(rebootOption=st.sampled_from(["NoReboot", "RebootIfNeeded"])),
)
_SHELL: Final[st.SearchStrategy[Section]] = st.just(
    {"document": "AWS-RunShellScript", "parameters": {"commands": ["echo {{x}}", "uptime"]}}
)
_RATES: Final = st.fixed_dictionaries({"maxConcurrency": _LIMITS, "maxErrors": _LIMITS})
_TASK: Final = _joined(
    st.one_of(_PATCHING, _SHELL),
    _RATES,
    _said(
        priority=st.integers(0, 9),
        cutoffBehavior=st.sampled_from(["CONTINUE_TASK", "CANCEL_TASK"]),
        timeoutSeconds=st.integers(30, 3600),
        comment=_WORDS,
        description=_WORDS,
        logs=st.just({"s3Bucket": "my-logs", "s3Prefix": "p"}),
        notification=st.just(
            {"topicArn": "arn:aws:sns:us-east-1:111122223333:t", "roleArn": "arn:aws:iam::111122223333:role/notify"}
        ),
    ),
)
_TIMES: Final[st.SearchStrategy[Section]] = st.sampled_from(
    [
        {"schedule": "cron(0 23 ? * THU#1 *)", "offset": 2, "timezone": "Europe/Berlin"},
        {"schedule": "rate(7 days)"},
        {"schedule": "at(2027-01-01T00:00:00)"},
    ]
)
_FREEZE_NAMES: Final = st.lists(st.sampled_from(_FREEZES), unique=True, max_size=2)
_WINDOW: Final = _joined(
    _TIMES,
    st.integers(2, 24).map(lambda hours: {"duration": hours, "cutoff": hours // 2}),
    _said(
        description=_WORDS,
        enabled=st.booleans(),
        startDate=st.just("2026-01-01T00:00:00Z"),
        freezes=_FREEZE_NAMES,
    ),
    st.fixed_dictionaries(
        {
            "targets": st.dictionaries(_NAMES, _NODES, min_size=1, max_size=2),
            "tasks": st.dictionaries(_NAMES, _TASK, max_size=2),
        }
    ),
)
_ASSOCIATION: Final = _joined(
    st.one_of(_PATCHING, _SHELL),
    _RATES,
    st.sampled_from([{"schedule": "cron(0 6 ? * SUN *)", "atOnce": True}, {"schedule": "cron(0 6 ? * * *)"}]),
    st.one_of(st.just({"all": True}), _NODES).map(lambda nodes: {"targets": nodes}),
    _said(severity=st.sampled_from(["HIGH", "UNSPECIFIED"]), freezes=_FREEZE_NAMES),
)

plans: Final = st.fixed_dictionaries(
    {
        "name": st.just("drawn"),
        "baselines": st.fixed_dictionaries({"Linux": _LINUX, "Win": _WINDOWS_SYSTEM}),
        "patchGroups": st.just(
            {"Web Server": {"baselines": ["Linux", "Win"]}, "DB": {"baselines": "AWS-UbuntuDefaultPatchBaseline"}}
        ),
        "freezes": st.just(
            {
                "Year-End": {"timezone": "Europe/Berlin", "dates": [{"from": "2026-12-20", "to": "2027-01-02"}]},
                "Audit": {
                    "dates": [{"from": "2026-06-01T18:00", "to": "2026-06-02T06:00", "reason": "Audit; öffentlich"}]
                },
            }
        ),
        "windows": st.dictionaries(_NAMES, _WINDOW, max_size=2),
        "associations": st.dictionaries(_NAMES, _ASSOCIATION, max_size=2),
    }
)
