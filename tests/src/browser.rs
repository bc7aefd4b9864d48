//! A real Chromium, driven through chromedriver: what offices see, as a person with a mouse or a keyboard sees it.
//!
//! [`story`] starts chromedriver on a free port and a browser of its own, runs the body, keeps a screenshot and the
//! page's source in `$XUNGE_ARTEFACTS` if it fails, and ends both. Nothing sleeps: everything waits for a condition
//! with a deadline.

mod barriers;
mod driver;
mod wires;

use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use self::driver::Driver;
use self::wires::Cdp;
pub use self::wires::{Screen, artefacts};

/// How long something may take to appear. Generous: it ends a hanging story and measures nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether pages may run script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// As most offices have it.
    On,
    /// Switched off in the browser's settings.
    Off,
}

/// A browser at one site.
#[derive(Debug, Clone)]
pub struct Browser {
    client: Client,
    /// `http://127.0.0.1:PORT`.
    pub site: String,
}

/// Runs `body` in a fresh browser at `site`.
///
/// # Panics
/// If the body does, after keeping what the screen showed; if Chromium or chromedriver is not installed.
pub async fn story<F, Fut>(name: &str, site: &str, script: Script, body: F)
where
    F: FnOnce(Browser) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let driver = Driver::start();
    let browser = Browser::open(&driver, site, script).await;
    // A task of its own, so that a failed assertion comes back as a value and the screen can be kept.
    let told = tokio::spawn(body(browser.clone())).await;
    if told.is_err() {
        browser.keep(name).await;
    }
    let _ = browser.client.clone().close().await;
    drop(driver);
    if let Err(failed) = told {
        std::panic::resume_unwind(failed.into_panic());
    }
}

