//! What a disk keeps when everything stops.

use super::image::{Change, Image, Tree, Waiting, change_content, change_names};
use crate::workload::Dice;

/// How much of what was written and not flushed is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// Nothing: the process dies, the system lives on.
    Stop,
    /// All of it: the power fails before the system wrote anything by itself.
    Drop,
    /// Some of it, the last of it in half: the power fails while the system writes. The number tells tries apart.
    Torn(u8),
}

/// A sector is written whole or not at all.
const SECTOR: usize = 512;

impl Loss {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Stop, Self::Drop, Self::Torn(1), Self::Torn(2), Self::Torn(3)];

    /// A word for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Drop => "drop",
            Self::Torn(1) => "torn",
            Self::Torn(2) => "torn-2",
            Self::Torn(_) => "torn-3",
        }
    }
}

impl Image {
    /// What is left; the dice are for [`Loss::Torn`].
    pub(super) fn after(&self, loss: Loss, dice: &mut Dice) -> Tree {
        match loss {
            Loss::Stop => self.now.clone(),
            Loss::Drop => self.safe.clone(),
            Loss::Torn(_) if dice.chance(500) => self.torn_in_order(dice),
            Loss::Torn(_) => self.torn_in_disorder(dice),
        }
    }

    /// Everything up to some point is there, the change at that point in half.
    fn torn_in_order(&self, dice: &mut Dice) -> Tree {
        let mut tree = self.safe.clone();
        let whole = dice.below(self.waiting.len() as u64 + 1) as usize;
        for waiting in &self.waiting[..whole] {
            reach(&mut tree, waiting);
        }
        if let Some(Waiting::Content { change: Change::Write { file, at, bytes }, .. }) = self.waiting.get(whole) {
            let half = dice.below(bytes.len() as u64) as usize;
            let change = Change::Write { file: *file, at: *at, bytes: bytes[..half].into() };
            change_content(&mut tree.contents, &change);
        }
        tree
    }

    /// A disk writes in the order it likes: each sector is there or not. Names keep their order, as journals keep it.
    fn torn_in_disorder(&self, dice: &mut Dice) -> Tree {
        let mut tree = self.safe.clone();
        let named = dice.below(self.waiting.len() as u64 + 1) as usize;
        for (index, waiting) in self.waiting.iter().enumerate() {
            match waiting {
                Waiting::Names { .. } if index < named => reach(&mut tree, waiting),
                Waiting::Content { change: Change::Write { file, at, bytes }, .. } => {
                    let mut from = 0;
                    while from < bytes.len() {
                        let to = (from + SECTOR - (*at as usize + from) % SECTOR).min(bytes.len());
                        if dice.chance(500) {
                            let change =
                                Change::Write { file: *file, at: at + from as u64, bytes: bytes[from..to].into() };
                            change_content(&mut tree.contents, &change);
                        }
                        from = to;
                    }
                }
                Waiting::Content { .. } if dice.chance(500) => reach(&mut tree, waiting),
                _ => {}
            }
        }
        tree
    }
}

/// A change reaches the disk.
fn reach(tree: &mut Tree, waiting: &Waiting) {
    match waiting {
        Waiting::Content { change, .. } => change_content(&mut tree.contents, change),
        Waiting::Names { comes, goes } => change_names(tree, goes, comes),
    }
}
