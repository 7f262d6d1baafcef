"""The address is what the gateway saw."""

import pytest

from service_kit.addresses import address_of, network_of


class TestAddressOf:
    @pytest.mark.parametrize(
        ("meta", "address"),
        [
            ({"REMOTE_ADDR": "10.0.0.9"}, "10.0.0.9"),
            ({"HTTP_X_REAL_IP": "192.0.2.1", "REMOTE_ADDR": "10.0.0.9"}, "192.0.2.1"),
            ({"HTTP_X_REAL_IP": "2001:DB8::0:1", "REMOTE_ADDR": "10.0.0.9"}, "2001:db8::1"),
            ({"HTTP_X_REAL_IP": "::ffff:192.0.2.1"}, "192.0.2.1"),
            ({"HTTP_X_REAL_IP": "fe80::1%eth0"}, "fe80::1"),
            ({"HTTP_X_REAL_IP": "nobody", "REMOTE_ADDR": "10.0.0.9"}, "10.0.0.9"),
            ({"HTTP_X_FORWARDED_FOR": "192.0.2.1", "REMOTE_ADDR": "10.0.0.9"}, "10.0.0.9"),
            ({"REMOTE_ADDR": ""}, ""),
            ({}, ""),
        ],
    )
    def test_reads_what_the_gateway_wrote(self, meta, address):
        assert address_of(meta) == address


class TestNetworkOf:
    @pytest.mark.parametrize(
        ("address", "network"),
        [
            ("192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("", ""),
        ],
    )
    def test_is_what_one_customer_has(self, address, network):
        assert network_of(address) == network
