//! A case born at the office (热线受理, 领导交办): what a clerk writes down becomes a case without a phone.
//!
//! The facts pass the same gate as a phone's, and its claims are frozen by the same rules: a point outside every grid or
//! a category nobody knows is a flag and no refusal. They stay in the payload of the `submit` event, where nobody can
//! change them. From there on the case is like any other: one ledger, one feed, one count; phones of its grid see it,
//! the street's office reviews it, and the hotline may answer it.

use xunge_client_core::doc::{DocError, FieldDoc, first_change, gate};
use xunge_client_core::model::{ActorId, CaseId, Facts, OrgCode, PhotoFact, PhotoHash, PhotoRole};
use xunge_client_core::workflow::{Command, Context, Refusal, Source, Verb};

use super::claims::{self, Scene};
use super::photos;
use crate::domain::cases::{ITEM_COLUMNS, item};
use crate::domain::commands::{self, CommandError, Done, Key, Reply};
use crate::domain::directory::Directory;
use crate::domain::external::{self, External};
use crate::domain::ledger::{self, LedgerError, Step, row};
use crate::domain::people::{self, Viewer};
use crate::domain::scope::Scope;
use crate::domain::services::Services;
use crate::domain::uploads::Owner;
use crate::domain::work::Work;
use crate::params;
use crate::store::{StoreError, Tx};

/// What a clerk wrote down.
#[derive(Clone, Debug)]
pub struct Registration {
    /// A fresh id for the case.
    pub id: CaseId,
    /// The facts, without photos and without a claimed mode.
    pub facts: Facts,
    /// Where it came from; anything but an inspector.
    pub source: Source,
    /// Photos that the clerk has sent before.
    pub photos: Vec<PhotoHash>,
    /// The office that reviews; by default that of the street.
    pub office: Option<OrgCode>,
    /// The number another system gave it.
    pub external: Option<External>,
    /// The `Idempotency-Key` and what it is bound to.
    pub key: Key,
}

/// Why a case was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A member that is needed.
    #[error("`{field}` is missing")]
    Missing {
        /// The member.
        field: &'static str,
    },
    /// A value that is not possible.
    #[error("`{field}` is not possible")]
    Invalid {
        /// The member.
        field: String,
    },
    /// The category is no longer given to new cases.
    #[error("the category is retired")]
    Retired,
    /// That number of that system is a case already.
    #[error("registered as case {case}")]
    Known {
        /// The case.
        case: CaseId,
    },
    /// The place or the office lies outside what the clerk may see.
    #[error("outside the clerk's scope")]
    OutsideScope,
    /// The workflow says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LedgerError> for RegisterError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Refused(refusal) => Self::Refused(refusal),
            LedgerError::Store(failed) => Self::Store(failed),
        }
    }
}

/// Registers a case: exactly once per key, or the answer given before.
///
/// # Errors
/// [`RegisterError`]; nothing was written then.
pub async fn register(
    services: &Services,
    viewer: &Viewer,
    registration: Registration,
) -> Result<Reply, RegisterError> {
    needed(&registration)?;
    pass_the_gate(&registration.facts)?;
    let (viewer, shared, now) = (viewer.clone(), services.directory.clone(), services.business.now());
    services
        .store
        .write(move |tx| {
            Box::pin(async move {
                match commands::repeated(tx, &viewer.user, &registration.key).await {
                    Ok(None) => {}
                    Ok(Some(reply)) => return Ok(reply),
                    Err(CommandError::Store(failed)) => return Err(failed.into()),
                    Err(_) => return Err(RegisterError::KeyReused),
                }
                let directory = shared.get(tx).await?;
                let district = viewer.district().ok_or(RegisterError::OutsideScope)?;
                let mut work = Work::new(district, now);
                let done = within(tx, &mut work, &directory, &viewer, &registration).await?;
                work.finish(tx).await?;
                let body = commands::answer(&done);
                commands::remember(tx, &viewer.user, &registration.key, &body, now).await?;
                Ok(Reply { fresh: true, body })
            })
        })
        .await
}

/// What an order can not do without: a category, words, and a place.
fn needed(registration: &Registration) -> Result<(), RegisterError> {
    let facts = &registration.facts;
    let missing = |field| Err(RegisterError::Missing { field });
    if facts.category_claim.is_none() {
        return missing("facts.category_claim");
    }
    if facts.description.trim().is_empty() {
        return missing("facts.description");
    }
    if facts.point.is_none() && facts.grid_claim.is_none() && facts.location_text.trim().is_empty() {
        return missing("facts.location_text");
    }
    // An inspector's report comes from a phone, with its field document.
    if registration.source == Source::Inspector {
        return Err(RegisterError::Invalid { field: "source".to_owned() });
    }
    let external = registration.external.iter().flat_map(|it| [("system", &it.system), ("number", &it.number)]);
    for (name, text) in external {
        if text.trim().is_empty() || text.chars().count() > 64 || text.chars().any(char::is_control) {
            return Err(RegisterError::Invalid { field: format!("external.{name}") });
        }
    }
    Ok(())
}

