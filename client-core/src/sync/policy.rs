//! What may be sent over which link: the inspector's rules for photos and previews.
//!
//! Text always goes: reports are small, and the office waits for them. Photos are what costs money. The rules follow
//! what the words on the screen say: "originals only over Wi-Fi" means only over Wi-Fi, whoever presses which button;
//! a budget is never passed by a photo. Someone who asks by hand wants the office to see something now: that goes as
//! far as previews, which are ten kilobytes. What the system says of the link is a hint: text is tried on "no network"
//! too, because systems are known to be wrong and a try costs nothing.

use serde::{Deserialize, Serialize};

use crate::wire::PhotoItem;

/// The link, as the system describes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// No network.
    None,
    /// Wi-Fi, or anything that is not paid by the byte. Taken for granted until the app says otherwise.
    #[default]
    Unmetered,
    /// Mobile data in the own network.
    Metered,
    /// Mobile data in a foreign network.
    Roaming,
}

impl Link {
    /// Every link, for tables.
    pub const ALL: [Self; 4] = [Self::None, Self::Unmetered, Self::Metered, Self::Roaming];

    /// True if its bytes count against the budget.
    pub fn is_paid(self) -> bool {
        matches!(self, Self::Metered | Self::Roaming)
    }

    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Unmetered => "unmetered",
            Self::Metered => "metered",
            Self::Roaming => "roaming",
        }
    }

    /// The link with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|link| link.code() == code)
    }
}

/// What the inspector chose. The default sends everything over every link of the own network: an office can not decide
/// on a report without its photos, and many inspectors never see a Wi-Fi on duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataRules {
    /// Photos wait for Wi-Fi.
    pub photos_on_wifi_only: bool,
    /// Previews go over mobile data.
    pub previews_on_mobile: bool,
    /// Most bytes of mobile data a month; none for no limit.
    pub monthly_bytes: Option<u64>,
}

impl Default for DataRules {
    fn default() -> Self {
        Self { photos_on_wifi_only: false, previews_on_mobile: true, monthly_bytes: None }
    }
}

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Reports, edits, requests, news.
    Text,
    /// The small picture of a photo.
    Preview,
    /// A photo.
    Photo,
}

impl Kind {
    /// Every kind, for tables.
    pub const ALL: [Self; 3] = [Self::Text, Self::Preview, Self::Photo];
}

impl From<PhotoItem> for Kind {
    fn from(item: PhotoItem) -> Self {
        if item.is_preview() { Self::Preview } else { Self::Photo }
    }
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Leave {
    /// It goes now.
    Send,
    /// It waits for Wi-Fi.
    WaitForWifi,
    /// It waits: the month's budget has no room for it.
    BudgetUsed,
    /// There is no network.
    NoNetwork,
}

impl Leave {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::WaitForWifi => "wait_for_wifi",
            Self::BudgetUsed => "budget_used",
            Self::NoNetwork => "no_network",
        }
    }
}

/// Decides on one thing. `fits` tells whether the month's budget has room for it, `by_hand` that somebody waits.
pub fn decide(link: Link, rules: DataRules, fits: bool, kind: Kind, by_hand: bool) -> Leave {
    match (link, kind) {
        (Link::None, _) => Leave::NoNetwork,
        (_, Kind::Text) | (Link::Unmetered, _) => Leave::Send,
        (_, Kind::Preview) if !rules.previews_on_mobile => Leave::WaitForWifi,
        (_, Kind::Preview) if by_hand => Leave::Send,
        (Link::Roaming, _) => Leave::WaitForWifi,
        (Link::Metered, Kind::Photo) if rules.photos_on_wifi_only => Leave::WaitForWifi,
        (Link::Metered, _) if fits => Leave::Send,
        (Link::Metered, _) => Leave::BudgetUsed,
    }
}

/// The link, the rules and what the month has used of its budget, as they are at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DataPlan {
    /// The link.
    pub link: Link,
    /// The rules.
    pub rules: DataRules,
    /// Bytes of mobile data this month.
    pub used: u64,
}

impl DataPlan {
    /// Decides on `bytes` of a photo or preview that are still to be sent.
    pub fn decide(&self, item: PhotoItem, bytes: u64, by_hand: bool) -> Leave {
        let fits = self.rules.monthly_bytes.is_none_or(|most| self.used.saturating_add(bytes) <= most);
        decide(self.link, self.rules, fits, item.into(), by_hand)
    }

    /// Counts bytes that are about to go.
    pub fn spend(&mut self, bytes: u64) {
        if self.link.is_paid() {
            self.used = self.used.saturating_add(bytes);
        }
    }
}

