//! Connections of a fake model, and the execution of its script.

use std::io;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::State;
use super::answer::{Answer, Unfinished};
use crate::request::Request;
use crate::step::Head;

/// Accepts until dropped, and then drops every connection too.
pub(crate) async fn accept(listener: TcpListener, tls: Option<Arc<ServerConfig>>, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        state.connected();
        connections.spawn(serve(stream, tls.clone(), Arc::clone(&state)));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, tls: Option<Arc<ServerConfig>>, state: Arc<State>) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => speak(stream, state).await,
        // A client that does not trust the certificate ends here.
        Some(tls) => {
            if let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await {
                speak(stream, state).await;
            }
        }
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, state: Arc<State>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&state)));
    // Scripted breaks and clients that leave end a connection with an error.
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: hyper::Request<Incoming>,
    state: Arc<State>,
) -> Result<hyper::Response<Answer>, io::Error> {
    let unfinished = Unfinished::new(Arc::clone(&state));
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let (method, version, headers) = (head.method, head.version, head.headers);
    let step = state.step_for(Request { method, path, version, headers, body });
    if let Some(gate) = &step.before_head {
        gate.pass().await;
    }
    let Head::Answer(status, headers) = step.head else {
        unfinished.finish();
        return Err(io::Error::other("scripted end of the connection"));
    };
    let mut response = hyper::Response::new(Answer::new(step.acts, unfinished));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
