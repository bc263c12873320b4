"""What a namer of devices promises."""

import pytest

from adapters.devices.ua_device_namer import UaDeviceNamer
from adapters.memory.device_namer import MemoryDeviceNamer
from application.ports.device_namer import DeviceNamer

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1"
)


@pytest.fixture(params=["memory", "ua"])
def namer(request: pytest.FixtureRequest) -> DeviceNamer:
    return MemoryDeviceNamer() if request.param == "memory" else UaDeviceNamer()


async def test_the_same_user_agent_has_the_same_name(namer: DeviceNamer) -> None:
    assert await namer.name(FIREFOX) == await namer.name(FIREFOX) is not None


@pytest.mark.parametrize("user_agent", ["", " ", "/", "x" * 512, "(" * 512, "a b" * 170, "\\" * 100])
async def test_nonsense_is_no_accident(namer: DeviceNamer, user_agent: str) -> None:
    name = await namer.name(user_agent)
    assert name is None or 0 < len(name) <= 100


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [(FIREFOX, "Firefox on Windows"), (SAFARI, "Mobile Safari on iOS"), ("curl/8.9.1", "curl"), ("nonsense", None)],
)
async def test_people_recognise_their_devices(user_agent: str, name: str | None) -> None:
    assert await UaDeviceNamer().name(user_agent) == name
