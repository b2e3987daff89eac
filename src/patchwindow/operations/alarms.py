"""Alarms that are to stop a task or a command: this server cannot read them."""

from collections.abc import Mapping
from typing import Any

from patchwindow.domain.errors import InvalidParameters


def check_alarm(configuration: Mapping[str, Any] | None) -> None:
    """Refuse an alarm that the caller relies on.

    To run without the stop that was promised is the failure that matters; IgnorePollAlarmFailure says that it does not.

    Raises:
        InvalidParameters: there is an alarm, and IgnorePollAlarmFailure is not true.
    """
    if configuration is None or configuration.get("IgnorePollAlarmFailure"):
        return
    named = ", ".join(alarm["Name"] for alarm in configuration["Alarms"])
    raise InvalidParameters(
        f"AlarmConfiguration names the alarm {named}, which this server cannot read: nothing would stop when it goes off; "
        "leave AlarmConfiguration out, or set IgnorePollAlarmFailure to true to run without that stop"
    )
