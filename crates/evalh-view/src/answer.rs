//! What is answered to a request.

use tiny_http::{Header, Method, Request, Response};

/// Headers of every answer. `frame-ancestors` is what the page's own policy cannot say of itself.
const HEADERS: [(&str, &str); 7] = [
    ("Content-Security-Policy", "frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
];

/// Answers a request; who hung up in the meantime gets nothing.
pub(crate) fn answer(request: Request, page: &str, port: u16) {
    let host = request.headers().iter().find(|h| h.field.equiv("Host"));
    let is_ours = host.is_some_and(|host| is_loopback(host.value.as_str(), port));
    let may_read = matches!(request.method(), Method::Get | Method::Head);
    let path = request.url().split('?').next().unwrap_or_default();
    let (status, kind, body) = match path {
        _ if !is_ours => (
            421,
            "text/plain",
            "this page is served to this machine only",
        ),
        _ if !may_read => (405, "text/plain", "the page can only be read"),
        "/" => (200, "text/html; charset=utf-8", page),
        "/favicon.ico" => (204, "text/plain", ""),
        _ => (404, "text/plain", "there is one page here, at /"),
    };
    let mut response = Response::from_data(body.as_bytes()).with_status_code(status);
    let kind = [("Content-Type", kind)];
    let allow = (status == 405).then_some(("Allow", "GET, HEAD"));
    for (name, value) in HEADERS.into_iter().chain(kind).chain(allow) {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    // There is nobody to tell where this fails.
    let _ = request.respond(response);
}

/// Whether a `Host` header names this server as this machine reaches it.
fn is_loopback(host: &str, port: u16) -> bool {
    ["127.0.0.1", "localhost"].iter().any(|name| {
        let rest = host
            .get(..name.len())
            .filter(|start| start.eq_ignore_ascii_case(name))
            .map(|_| &host[name.len()..]);
        rest.and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|of| of == port.to_string())
            || (port == 80 && rest == Some(""))
    })
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_by_its_own_name() {
        for host in ["127.0.0.1:8080", "localhost:8080", "LocalHost:8080"] {
            assert!(is_loopback(host, 8080), "{host}");
        }
        for host in [
            "",
            "evil.example:8080",
            "localhost.evil.example:8080",
            "localhost",
            "localhost:80",
            "127.0.0.1.evil.example",
            "127.0.0.1:80800",
            "\u{e9}vil:8080",
        ] {
            assert!(!is_loopback(host, 8080), "{host}");
        }
        assert!(is_loopback("localhost", 80));
    }
}