impl Browser {
    async fn open(driver: &Driver, site: &str, script: Script) -> Self {
        let javascript = if script == Script::Off { 2 } else { 1 };
        let prefs = json!({
            "intl": {"accept_languages": "zh-CN,zh"},
            "profile": {"default_content_setting_values": {"javascript": javascript}},
        });
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {
                // As root there is no sandbox to be had, and CI is root.
                "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                         "--disable-background-networking", "--disable-component-update", "--disable-sync",
                         "--disable-dev-shm-usage", "--lang=zh-CN", "--window-size=1366,768", "--hide-scrollbars",
                         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
                "prefs": prefs,
            },
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let Value::Object(capabilities) = capabilities else { unreachable!("an object was written above") };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver.url())
            .await
            .expect("chromedriver opens Chromium (packages: chromium, chromium-driver)");
        let browser = Self { client, site: site.to_owned() };
        if script == Script::Off {
            browser.prove_that_script_is_off().await;
        }
        browser
    }

    /// A setting that a browser quietly ignores would make every story "without script" worthless.
    async fn prove_that_script_is_off(&self) {
        let page = "data:text/html,<noscript><p id=off>off</p></noscript><script>document.title='on'</script>";
        self.client.goto(page).await.unwrap();
        assert_eq!(self.client.title().await.unwrap(), "", "script runs though it was switched off");
        self.see("#off").await;
    }

    /// Opens a path of the site.
    pub async fn open_path(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.site)).await.unwrap();
    }

    /// Path and query of the page.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.unwrap();
        url.as_str().strip_prefix(&self.site).unwrap_or(url.as_str()).to_owned()
    }

    /// Waits until `condition` answers something.
    pub async fn until<T, Fut>(&self, what: &str, condition: impl Fn() -> Fut) -> T
    where
        Fut: Future<Output = Result<Option<T>, CmdError>>,
    {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // An element may go stale between two commands, because a new page came; the next look finds the new one.
            let seen = condition().await;
            if let Ok(Some(found)) = seen {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "waited in vain for {what} at {}; last: {:?}",
                self.path().await,
                seen.err()
            );
            tokio::task::yield_now().await;
        }
    }

    /// Waits for an element.
    pub async fn see(&self, css: &str) -> Element {
        let client = &self.client;
        self.until(css, || async move {
            let found = client.find_all(Locator::Css(css)).await?;
            Ok(found.into_iter().next())
        })
        .await
    }

    /// True if there is such an element now.
    pub async fn has(&self, css: &str) -> bool {
        !self.client.find_all(Locator::Css(css)).await.unwrap().is_empty()
    }

    /// How many such elements there are now.
    pub async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.unwrap().len()
    }

    /// Waits until an element says `words`, and answers all it says.
    pub async fn says(&self, css: &str, words: &str) -> String {
        let client = &self.client;
        self.until(&format!("“{words}” in {css}"), || async move {
            for element in client.find_all(Locator::Css(css)).await? {
                let text = element.text().await?;
                if text.contains(words) {
                    return Ok(Some(text));
                }
            }
            Ok(None)
        })
        .await
    }

    /// What an element says, as a person reads it.
    pub async fn text(&self, css: &str) -> String {
        self.see(css).await.text().await.unwrap()
    }

    /// What every such element says.
    pub async fn texts(&self, css: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for element in self.client.find_all(Locator::Css(css)).await.unwrap() {
            texts.push(element.text().await.unwrap());
        }
        texts
    }

    /// An attribute of an element.
    pub async fn attr(&self, css: &str, name: &str) -> String {
        self.see(css).await.attr(name).await.unwrap().unwrap_or_default()
    }

    /// Clicks, as a mouse does: what is covered or outside the window can not be clicked.
    pub async fn click(&self, css: &str) {
        self.see(css).await.click().await.unwrap_or_else(|error| panic!("clicking {css}: {error}"));
    }

    /// Types into a field, after what stands there.
    pub async fn write(&self, css: &str, text: &str) {
        self.see(css).await.send_keys(text).await.unwrap_or_else(|error| panic!("typing into {css}: {error}"));
    }

    /// Chooses from a list by value.
    pub async fn choose(&self, css: &str, value: &str) {
        self.see(css).await.select_by_value(value).await.unwrap_or_else(|error| panic!("choosing in {css}: {error}"));
    }

    /// Evaluates a function's body in the page; the test's own eyes, not the page's script.
    pub async fn look(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// The same for a body that calls its last argument with the answer.
    pub async fn look_async(&self, script: &str) -> Value {
        self.client.execute_async(script, Vec::new()).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Presses keys one after the other, wherever the focus is. Control characters are WebDriver's (`\u{e007}` Enter).
    pub async fn keys(&self, keys: &str) {
        use fantoccini::actions::{InputSource, KeyAction, KeyActions};
        for key in keys.chars() {
            let press = KeyActions::new("keyboard".to_owned())
                .then(KeyAction::Down { value: key })
                .then(KeyAction::Up { value: key });
            self.client.perform_actions(press).await.unwrap();
        }
    }

    /// Presses one key while Control is held.
    pub async fn keys_with_control(&self, key: &str) {
        use fantoccini::actions::{InputSource, KeyAction, KeyActions};
        let (control, value) = ('\u{e009}', key.chars().next().expect("a key"));
        let press = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: control })
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value })
            .then(KeyAction::Up { value: control });
        self.client.perform_actions(press).await.unwrap();
    }

    /// Logs in through the form.
    pub async fn log_in(&self, user: &Value) {
        self.open_path("/login").await;
        self.write("#user", user["user"].as_str().unwrap()).await;
        self.write("#password", user["password"].as_str().unwrap()).await;
        self.click("main form button").await;
        self.see("nav.tabs").await;
    }

    /// The value of a cookie, also of one that no script may read.
    pub async fn cookie(&self, name: &str) -> String {
        self.client.get_named_cookie(name).await.unwrap().value().to_owned()
    }

    /// Presses the browser's way back and waits for what must be there.
    pub async fn back_to(&self, css: &str, words: &str) {
        self.client.back().await.unwrap();
        self.says(css, words).await;
    }

    /// The rows of every such table below and above the line: heading and text of each cell.
    pub async fn table(&self, css: &str) -> Vec<Vec<(String, String)>> {
        let script = "const text = it => it.textContent.trim();
            return [...document.querySelectorAll(arguments[0])].flatMap(table => {
                const heads = [...table.tHead.rows[0].cells].map(text);
                const rows = [...table.rows].filter(row => row.parentNode !== table.tHead);
                return rows.map(row => [...row.cells].map((cell, at) => [heads[at], text(cell)]));
            })";
        self.see(css).await;
        let rows = self.client.execute(script, vec![json!(css)]).await.unwrap();
        serde_json::from_value(rows).unwrap()
    }

    /// Checks that every photo on the page was fetched and decoded, and answers how many there are.
    pub async fn photos_decoded(&self) -> usize {
        let widths = self
            .until("every photo decoded", || async {
                let script = "return [...document.images].map(it => it.complete ? it.naturalWidth : -1)";
                let widths = self.client.execute(script, Vec::new()).await?;
                let widths: Vec<i64> = serde_json::from_value(widths).unwrap();
                Ok((!widths.contains(&-1)).then_some(widths))
            })
            .await;
        assert!(widths.iter().all(|width| *width > 0), "a photo is broken: {widths:?}");
        widths.len()
    }

    /// What the browser complained about since it was last asked: refused by the content policy, errors, warnings.
    /// Refusals that the story asked for (a page with status 4xx) are repeated by browsers and left out.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(wires::Log).await.unwrap();
        let entries = log.as_array().cloned().unwrap_or_default();
        let serious = entries.iter().filter(|it| it["level"] != "INFO");
        let said = serious.map(|it| it["message"].as_str().unwrap_or_default().to_owned());
        // The next case's photos are fetched ahead on purpose; whoever looks longer at this one has not used them yet.
        let expected = ["responded with a status of 4", "was preloaded using link preload but not used"];
        said.filter(|it| !expected.iter().any(|known| it.contains(known))).collect()
    }

    async fn devtools(&self, method: &str, params: Value) -> Value {
        self.client.issue_cmd(Cdp(method.to_owned(), params)).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    async fn keep(&self, name: &str) {
        let folder = artefacts();
        let path = |end: &str| -> PathBuf { folder.join(format!("failed-{name}.{end}")) };
        if let Ok(picture) = self.client.screenshot().await {
            std::fs::write(path("png"), picture).unwrap();
        }
        if let Ok(source) = self.client.source().await {
            std::fs::write(path("html"), source).unwrap();
        }
        eprintln!("what the screen showed: {}", path("png").display());
    }
}
