//! Scripted OpenAI-compatible server.

mod answer;
mod connection;

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::certificate::{TlsOptions, TlsServer};
use crate::request::Request;
use crate::step::Step;

type Script = dyn Fn(&Request) -> Step + Send + Sync;

/// Server on loopback that follows a script. It speaks HTTP/1.1 and, to clients that begin with
/// it, HTTP/2. Stops when dropped.
pub struct FakeModel {
    address: SocketAddr,
    tls: Option<TlsServer>,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

/// Builder of a fake model.
#[must_use]
pub struct Builder {
    steps: VecDeque<Step>,
    otherwise: Arc<Script>,
    tls: bool,
    is_authority: bool,
    is_expired: bool,
    name: Option<&'static str>,
    client_pem: Option<String>,
    forgetful: bool,
}

pub(crate) struct State {
    steps: Mutex<VecDeque<Step>>,
    otherwise: Arc<Script>,
    forgetful: bool,
    requests: watch::Sender<Vec<Request>>,
    connections: watch::Sender<usize>,
    hang_ups: watch::Sender<usize>,
}

impl FakeModel {
    /// Starts a model that answers each request as [`Step::says`] does.
    pub async fn saying(text: &'static str) -> Self {
        Self::builder().otherwise(move |request| Step::says(request, text)).start().await
    }

    /// Starts a model that handles all requests alike.
    pub async fn always(step: Step) -> Self {
        Self::builder().otherwise(move |_| step.clone()).start().await
    }

    /// Returns the builder of a model with a script.
    pub fn builder() -> Builder {
        Builder {
            steps: VecDeque::new(),
            otherwise: Arc::new(|request| Step::says(request, "hello there")),
            tls: false,
            is_authority: false,
            is_expired: false,
            name: None,
            client_pem: None,
            forgetful: false,
        }
    }

    /// Returns the base address of its API.
    pub fn base_url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/v1", self.address)
    }

    /// Returns the host and port.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Returns the certificate authority of its certificate, if it speaks TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.tls.as_ref().map(|tls| tls.pem.as_str())
    }

    /// Returns the requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state.requests.borrow().clone()
    }

    /// Waits until `count` requests have arrived in total, and returns the last of them.
    pub async fn request(&self, count: usize) -> Request {
        let mut requests = self.state.requests.subscribe();
        let requests = requests.wait_for(|requests| requests.len() >= count).await;
        requests.expect("the state outlives its watchers")[count - 1].clone()
    }

    /// Waits until its requests so far meet a condition, and returns them.
    pub async fn requests_until(&self, enough: impl Fn(&[Request]) -> bool) -> Vec<Request> {
        let mut requests = self.state.requests.subscribe();
        let requests = requests.wait_for(|requests| enough(requests)).await;
        requests.expect("the state outlives its watchers").clone()
    }

    /// Returns the number of connections that were accepted so far.
    pub fn connections(&self) -> usize {
        *self.state.connections.borrow()
    }

    /// Waits until `count` clients in total have hung up before their answer ended.
    pub async fn hung_up(&self, count: usize) {
        let mut hang_ups = self.state.hang_ups.subscribe();
        hang_ups.wait_for(|seen| *seen >= count).await.expect("the state outlives its watchers");
    }

    /// Closes all connections, and refuses new ones.
    pub async fn go_down(&mut self) {
        self.accepting.abort();
        let ended = (&mut self.accepting).await;
        assert!(ended.is_err_and(|error| error.is_cancelled()), "the fake model was up");
    }

    /// Accepts connections again, at the same address.
    pub async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the old port is free");
        self.accepting = accept(listener, self.tls.as_ref(), &self.state);
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl fmt::Debug for FakeModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FakeModel").field(&self.base_url()).finish()
    }
}

impl Builder {
    /// Adds a step for one request. Requests take their steps in the order in which they arrive.
    pub fn then(mut self, step: Step) -> Self {
        self.steps.push_back(step);
        self
    }

    /// Sets the handling of all further requests.
    pub fn otherwise(mut self, script: impl Fn(&Request) -> Step + Send + Sync + 'static) -> Self {
        self.otherwise = Arc::new(script);
        self
    }

    /// Enables TLS with a new certificate.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Enables TLS with a certificate that is marked as an authority's, as `openssl req -x509`
    /// does.
    pub fn tls_as_authority(mut self) -> Self {
        self.is_authority = true;
        self.tls()
    }

    /// Issues the certificate for another server name.
    pub fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Uses an expired certificate.
    pub fn expired(mut self) -> Self {
        self.is_expired = true;
        self
    }

    /// Enables TLS for clients with this certificate, in PEM.
    pub fn tls_for_client(mut self, pem: &str) -> Self {
        self.client_pem = Some(pem.to_owned());
        self.tls()
    }

    /// Stores no requests: for benches, which send too many.
    pub fn forgetful(mut self) -> Self {
        self.forgetful = true;
        self
    }

    /// Starts listening.
    pub async fn start(self) -> FakeModel {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
        let state = State {
            steps: Mutex::new(self.steps),
            otherwise: self.otherwise,
            forgetful: self.forgetful,
            requests: watch::Sender::new(Vec::new()),
            connections: watch::Sender::new(0),
            hang_ups: watch::Sender::new(0),
        };
        let address = listener.local_addr().expect("a bound listener has an address");
        let options = TlsOptions {
            is_authority: self.is_authority,
            is_expired: self.is_expired,
            name: self.name,
            client_pem: self.client_pem.as_deref(),
        };
        let tls = self.tls.then(|| TlsServer::new(options));
        let state = Arc::new(state);
        let accepting = accept(listener, tls.as_ref(), &state);
        FakeModel { address, tls, state, accepting }
    }
}

fn accept(listener: TcpListener, tls: Option<&TlsServer>, state: &Arc<State>) -> JoinHandle<()> {
    let tls = tls.map(|tls| Arc::clone(&tls.config));
    tokio::spawn(connection::accept(listener, tls, Arc::clone(state)))
}

impl State {
    pub(crate) fn connected(&self) {
        self.connections.send_modify(|count| *count += 1);
    }

    pub(crate) fn hung_up(&self) {
        self.hang_ups.send_modify(|count| *count += 1);
    }

    /// Records a request, and returns its step.
    pub(crate) fn step_for(&self, request: Request) -> Step {
        let step = self.steps().pop_front().unwrap_or_else(|| (self.otherwise)(&request));
        if !self.forgetful {
            self.requests.send_modify(|requests| requests.push(request));
        }
        step
    }

    fn steps(&self) -> MutexGuard<'_, VecDeque<Step>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
