//! What phones said is said once more, past their counters and in other orders: nothing changes at the centre.
//!
//! A request that is sent again as it was ends at its spent counter. So it is brought here in a rescue bundle, which
//! spends none: its frames and requests reach the gate, the cases and the ledger a second time.

use ed25519_dalek::SigningKey;
use xunge_client_core::model::DeviceId;
use xunge_client_core::wire::{Bundle, Contents, Envelope, SyncDown, SyncUp, codec};
use xunge_server::params;
use xunge_server::sync::rescue::Received;

use crate::sim::centre::{Centre, rescue_key};
use crate::sim::world::{Heard, World};
use crate::sim::{Held, hold};
use crate::workload::Dice;

/// Orders in which everything is said again.
const ORDERS: usize = 4;
/// Key every phone of the copied centre has.
const KEY: [u8; 32] = [7; 32];

/// What a phone said in one request.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) device: DeviceId,
    pub(super) up: SyncUp,
}

impl World {
    /// Everything that was taken in this epoch is said once more, to a copy of the centre.
    pub(super) fn check_said_again(&mut self) -> Held {
        let pages = self.pages();
        self.counted.again += (pages.len() * ORDERS) as u64;
        self.say_again(&self.as_it_is(), &pages)
    }

    /// A copy of the centre to which any phone may speak, whatever became of it.
    pub(super) fn as_it_is(&self) -> Centre {
        let twin = self.centre.twin();
        let key = SigningKey::from_bytes(&KEY).verifying_key().to_bytes();
        twin.run("UPDATE device SET public_key = ?1, revoked_at = NULL, cloned_at = NULL", params![key].to_vec());
        twin
    }

    /// Requests that brought something, and of which the centre took all or remembers why not.
    ///
    /// What it refused without a memory of it (a case that was a colleague's that day, a quota) it may take today.
    pub(super) fn pages(&self) -> Vec<Page> {
        self.heard.iter().filter_map(settled).collect()
    }

    /// Says pages once more in several orders, each of them once in each.
    pub(super) fn say_again(&self, twin: &Centre, pages: &[Page]) -> Held {
        // Dice of its own: what a seed does stays what it was.
        let mut dice = self.dice.clone();
        let before = twin.state();
        for _ in 0..ORDERS {
            let mut left: Vec<&Page> = pages.iter().collect();
            while !left.is_empty() {
                let next = dice.below(left.len() as u64) as usize;
                bring(twin, left.swap_remove(next), &mut dice)?;
            }
        }
        let after = twin.state();
        let changed: Vec<&str> =
            before.iter().filter(|(table, state)| after[*table] != **state).map(|it| *it.0).collect();
        hold(changed.is_empty(), "what is said again changes nothing", || changed.join(", "))
    }
}

fn settled(heard: &Heard) -> Option<Page> {
    let envelope = Envelope::read(&heard.asked).ok()?;
    let up: SyncUp = codec::unpack(&envelope.frame).ok()?;
    let down: SyncDown = codec::unpack(&heard.answered).ok()?;
    let says_something = !up.frames.is_empty() || !up.requests.is_empty();
    let remembered = down.results.iter().all(|result| match result.code.as_deref() {
        None => true,
        Some(code) => code != "not_yours" && up.requests.iter().any(|request| request.intent == result.intent),
    });
    let all_taken = down.rejected.is_empty() && down.need.is_empty() && remembered;
    (says_something && all_taken).then_some(Page { device: envelope.device, up })
}

fn bring(twin: &Centre, page: &Page, dice: &mut Dice) -> Held {
    let contents = Contents { pages: vec![codec::pack(&page.up).into()], photos: Vec::new() };
    let key = SigningKey::from_bytes(&KEY);
    let fill = &mut |bytes: &mut [u8]| bytes.fill_with(|| dice.roll() as u8);
    let received = twin.carried(Bundle::seal(&contents, page.device, 1, &key, &rescue_key(), fill));
    hold(matches!(received, Ok(Received::Applied { .. })), "what is said again reaches the centre", || {
        format!("{received:?} of phone {}", page.device)
    })
}
