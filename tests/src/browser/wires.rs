//! Commands that WebDriver has no words for: screens of any size, whole-page pictures, the browser's log.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};

use super::Browser;

/// A developer-tools command.
#[derive(Debug)]
pub(super) struct Cdp(pub(super) String, pub(super) Value);

impl WebDriverCompatibleCommand for Cdp {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({"cmd": self.0, "params": self.1}).to_string()))
    }
}

/// What the browser complained about.
#[derive(Debug)]
pub(super) struct Log;

impl WebDriverCompatibleCommand for Log {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({"type": "browser"}).to_string()))
    }
}

/// A screen: its name in file names, width, height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen(pub &'static str, pub u32, pub u32);

impl Screen {
    /// A phone in a hand, an old office monitor, a common laptop.
    pub const ALL: [Self; 3] = [Self("phone", 390, 844), Self("old", 1024, 768), Self("laptop", 1366, 768)];
}

/// Where screenshots go: `$XUNGE_ARTEFACTS`, else below the target folder.
pub fn artefacts() -> PathBuf {
    let folder = std::env::var_os("XUNGE_ARTEFACTS").map_or_else(
        || crate::process::binary("xunge-server").ancestors().nth(2).unwrap().join("artefacts"),
        PathBuf::from,
    );
    let folder = folder.join("console");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

impl Browser {
    /// Gives the page a screen of exactly this size.
    pub async fn screen(&self, screen: Screen) {
        let size = json!({"width": screen.1, "height": screen.2, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Keeps a picture of the whole page on each screen, and answers on which of them something sticks out sideways.
    pub async fn picture(&self, name: &str) -> Vec<String> {
        let mut wide = Vec::new();
        for screen in Screen::ALL {
            self.screen(screen).await;
            let script = "const root = document.documentElement; return [root.scrollWidth, root.clientWidth]";
            let [content, window]: [u32; 2] = serde_json::from_value(self.look(script).await).unwrap();
            if content > window {
                wide.push(format!("{name} on {}: {content} in {window} px", screen.0));
            }
            let taken = self.devtools("Page.captureScreenshot", json!({"captureBeyondViewport": true})).await;
            let picture = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
            std::fs::write(artefacts().join(format!("{name}-{}.png", screen.0)), picture).unwrap();
        }
        wide
    }

    /// Keeps the page as it comes out of a printer.
    pub async fn print(&self, name: &str) {
        let options =
            json!({"preferCSSPageSize": true, "printBackground": false, "paperWidth": 8.27, "paperHeight": 11.69});
        let printed = self.devtools("Page.printToPDF", options).await;
        let paper = STANDARD.decode(printed["data"].as_str().unwrap()).unwrap();
        assert!(paper.starts_with(b"%PDF"));
        std::fs::write(artefacts().join(format!("{name}.pdf")), paper).unwrap();
    }
}
