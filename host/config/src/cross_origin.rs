//! Protection of listeners without authentication from web pages in a local browser.
//!
//! A page of another origin is recognised by `origin` and `sec-fetch-site`, which pages cannot
//! set. A page whose own DNS name resolves to this machine (DNS rebinding) has the same origin
//! for its browser and is recognised only by the name in `host`. Headers that cannot be parsed
//! are rejected, because browsers accept names that the parsers here do not.

use std::net::{IpAddr, Ipv6Addr};

use http::{HeaderMap, HeaderName, Method, Request, Version, header};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// Longest DNS name.
const LONGEST_NAME: usize = 253;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    host: Host,
    port: Option<u16>,
}

/// A host by its address or by its name in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An IP address.
    Address(IpAddr),
    /// A name.
    Name(String),
}

/// The origin of a web page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin {
    is_tls: bool,
    authority: Authority,
}

/// Rules of a listener without authentication.
#[derive(Clone, Debug)]
pub struct CrossOriginRules {
    /// Hosts that requests may name.
    pub hosts: AllowedHosts,
    /// Other origins whose pages may send requests.
    pub origins: Allowed<WebOrigin>,
    /// True if pages of the listener itself may have been loaded over TLS that a proxy in front
    /// of it terminates.
    pub may_end_tls: bool,
    /// True if HTTP/1.0 clients may omit the host.
    pub may_omit_host: bool,
}

/// Hosts that requests may name.
#[derive(Clone, Debug)]
pub enum AllowedHosts {
    /// Any host, or no host.
    All,
    /// IP addresses, `localhost`, names below it, and names of a list.
    Local {
        /// True if names without a dot are allowed: nobody can register them in DNS.
        single_labels: bool,
        /// Further names.
        names: Vec<String>,
    },
}

/// A list, or everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed<T> {
    /// Everything.
    All,
    /// Members of a list.
    Only(Vec<T>),
}

/// Reason for refusing a request.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The host is missing, ambiguous or malformed.
    #[error("the request has to name one valid host")]
    InvalidHost,
    /// The host is not allowed.
    #[error("requests for this host are not accepted")]
    UnknownHost,
    /// The request was sent by a page of another origin.
    #[error("requests from other web pages are not accepted")]
    ForeignPage,
}

impl Authority {
    /// Reads `host` or `host:port`, without user names, zones and trailing dots.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                (Host::Address(address.parse::<Ipv6Addr>().ok()?.into()), port)
            }
            None => {
                let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
                (Host::parse_bare(name)?, port)
            }
        };
        Some(Self { host, port: if port.is_empty() { None } else { Some(parse_port(port)?) } })
    }
}

impl Host {
    /// Reads a DNS name or an IPv4 address.
    pub fn parse_bare(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<std::net::Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let is_label = |label: &str| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        // Browsers take a name that ends in a number for an IPv4 address.
        let ends_in_number = |name: &str| {
            let last = name.rsplit('.').next().unwrap_or_default();
            last.bytes().all(|b| b.is_ascii_digit())
                || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
        };
        let name = text.to_ascii_lowercase();
        let is_name = name.len() <= LONGEST_NAME && name.split('.').all(is_label) && !ends_in_number(&name);
        is_name.then_some(Self::Name(name))
    }
}

impl WebOrigin {
    /// Reads `http://host` or `https://host`, with or without a port.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let is_tls = match scheme {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let mut authority = Authority::parse(authority)?;
        authority.port.get_or_insert(default_port(is_tls));
        Some(Self { is_tls, authority })
    }

    /// Returns whether it is the origin of pages that the requested host serves.
    fn is_of(&self, requested: &Authority, may_end_tls: bool) -> bool {
        let port = requested.port.unwrap_or(default_port(self.is_tls));
        (may_end_tls || !self.is_tls)
            && self.authority.host == requested.host
            && self.authority.port == Some(port)
    }
}

impl Allowed<WebOrigin> {
    /// Returns whether a request comes from a page of a listed origin, or of any if all are.
    pub fn has_origin_of(&self, headers: &HeaderMap) -> bool {
        match self {
            Self::All => headers.contains_key(header::ORIGIN),
            Self::Only(origins) => single(headers, &header::ORIGIN)
                .and_then(WebOrigin::parse)
                .is_some_and(|origin| origins.contains(&origin)),
        }
    }
}

