"""Whose address counts, and that nobody can lend himself another one."""

import logging
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits.clients import network_of
from gateway.limits.proxies import Proxies
from gateway.settings import GatewaySettings
from schemas.errors import StopAndSayError
from schemas.settings import load_settings
from tests.gateway.samples import make_parts
from tests.gateway.web import client_of

OURS = Proxies([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("9.9.9.9", ["1.1.1.1"], "9.9.9.9"),  # no proxy of ours: what it says is worth nothing
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),  # 6.6.6.6 is what the client itself wrote
        ("10.0.0.1", ["6.6.6.6", "1.1.1.1 ,10.0.0.2"], "1.1.1.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["1.1.1.1:4711"], "1.1.1.1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.1", ["2001:DB8::1"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["::ffff:1.1.1.1"], "1.1.1.1"),
        ("fd00::1", ["1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["1.1.1.1, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1, "], "10.0.0.1"),
        ("10.0.0.1", ["nonsense, 1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1.1"], "10.0.0.1"),
        ("testclient", ["1.1.1.1"], "testclient"),
    ],
)
def test_only_what_our_proxies_say_counts(peer: str, forwarded: list[str], client: str) -> None:
    assert OURS.client_of(peer, forwarded) == client


@given(st.lists(st.text(max_size=30), max_size=4), st.sampled_from(["10.0.0.1", "9.9.9.9", "fd00::1"]))
def test_no_header_makes_it_fail_or_changes_what_a_proxy_saw(forged: list[str], peer: str) -> None:
    assert OURS.client_of(peer, forged) is not None
    assert OURS.client_of("10.0.0.1", [*forged, "8.8.8.8"]) == "8.8.8.8"


def test_a_network_of_ipv6_is_one_client() -> None:
    assert network_of("2001:db8:1:2::3") == network_of("2001:db8:1:2:ffff::4") != network_of("2001:db8:1:3::3")
    assert network_of("::ffff:1.2.3.4") == network_of("1.2.3.4") != network_of("1.2.3.5")
    assert network_of("fe80::1%eth0") == network_of("fe80::2")
    assert network_of("a name") == "a name"


async def test_clients_behind_a_proxy_are_counted_and_logged_each_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    behind: dict[str, Any] = {"limit_client_burst": 1, "limit_client_per_second": 0.001, "auth_required": True}
    caplog.set_level(logging.WARNING)
    async with client_of(make_parts(trusted_proxies="127.0.0.0/8", **behind)) as client:
        for address, statuses in (("1.1.1.1", [200, 429]), ("2.2.2.2", [200, 429])):
            headers = {"X-Forwarded-For": f"6.6.6.6, {address}"}
            assert [(await client.get("/health", headers=headers)).status_code for _ in range(2)] == statuses
        await client.get("/predict/AAPL", headers={"X-Forwarded-For": "1.1.1.1", "X-API-Key": "tc_abc_def"})
        assert "1.1.1.1" in caplog.text
    async with client_of(make_parts(**behind)) as client:
        statuses = [
            (await client.get("/health", headers={"X-Forwarded-For": one})).status_code
            for one in ("1.1.1.1", "2.2.2.2")
        ]
        assert statuses == [200, 429]


@pytest.mark.parametrize("value", ["10.0.0.1/8", "everybody", "10.0.0.0/33"])
def test_what_is_no_network_is_refused_with_the_variable(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TICKCAST_TRUSTED_PROXIES", f"127.0.0.1, {value}")
    with pytest.raises(StopAndSayError, match="TICKCAST_TRUSTED_PROXIES"):
        load_settings(GatewaySettings, _env_file=None)


def test_an_address_alone_is_a_network_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_TRUSTED_PROXIES", "127.0.0.1, fd00::/8")
    given = load_settings(GatewaySettings, _env_file=None).trusted_proxies
    assert [str(network) for network in given] == ["127.0.0.1/32", "fd00::/8"]