/// The whole truth table as it stands in docs/PROTOCOL.md.
pub fn table() -> String {
    let mut lines = vec![
        "| link | asked by | text | preview | preview, not on mobile data | photo | photo, Wi-Fi only | the same with the budget used: preview / photo |".to_owned(),
        "|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    let said = |leave: Leave| match leave {
        Leave::Send => "goes",
        Leave::WaitForWifi => "Wi-Fi",
        Leave::BudgetUsed => "budget",
        Leave::NoNetwork => "no network",
    };
    for link in Link::ALL {
        for by_hand in [false, true] {
            let usual = DataRules::default();
            let strict = DataRules { photos_on_wifi_only: true, previews_on_mobile: false, monthly_bytes: None };
            let cell = |rules, fits, kind| said(decide(link, rules, fits, kind, by_hand));
            lines.push(format!(
                "| {} | {} | {} | {} | {} | {} | {} | {} / {} |",
                link.code(),
                if by_hand { "hand" } else { "itself" },
                cell(usual, true, Kind::Text),
                cell(usual, true, Kind::Preview),
                cell(strict, true, Kind::Preview),
                cell(usual, true, Kind::Photo),
                cell(strict, true, Kind::Photo),
                cell(usual, false, Kind::Preview),
                cell(usual, false, Kind::Photo),
            ));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Leave::{BudgetUsed, NoNetwork, Send, WaitForWifi};

    /// Every combination of everything: link, Wi-Fi only, previews on mobile, fits, kind, by hand.
    fn all() -> Vec<(Link, DataRules, bool, Kind, bool)> {
        let mut all = Vec::new();
        for link in Link::ALL {
            for kind in Kind::ALL {
                for bits in 0..16u8 {
                    let on = |bit: u8| bits & (1 << bit) != 0;
                    let rules =
                        DataRules { photos_on_wifi_only: on(0), previews_on_mobile: on(1), monthly_bytes: None };
                    all.push((link, rules, on(2), kind, on(3)));
                }
            }
        }
        all
    }

    fn every(rows: impl Fn(&(Link, DataRules, bool, Kind, bool)) -> bool, leave: Leave) {
        let rows: Vec<_> = all().into_iter().filter(rows).collect();
        assert!(!rows.is_empty());
        for (link, rules, fits, kind, by_hand) in rows {
            let found = decide(link, rules, fits, kind, by_hand);
            assert_eq!(found, leave, "{link:?} {rules:?} fits {fits} {kind:?} by hand {by_hand}");
        }
    }

    #[test]
    fn text_goes_over_every_link_and_everything_over_wifi() {
        every(|row| row.0 == Link::None, NoNetwork);
        every(|row| row.0 != Link::None && row.3 == Kind::Text, Send);
        every(|row| row.0 == Link::Unmetered, Send);
    }

    #[test]
    fn photos_keep_to_their_rules_whoever_presses_which_button() {
        let photo = |row: &(Link, DataRules, bool, Kind, bool)| row.3 == Kind::Photo;
        every(|row| photo(row) && row.0 == Link::Roaming, WaitForWifi);
        every(|row| photo(row) && row.0 == Link::Metered && row.1.photos_on_wifi_only, WaitForWifi);
        every(|row| photo(row) && row.0 == Link::Metered && !row.1.photos_on_wifi_only && row.2, Send);
        every(|row| photo(row) && row.0 == Link::Metered && !row.1.photos_on_wifi_only && !row.2, BudgetUsed);
    }

    #[test]
    fn previews_go_by_hand_past_the_budget_and_abroad_unless_they_are_switched_off() {
        let preview = |row: &(Link, DataRules, bool, Kind, bool)| row.3 == Kind::Preview && row.0.is_paid();
        every(|row| preview(row) && !row.1.previews_on_mobile, WaitForWifi);
        every(|row| preview(row) && row.1.previews_on_mobile && row.4, Send);
        every(|row| preview(row) && row.1.previews_on_mobile && !row.4 && row.0 == Link::Roaming, WaitForWifi);
        every(|row| preview(row) && row.1.previews_on_mobile && !row.4 && row.0 == Link::Metered && row.2, Send);
        every(|row| preview(row) && row.1.previews_on_mobile && !row.4 && row.0 == Link::Metered && !row.2, BudgetUsed);
    }

    #[test]
    fn the_budget_is_never_passed_by_a_photo() {
        let photo = PhotoItem::Full(crate::model::PhotoHash::from_bytes([1; 32]));
        let rules = DataRules { monthly_bytes: Some(1_000), ..DataRules::default() };
        let mut plan = DataPlan { link: Link::Metered, rules, used: 400 };
        assert_eq!(plan.decide(photo, 600, false), Send);
        assert_eq!(plan.decide(photo, 601, true), BudgetUsed);
        plan.spend(600);
        assert_eq!(plan.decide(photo, 1, false), BudgetUsed);
        plan.link = Link::Unmetered;
        plan.spend(1 << 40);
        assert_eq!((plan.used, plan.decide(photo, 1, false)), (1_000, Send));
    }

    #[test]
    fn the_protocols_page_shows_this_table() {
        let page = include_str!("../../../docs/PROTOCOL.md");
        assert!(page.contains(&table()), "docs/PROTOCOL.md has to hold:\n{}", table());
    }
}