impl CrossOriginRules {
    /// Checks that a request was sent by a browser's user or by a program.
    ///
    /// # Errors
    ///
    /// Fails if a page of another origin may have sent it.
    pub fn check<B>(&self, request: &Request<B>) -> Result<(), Refused> {
        let requested = requested_authority(request);
        if let AllowedHosts::Local { single_labels, names } = &self.hosts
            && !(self.may_omit_host && is_hostless(request))
            && !is_local(&requested.as_ref().ok_or(Refused::InvalidHost)?.host, *single_labels, names)
        {
            return Err(Refused::UnknownHost);
        }
        let is_own = |origin: &WebOrigin| {
            requested.as_ref().is_some_and(|requested| origin.is_of(requested, self.may_end_tls))
        };
        let mut origins = request.headers().get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return check_fetch_site(request) };
        if self.origins == Allowed::All {
            return Ok(());
        }
        let origin = origin.to_str().ok().and_then(WebOrigin::parse).filter(|_| origins.next().is_none());
        let origin = origin.ok_or(Refused::ForeignPage)?;
        match &self.origins {
            Allowed::Only(allowed) if allowed.contains(&origin) => Ok(()),
            _ if is_own(&origin) => check_fetch_site(request),
            _ => Err(Refused::ForeignPage),
        }
    }
}

/// Returns the host of a request; `None` if it is missing, ambiguous or malformed.
fn requested_authority<B>(request: &Request<B>) -> Option<Authority> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let in_header = hosts.next();
    if hosts.next().is_some() {
        return None;
    }
    let in_header = match in_header {
        Some(host) => Some(Authority::parse(host.to_str().ok()?)?),
        None => None,
    };
    let in_target = match request.uri().authority() {
        Some(authority) => Some(Authority::parse(authority.as_str())?),
        None => None,
    };
    match (in_target, in_header) {
        // HTTP/2 has `:authority` instead of the header; in HTTP/1 the header is required.
        (Some(target), None) if request.version() == Version::HTTP_2 => Some(target),
        (Some(target), Some(header)) if target == header => Some(target),
        (None, header) => header,
        _ => None,
    }
}

/// Returns whether a request omits the host, as HTTP/1.0 allows. Browsers always send the host
/// and do not use HTTP/1.0.
fn is_hostless<B>(request: &Request<B>) -> bool {
    request.version() <= Version::HTTP_10
        && !request.headers().contains_key(header::HOST)
        && request.uri().authority().is_none()
}

/// Returns whether a host cannot have been resolved by DNS, or is in the list.
fn is_local(host: &Host, single_labels: bool, names: &[String]) -> bool {
    match host {
        Host::Address(_) => true,
        Host::Name(name) => {
            name == "localhost"
                || name.ends_with(".localhost")
                || (single_labels && !name.contains('.'))
                || names.contains(name)
        }
    }
}

/// Checks the headers by which a browser describes the page that sent a request. Programs do
/// not send them. Following a link is allowed, because the answer is shown to the user and not
/// to the page.
fn check_fetch_site<B>(request: &Request<B>) -> Result<(), Refused> {
    let headers = request.headers();
    let is_navigation = || {
        matches!(*request.method(), Method::GET | Method::HEAD)
            && single(headers, &SEC_FETCH_MODE) == Some("navigate")
            && single(headers, &SEC_FETCH_DEST) == Some("document")
    };
    if !headers.contains_key(SEC_FETCH_SITE) {
        return Ok(());
    }
    match single(headers, &SEC_FETCH_SITE) {
        Some("same-origin" | "none") => Ok(()),
        Some(_) if is_navigation() => Ok(()),
        _ => Err(Refused::ForeignPage),
    }
}

/// Returns the text of a header that occurs exactly once.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn default_port(is_tls: bool) -> u16 {
    if is_tls { 443 } else { 80 }
}

/// Reads `:port`.
fn parse_port(text: &str) -> Option<u16> {
    let digits = text.strip_prefix(':')?;
    // `parse` alone takes a sign.
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests;
