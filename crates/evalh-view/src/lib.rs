//! One page, served on loopback until somebody stops it.
//!
//! It answers to this machine only: it listens on 127.0.0.1, refuses requests that were sent to any other name (a web site
//! that lets its own name point here would else read the page), and serves one document and nothing else.

mod answer;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tiny_http::Server;

/// How long a wait for a request lasts before the caller is asked whether to stop.
const TICK: Duration = Duration::from_millis(100);

/// A server of one page.
pub struct View {
    server: Server,
    page: String,
    port: u16,
}

/// Why a page cannot be served or opened.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The port is taken or may not be used.
    #[error("listen on 127.0.0.1:{port}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No browser was found.
    #[error("open a browser")]
    Open(#[source] io::Error),
    /// The connection broke down.
    #[error("serve the page")]
    Serve(#[source] io::Error),
}

impl View {
    /// Listens on a port of 127.0.0.1; on a free one where it is 0.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub fn bind(page: String, port: u16) -> Result<View, ViewError> {
        let failed = |source| ViewError::Listen { port, source };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let server = Server::http(address).map_err(failed)?;
        let bound = server.server_addr().to_ip().map(|address| address.port());
        let bound = bound.ok_or_else(|| failed("no address was given".into()))?;
        Ok(View {
            server,
            page,
            port: bound,
        })
    }

    /// Where the page is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Opens it in the user's browser, which goes on by itself.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(&self) -> Result<(), ViewError> {
        open::that_detached(self.url()).map_err(ViewError::Open)
    }

    /// Answers requests until `stop` says so; it is asked several times a second.
    ///
    /// # Errors
    /// When no more requests can be taken. A reader that hangs up is no error.
    pub fn serve_until(&self, stop: impl Fn() -> bool) -> Result<(), ViewError> {
        while !stop() {
            let request = self.server.recv_timeout(TICK).map_err(ViewError::Serve)?;
            if let Some(request) = request {
                answer::answer(request, &self.page, self.port);
            }
        }
        Ok(())
    }
}
