"""Settings of the service that somebody changed."""

from tests.store.samples import NOW, UNICODE, later

from patchwindow.store.service_settings import ChangedSetting
from patchwindow.store.work import Work

ID = "/ssm/managed-instance/activation-tier"


def test_a_setting_is_the_default_until_it_is_changed_and_after_it_is_reset(work: Work) -> None:
    assert work.service_settings.get(ID) is None
    first = ChangedSetting(value="advanced", modified_at=NOW, modified_by="somebody")
    second = ChangedSetting(value=UNICODE, modified_at=later(1), modified_by=UNICODE)
    work.service_settings.put(ID, first)
    assert work.service_settings.get(ID) == first
    work.service_settings.put(ID, second)
    assert work.service_settings.get(ID) == second
    work.service_settings.reset(ID)
    assert work.service_settings.get(ID) is None
