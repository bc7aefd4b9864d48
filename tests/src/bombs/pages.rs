//! JSON, forms, queries and upload headers that ask for a lot.

use super::{Bomb, request};

pub(super) fn all(office: &str, phone: &str) -> Vec<Bomb> {
    let mut bombs = json(office);
    bombs.extend(forms());
    bombs.extend(queries(office));
    bombs.extend(uploads(phone));
    bombs
}

fn json(office: &str) -> Vec<Bomb> {
    let bearer = format!("Bearer {office}");
    let case = "00000000000000000000000001";
    let events = format!("/v1/cases/{case}/events");
    let bodies: [(&str, String); 9] = [
        ("lists 60,000 deep", "[".repeat(60_000)),
        ("maps 10,000 deep", "{\"a\":".repeat(10_000)),
        ("lists 3,000 deep in a member", format!("{{\"verb\":{}1{}}}", "[".repeat(3_000), "]".repeat(3_000))),
        ("a number of 60,000 digits", format!("{{\"expected_version\":{}}}", "9".repeat(60_000))),
        ("1e999999999", "{\"lon\":1e999999999,\"lat\":-1e999999999}".to_owned()),
        ("ten thousand members", {
            let members: Vec<String> = (0..6_000).map(|index| format!("\"{index}\":1")).collect();
            format!("{{{}}}", members.join(","))
        }),
        ("one member a thousand times", format!("{{{}}}", ["\"verb\":\"file\""; 3_000].join(","))),
        ("halves of characters", format!("{{\"verb\":\"{}\"}}", "\\ud800".repeat(9_000))),
        ("text of 10 MB", format!("{{\"verb\":\"{}\"}}", "a".repeat(10 << 20))),
    ];
    let routes = ["/v1/auth/token", "/v1/auth/enrol", "/v1/cases", events.as_str()];
    let one = |path: &str, (name, body): &(&str, String)| {
        let headers =
            [("content-type", "application/json"), ("authorization", bearer.as_str()), ("idempotency-key", "bomb")];
        Bomb::new(format!("{path}: {name}"), request("POST", path, &headers, body.as_bytes()))
    };
    routes.iter().flat_map(|path| bodies.iter().map(|body| one(path, body)).collect::<Vec<_>>()).collect()
}

fn forms() -> Vec<Bomb> {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let bodies = [
        ("a hundred thousand fields", "a=b&".repeat(100_000)),
        ("fields within a small body", "a=b&".repeat(900)),
        ("a field of a megabyte", format!("user={}", "a".repeat(1 << 20))),
        ("per cent signs", "%".repeat(3_000)),
        ("bytes that are no text", "user=%ff%fe%00&password=%c0%af".to_owned()),
        ("nested names", format!("user{}=1", "[a]".repeat(1_000))),
        ("a way back to elsewhere", "user=a&password=b&next=https%3A%2F%2Fevil.example".to_owned()),
    ];
    let paths = ["/login", "/logout", "/cases/00000000000000000000000001/act"];
    let mut bombs: Vec<Bomb> = paths
        .iter()
        .flat_map(|path| {
            bodies.iter().map(move |(name, body)| {
                let own = ("origin", "http://localhost");
                Bomb::new(format!("{path}: {name}"), request("POST", path, &[form, own], body.as_bytes()))
            })
        })
        .collect();
    let parts = "--x\r\ncontent-disposition: form-data; name=\"user\"\r\n\r\na\r\n".repeat(2_000);
    let kind = [("content-type", "multipart/form-data; boundary=x")];
    bombs.push(Bomb::new("/login: two thousand parts", request("POST", "/login", &kind, parts.as_bytes())));
    bombs
}

fn queries(office: &str) -> Vec<Bomb> {
    let bearer = format!("Bearer {office}");
    let queries = [
        ("a cursor of ten thousand parts", format!("after={}", "1.".repeat(10_000))),
        ("a cursor before all time", "after=-9223372036854775808.00000000000000000000000000".to_owned()),
        ("a cursor after all time", "after=9223372036854775807.7ZZZZZZZZZZZZZZZZZZZZZZZZZ".to_owned()),
        ("five thousand cursors", "after=1.0&".repeat(2_500)),
        ("ten thousand states", format!("state={}", "filed,".repeat(4_000))),
        ("five thousand parameters", (0..3_000).map(|index| format!("p{index}=1&")).collect()),
        ("words of 20 kB", format!("q={}", "%25_".repeat(6_000))),
        ("a day no calendar has", "from=9999999-99-99&to=-1".to_owned()),
        ("a page of 2^64 cases", "limit=18446744073709551615".to_owned()),
        ("a page of no case", "limit=0".to_owned()),
        ("a category of 20 kB", format!("category={}", "a%3a".repeat(6_000))),
        ("counts by everything", "by=unit,category,grid,mode,unit&from=0001-01-01&to=9999-12-31".to_owned()),
    ];
    let get = |path: &str, name: &str, query: &str| {
        let path = format!("{path}?{query}");
        Bomb::new(format!("{path:.40}: {name}"), request("GET", &path, &[("authorization", bearer.as_str())], b""))
    };
    queries
        .iter()
        .flat_map(|(name, query)| ["/v1/cases", "/v1/counts", "/cases"].map(|path| get(path, name, query)))
        .collect()
}

fn uploads(phone: &str) -> Vec<Bomb> {
    let bearer = format!("Bearer {phone}");
    let name = "0".repeat(64);
    let place = format!("/v1/photos/{name}");
    let send = |what: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]| {
        let mut all = vec![
            ("authorization", bearer.as_str()),
            ("tus-resumable", "1.0.0"),
            ("content-type", "application/offset+octet-stream"),
        ];
        all.extend(headers);
        Bomb::new(format!("{method} upload: {what}"), request(method, path, &all, body))
    };
    let long = "a ".repeat(7_000);
    let metadata = format!("sha256 {},", "A".repeat(20_000));
    let mut bombs: Vec<Bomb> = ["0", "18446744073709551615", "99999999999999999999999", "17000000000", "-1", "1e3"]
        .iter()
        .map(|length| send(&format!("{length} bytes"), "POST", "/v1/photos", &[("upload-length", length)], b"x"))
        .collect();
    bombs.extend([
        send("metadata of 14 kB", "POST", "/v1/photos", &[("upload-length", "9"), ("upload-metadata", &long)], b""),
        send("a hash of 20 kB", "POST", "/v1/photos", &[("upload-length", "9"), ("upload-metadata", &metadata)], b""),
        send("a length told later", "POST", "/v1/photos", &[("upload-defer-length", "1")], b""),
        send("more than announced", "POST", "/v1/photos", &[("upload-length", "5")], &[7; 1 << 20]),
        send("an offset far out", "PATCH", &place, &[("upload-offset", "18446744073709551615")], b"x"),
        send("an offset nobody reached", "PATCH", &place, &[("upload-offset", "5000000")], &[7; 1 << 20]),
        send(
            "a check sum of 20 kB",
            "PATCH",
            &place,
            &[("upload-offset", "0"), ("upload-checksum", &format!("sha1 {}", "A".repeat(20_000)))],
            b"x",
        ),
        send("another method", "POST", &place, &[("x-http-method-override", "TRACE"), ("upload-offset", "0")], b"x"),
        send("a name with a way out", "HEAD", "/v1/photos/..%2f..%2fkeys%2fsigning.key", &[], b""),
    ]);
    // As many begun as a phone may have, and more.
    bombs.extend((0..12).map(|_| send("begun and left", "POST", "/v1/photos", &[("upload-length", "9000000")], b"x")));
    bombs
}
