use http::HeaderValue;

use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn proxies(networks: &[&str]) -> TrustedProxies {
    networks.iter().map(|network| network.parse::<IpNet>().expect("a network")).collect()
}

#[test]
fn addresses_of_one_ipv6_network_are_one_peer() {
    for (one, other, are_equal) in [
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.1", "::ffff:192.0.2.1", true),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
    ] {
        assert_eq!(Peer::at(address(one)) == Peer::at(address(other)), are_equal, "{one} {other}");
    }
    for (text, is_loopback) in [
        ("127.0.0.1", true),
        ("127.9.9.9", true),
        ("::1", true),
        ("::ffff:127.0.0.1", true),
        ("10.0.0.1", false),
        ("fe80::1", false),
    ] {
        assert_eq!(Peer::at(address(text)).is_loopback(), is_loopback, "{text}");
    }
}

#[test]
fn a_forwarded_client_is_the_last_address_that_is_no_trusted_proxy() {
    let proxies = proxies(&["10.0.0.0/8", "2001:db8:f::/48"]);
    for (values, client) in [
        (&["203.0.113.7"][..], Some("203.0.113.7")),
        (&["198.51.100.1, 203.0.113.7"], Some("203.0.113.7")),
        (&["198.51.100.1", "203.0.113.7 , 10.1.1.1"], Some("203.0.113.7")),
        (&["203.0.113.7", "10.1.1.1,10.2.2.2"], Some("203.0.113.7")),
        (&["203.0.113.7:4711"], Some("203.0.113.7")),
        (&["[2001:db8:1::5]:4711, 2001:db8:f::1"], Some("2001:db8:1::5")),
        (&["[2001:db8:1::5]"], Some("2001:db8:1::5")),
        (&["::ffff:203.0.113.7, ::ffff:10.1.1.1"], Some("203.0.113.7")),
        (&["203.0.113.7, unknown"], None),
        (&["203.0.113.7,"], None),
        (&["10.1.1.1"], None),
        (&[""], None),
        (&[], None),
    ] {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(value).expect("a header value"));
        }
        let expected = client.map(|client| Peer::at(address(client)));
        assert_eq!(proxies.forwarded_peer(&headers), expected, "{values:?}");
    }
}

#[test]
fn nobody_is_trusted_unless_configured() {
    assert!(!TrustedProxies::default().contain(address("127.0.0.1")));
    assert!(proxies(&["127.0.0.0/8"]).contain(address("::ffff:127.0.0.1")));
}
