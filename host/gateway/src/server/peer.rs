//! The peer that a connection or a request is counted for, and the proxies that are believed
//! when they report one.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use http::HeaderMap;
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// A client machine: an IPv4 address, or the /64 network of an IPv6 address, since one
/// machine has a whole network of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Peer(IpAddr);

impl Peer {
    /// The peer at an address.
    pub(super) fn at(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                Self(Ipv6Addr::from(network).into())
            }
            v4 @ IpAddr::V4(_) => Self(v4),
        }
    }

    /// Returns whether it is this machine.
    pub(super) fn is_loopback(self) -> bool {
        // The network of ::1 is ::/64, in which no other machine has its address.
        self.0.is_loopback() || self.0 == Ipv6Addr::UNSPECIFIED
    }
}

/// Proxies whose word about a client's address is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TrustedProxies(Arc<[IpNet]>);

impl FromIterator<IpNet> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

impl TrustedProxies {
    /// Returns whether the address is one of a trusted proxy.
    pub(super) fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client that the `x-forwarded-for` header of a trusted proxy reports: the last
    /// address that is not a trusted proxy itself. What stands before it was written by
    /// others. `None` if there is none, or if something else than an address comes first.
    pub(super) fn forwarded_peer(&self, headers: &HeaderMap) -> Option<Peer> {
        for value in headers.get_all(FORWARDED_FOR).iter().rev() {
            for hop in value.to_str().ok()?.rsplit(',') {
                let address = hop_address(hop.trim())?;
                if !self.contain(address) {
                    return Some(Peer::at(address));
                }
            }
        }
        None
    }
}

/// The address of one hop; some proxies add a port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse().ok().map(|address: std::net::SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests;
