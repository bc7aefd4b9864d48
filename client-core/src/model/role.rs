//! Who acts, and how a problem is dealt with.

use serde::{Deserialize, Serialize};

/// Closed sets with one stable code each: the code is what databases, wire and URLs carry.
macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal, $zh:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $code)] $variant,)+
        }

        impl $name {
            /// Every value, in the order of definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable code, as stored and sent.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The Chinese name shown to people.
            pub const fn zh(self) -> &'static str {
                match self { $(Self::$variant => $zh,)+ }
            }

            /// The value with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(self.code())
            }
        }
    };
}
pub(crate) use coded;

coded! {
    /// What a signed-in user may do (domain rules: docs/DOMAIN.md).
    Role {
        /// Patrols grids, reports, fixes on the spot, answers verify and check tasks.
        Inspector = "inspector", "网格员";
        /// Reviews reports of its street: files, voids, sends back, approves self-handling.
        TownOffice = "town_office", "镇街审核员";
        /// Sends filed cases to handling units.
        Dispatcher = "dispatcher", "派遣员";
        /// Signs, handles and feeds back; sees its own cases only, without reporter contact.
        HandlingUnit = "handling_unit", "处置单位";
        /// Approves returns, extensions, suspensions; reopens and reinstates.
        DutyLeader = "duty_leader", "值班长";
        /// Takes hotline calls, answers directly, revisits.
        Hotline = "hotline", "话务员";
        /// Reads everything with its event chain.
        Auditor = "auditor", "督查";
        /// Users, devices, categories, limits; no case verbs.
        Admin = "admin", "管理员";
    }
}

coded! {
    /// How a reported problem is dealt with (处置方式).
    Mode {
        /// The inspector fixed it on the spot (自发自处).
        SelfHandled = "self_handled", "自发自处";
        /// Sent through the city platform to a responsible unit (平台流转).
        Forwarded = "forwarded", "平台流转";
    }
}
