//! Retry is a classification, not a loop: network, transient, page refused, phone refused.

use super::event::Response;
use crate::wire::Problem;

/// What an answer means for what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// An answer of this protocol.
    Good,
    /// As if nothing had arrived: again, with back-off. Everything unknown is here, a captive portal's page too.
    Network,
    /// The server asks to wait.
    Transient {
        /// At least so long, if it said.
        after_ms: Option<u64>,
    },
    /// The server can not digest this page; another page may be fine.
    Page {
        /// Why.
        code: String,
    },
    /// All cases of the page are reports beyond the day's quota; everything else goes on.
    Quota,
    /// The server takes nothing from this phone.
    Phone {
        /// Why.
        code: String,
    },
}

/// The longest our server ever asks to wait; whoever asks for more is not believed.
const MOST_ASKED_MS: u64 = 3_600_000;

/// How long an answer asks to wait, if it does.
pub fn asked_wait(response: &Response) -> Option<u64> {
    response.retry_after_ms.map(|ms| ms.min(MOST_ASKED_MS))
}

/// The code of our server's own words; none for the page of a portal or a proxy.
pub fn own_code(response: &Response) -> Option<String> {
    serde_json::from_slice::<Problem>(&response.body).ok().map(|problem| problem.code)
}

/// Classifies an answer. A good one still has to be opened: a captive portal answers 200 too.
pub fn classify(response: &Response) -> Class {
    match (response.status, own_code(response)) {
        (200, _) => Class::Good,
        (429, Some(code)) if code == "quota_cases" => Class::Quota,
        (408 | 425 | 429 | 503 | 507, _) => Class::Transient { after_ms: asked_wait(response) },
        // The very request was taken before: its answer was lost.
        (401, Some(code)) if code == "counter_replayed" => Class::Network,
        // Only our server's own words close the door; a portal's 401 or 403 has none.
        (401 | 403 | 426, Some(code)) => Class::Phone { code },
        (400 | 413 | 415 | 422, Some(code)) => Class::Page { code },
        (500, _) => Class::Page { code: "server_error".to_owned() },
        _ => Class::Network,
    }
}

/// Waits longer after each failure: 1, 2, 4 … 60 s, each a quarter more or less so that a street does not return at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    const FIRST_MS: u64 = 1_000;
    const MOST_MS: u64 = 60_000;

    /// Notes a failure; answers how long to wait. `dice` is any random number.
    pub fn fail(&mut self, dice: u64) -> u64 {
        let base = (Self::FIRST_MS << self.failures.min(6)).min(Self::MOST_MS);
        self.failures = self.failures.saturating_add(1);
        spread(base, dice)
    }

    /// Notes progress.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// As after so many failures.
    pub(super) fn after(failures: u32) -> Self {
        Self { failures }
    }

    /// Failures since the last progress.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// `base_ms`, a quarter more or less.
pub fn spread(base_ms: u64, dice: u64) -> u64 {
    base_ms - base_ms / 4 + dice % (base_ms / 2 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response { status, retry_after_ms: Some(7), body: body.as_bytes().to_vec() }
    }

    fn problem(status: u16, code: &str) -> Response {
        let body =
            format!(r#"{{"type":"/problems/{code}","title":"t","status":{status},"code":"{code}","detail":"d"}}"#);
        response(status, &body)
    }

    #[test]
    fn waiting_doubles_up_to_a_minute_and_starts_again_after_progress() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..9).map(|_| backoff.fail(u64::MAX / 2)).collect();
        assert!(waits.windows(2).take(5).all(|pair| pair[1] > pair[0]), "{waits:?}");
        assert!(waits[8] <= 75_000 && waits[8] >= 45_000);
        backoff.reset();
        assert!(backoff.fail(0) <= 1_250);
    }

    #[test]
    fn the_same_street_does_not_come_back_at_the_same_moment() {
        let spread: std::collections::BTreeSet<u64> = (0..100).map(|dice| Backoff::default().fail(dice * 31)).collect();
        assert!(spread.len() > 50);
    }

    #[test]
    fn a_portals_page_is_the_network_not_a_refusal() {
        for status in [301, 302, 401, 403, 404, 502, 504, 520] {
            assert_eq!(classify(&response(status, "<html>please log in</html>")), Class::Network, "{status}");
        }
    }

    #[test]
    fn nobody_is_waited_for_longer_than_an_hour() {
        for seconds in [3_601, u64::MAX / 1_000, u64::MAX] {
            let answer = Response { retry_after_ms: Some(seconds.saturating_mul(1_000)), ..response(503, "") };
            assert_eq!(classify(&answer), Class::Transient { after_ms: Some(3_600_000) });
        }
    }

    #[test]
    fn the_servers_own_words_decide_the_rest() {
        assert_eq!(classify(&response(200, "")), Class::Good);
        assert_eq!(classify(&problem(429, "quota_cases")), Class::Quota);
        assert_eq!(classify(&problem(429, "too_many_requests")), Class::Transient { after_ms: Some(7) });
        assert_eq!(classify(&problem(503, "busy")), Class::Transient { after_ms: Some(7) });
        assert_eq!(classify(&problem(401, "counter_replayed")), Class::Network);
        assert_eq!(classify(&problem(403, "device_revoked")), Class::Phone { code: "device_revoked".into() });
        assert_eq!(classify(&problem(400, "malformed")), Class::Page { code: "malformed".into() });
    }
}