/// What no phone could write, no clerk can.
fn pass_the_gate(facts: &Facts) -> Result<(), RegisterError> {
    let invalid = |field: &str| RegisterError::Invalid { field: format!("facts.{field}") };
    let doc = first_change(ActorId::from_bytes([0; 8]), facts).map_err(|error| match error {
        DocError::Refused { field, .. } => invalid(if field == "lon_e6" { "lon" } else { &field }),
        _ => invalid("description"),
    })?;
    let bodies = doc.change_bodies_since(&[]);
    let bodies: Vec<&[u8]> = bodies.iter().map(|(_, body)| body.as_slice()).collect();
    let admission = gate::admit(&mut FieldDoc::new(), &bodies, &gate::Policy::from_server());
    match admission.rejected.first() {
        None => Ok(()),
        Some(refused) => Err(invalid(refused.field.as_deref().unwrap_or("description"))),
    }
}

async fn within(
    tx: &mut dyn Tx,
    work: &mut Work,
    directory: &Directory,
    viewer: &Viewer,
    registration: &Registration,
) -> Result<Done, RegisterError> {
    if let Some(external) = &registration.external {
        // An order typed twice is found, not counted twice.
        if let Some(case) = external::known(tx, external).await? {
            return Err(RegisterError::Known { case });
        }
    }
    if registration.facts.category_claim.as_ref().is_some_and(|key| directory.is_retired(key)) {
        return Err(RegisterError::Retired);
    }
    let facts = with_photos(tx, viewer, registration).await?;
    let mut payload = {
        let unit = viewer.unit.as_ref();
        let unit_reviews = match unit {
            Some(unit) => people::has_reviewers(tx, unit.as_str()).await?,
            None => false,
        };
        let photo_reused = photos::reused(tx, registration.id, &facts).await?;
        let (district, now) = (work.district.as_str(), work.now);
        claims::freeze(&facts, &Scene { directory, district, unit, unit_reviews, now, phone_time: now, photo_reused })
    };
    // Who calls seldom sends a picture; that says nothing about the report.
    payload.flags.retain(|flag| flag != "no_photo");
    if let Some(office) = &registration.office {
        if !people::has_reviewers(tx, office.as_str()).await? {
            return Err(RegisterError::Invalid { field: "office".to_owned() });
        }
        payload.office = Some(office.clone());
    }
    match &payload.office {
        Some(office) if people::has_reviewers(tx, office.as_str()).await? => {}
        _ => return Err(RegisterError::Missing { field: "office" }),
    }
    payload.source = Some(registration.source);
    payload.facts = Some(Box::new(facts.clone()));

    let row = row::Facts { photos_present: facts.photos.len() as u32, ..row::Facts::of(Vec::new(), &facts) };
    let context = Context { case_id: Some(registration.id), ..Context::at(work.now) };
    let step = Step {
        id: registration.id,
        before: None,
        command: &Command::new(Verb::Submit, payload),
        actor: &viewer.actor(),
        context: &context,
        facts: Some(&row),
        changes: Vec::new(),
        as_sent: false,
    };
    let taken = ledger::append(tx, work, step).await?;
    photos::announce_written(tx, &work.district, registration.id, &facts, work.now).await?;
    if let Some(external) = &registration.external {
        external::add(tx, external, registration.id, work.now).await?;
    }
    let case = ledger::load(tx, registration.id).await?;
    let scope = Scope::of(viewer, directory);
    if !case.is_some_and(|case| scope.covers(&case.keys)) {
        return Err(RegisterError::OutsideScope);
    }
    let sql = format!("SELECT {ITEM_COLUMNS} FROM case_row WHERE id = ?1");
    let case = item(&tx.query_one(&sql, params![registration.id.as_bytes()]).await?)?;
    Ok(Done { taken, case })
}

/// The facts with the photos the clerk sent; what was not sent by this clerk can not be named.
async fn with_photos(tx: &mut dyn Tx, viewer: &Viewer, registration: &Registration) -> Result<Facts, RegisterError> {
    let mut facts = registration.facts.clone();
    let invalid = || RegisterError::Invalid { field: "photos".to_owned() };
    if registration.photos.len() > Facts::MAX_PHOTOS {
        return Err(invalid());
    }
    let owner = Owner::User(viewer.user.clone()).key();
    for photo in &registration.photos {
        let sql = "SELECT b.mime, b.size_bytes FROM blob_owner o JOIN blob b ON b.sha256 = o.sha256
            WHERE o.device = ?1 AND o.sha256 = ?2";
        let blob = tx.query_opt(sql, params![&owner, photo.as_bytes()]).await?.ok_or_else(invalid)?;
        let (mime, bytes) = (blob.text(0)?.to_owned(), blob.int(1)?.unsigned_abs());
        let fact = PhotoFact { role: PhotoRole::Before, mime, bytes, w: 0, h: 0, taken_at: None };
        facts.photos.insert(*photo, fact);
    }
    Ok(facts)
}
