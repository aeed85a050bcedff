//! The page is served, to this machine only.

use evalh_view::View;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
};

/// The answer to a request as it came over the wire.
fn ask(view: &View, method: &str, path: &str, host: &str) -> String {
    let address = view.url().replace("http://", "");
    let mut stream = TcpStream::connect(address.trim_end_matches('/')).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// What is asked while the page is served.
fn while_serving(asking: impl FnOnce(&View)) {
    let view = View::bind("<!DOCTYPE html><p>d\u{e9}j\u{e0} vu".into(), 0).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let server = scope.spawn(|| view.serve_until(|| done.load(Ordering::Relaxed)));
        asking(&view);
        done.store(true, Ordering::Relaxed);
        server.join().unwrap().unwrap();
    });
}

#[test]
fn the_page_and_nothing_else() {
    while_serving(|view| {
        let host = view.url().replace("http://", "").replace('/', "");
        let page = ask(view, "GET", "/", &host);
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        assert!(page.ends_with("<p>d\u{e9}j\u{e0} vu"), "{page}");
        let lower = page.to_ascii_lowercase();
        for header in [
            "content-type: text/html; charset=utf-8",
            "x-content-type-options: nosniff",
            "content-security-policy: frame-ancestors 'none'",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
        ] {
            assert!(lower.contains(header), "{header} in {page}");
        }
        assert!(ask(view, "GET", "/?x=1", &host).starts_with("HTTP/1.1 200"));
        assert!(ask(view, "GET", "/favicon.ico", &host).starts_with("HTTP/1.1 204"));
        for path in ["/x", "//", "/../etc/passwd", "/index.html"] {
            assert!(
                ask(view, "GET", path, &host).starts_with("HTTP/1.1 404"),
                "{path}"
            );
        }
        assert!(ask(view, "POST", "/", &host).starts_with("HTTP/1.1 405"));
        assert!(!ask(view, "HEAD", "/", &host).contains("<p>"));
    });
}

#[test]
fn a_request_to_another_name_is_refused() {
    while_serving(|view| {
        for host in ["evil.example", "evil.example:80", "127.0.0.1", ""] {
            let answer = ask(view, "GET", "/", host);
            assert!(answer.starts_with("HTTP/1.1 421"), "{host}: {answer}");
            assert!(!answer.contains("vu"));
        }
    });
}

#[test]
fn a_taken_port_is_told() {
    let first = View::bind(String::new(), 0).unwrap();
    let port: u16 = first
        .url()
        .rsplit([':', '/'])
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let error = View::bind(String::new(), port).err().unwrap();
    assert_eq!(error.to_string(), format!("listen on 127.0.0.1:{port}"));
}
