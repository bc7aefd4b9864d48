//! Requests whose size lies, whose header has no end, whose body never comes.

use super::{Bomb, request};

/// Routes that read bodies.
const ROUTES: [(&str, &str); 6] = [
    ("/v1/sync", "application/vnd.xunge.sync"),
    ("/v1/rescue", "application/vnd.xunge.rescue"),
    ("/v1/auth/token", "application/json"),
    ("/v1/auth/enrol", "application/json"),
    ("/v1/photos", "application/offset+octet-stream"),
    ("/login", "application/x-www-form-urlencoded"),
];

pub(super) fn all() -> Vec<Bomb> {
    let mut bombs = vec![];
    for (path, kind) in ROUTES {
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\n");
        for length in ["18446744073709551615", "9223372036854775808", "99999999999", "-1", "0x10", "1, 2"] {
            let text = format!("{head}content-length: {length}\r\n\r\nx");
            // Nobody sends what was announced; who waits for it waits alone.
            let waits = length == "99999999999";
            let name = format!("{path} of {length} bytes");
            bombs.push(if waits { Bomb::held(name, text.into_bytes()) } else { Bomb::new(name, text.into_bytes()) });
        }
        let chunked = |body: &str| format!("{head}transfer-encoding: chunked\r\n\r\n{body}").into_bytes();
        bombs.push(Bomb::held(format!("{path}: a chunk of 2^60 bytes"), chunked("fffffffffffffff\r\nx")));
        bombs.push(Bomb::new(format!("{path}: a chunk size that overflows"), chunked("fffffffffffffffff\r\nx")));
        bombs.push(Bomb::held(
            format!("{path}: a body that stands still"),
            format!("{head}content-length: 900\r\n\r\nx").into(),
        ));
        let both = format!("{head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nPOST /");
        bombs.push(Bomb::new(format!("{path}: two lengths"), both.into_bytes()));
        let many_chunks = format!("{}0\r\n\r\n", "1\r\nx\r\n".repeat(30_000));
        bombs.push(Bomb::new(format!("{path}: thirty thousand chunks"), chunked(&many_chunks)));
    }
    bombs.extend(headers());
    bombs
}

fn headers() -> Vec<Bomb> {
    let line = |count: usize, line: &dyn Fn(usize) -> String| -> Vec<u8> {
        let lines: String = (0..count).map(|index| format!("{}\r\n", line(index))).collect();
        format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n").into_bytes()
    };
    let mut bombs = vec![
        Bomb::new("a hundred thousand headers", line(100_000, &|index| format!("x-{index}: y"))),
        Bomb::new("ninety headers of 300 bytes", line(90, &|index| format!("x-{index}: {}", "y".repeat(300)))),
        Bomb::new("one header of a megabyte", line(1, &|_| format!("x: {}", "y".repeat(1 << 20)))),
        Bomb::new("a name of 30 kB", line(1, &|_| format!("{}: y", "x".repeat(30_000)))),
        Bomb::new("a thousand cookies", line(1_000, &|index| format!("cookie: c{index}=1"))),
        Bomb::new("a cookie of 30 kB", line(1, &|_| format!("cookie: {}", "a=b; ".repeat(6_000)))),
        Bomb::new("a thousand bearers", line(80, &|_| "authorization: Bearer x".to_owned())),
        Bomb::new("a bearer of 30 kB", line(1, &|_| format!("authorization: Bearer {}", "x.".repeat(15_000)))),
        Bomb::new("languages without end", line(1, &|_| format!("accept-language: {}", "zh;q=0.1,".repeat(3_000)))),
        Bomb::new("encodings without end", line(1, &|_| format!("accept-encoding: {}", "gzip,".repeat(6_000)))),
        Bomb::new("ranges without end", line(1, &|_| format!("range: bytes={}", "0-1,".repeat(7_000)))),
        Bomb::new("addresses without end", line(1, &|_| format!("x-forwarded-for: {}", "::1,".repeat(7_000)))),
        Bomb::held("a header without an end", b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ".to_vec()),
        Bomb::held("a line without an end", b"GET /".to_vec()),
        Bomb::new("no request at all", vec![0; 100_000]),
        Bomb::new("a path of a megabyte", request("GET", &format!("/{}", "a".repeat(1 << 20)), &[], b"")),
        Bomb::new("ten thousand folders", request("GET", &"/a".repeat(10_000), &[], b"")),
        Bomb::new("HTTP/2 by prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        Bomb::new("TLS", [&[0x16, 3, 1, 2, 0, 1][..], &[7; 500]].concat()),
    ];
    for (index, continued) in ["100-continue", "101", "nonsense"].into_iter().enumerate() {
        bombs.push(Bomb::new(format!("expects {continued}"), line(1, &|_| format!("expect: {continued}"))));
        bombs.push(Bomb::new(
            format!("an upgrade, {index}"),
            line(1, &|_| format!("connection: upgrade\r\nupgrade: {continued}")),
        ));
    }
    bombs
}
