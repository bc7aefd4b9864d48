//! From flags to facts.

use xunge_client_core::client::{PhotoInput, Place, ReportInput};
use xunge_client_core::model::{CoordSys, Mode};

use super::args::{EditArgs, MoreFacts, ReportArgs};
use super::output::Failure;

/// The facts of a new report.
pub(crate) fn of_report(args: &ReportArgs) -> Result<ReportInput, Failure> {
    let place = Some(place(args.lon, args.lat, &args.more)?);
    let (category, text) = (Some(args.category.clone()), Some(args.text.clone()));
    let mode = mode(args.self_handled, args.forward);
    Ok(with_more(ReportInput { category, text, place, mode, ..ReportInput::default() }, &args.more))
}

/// The facts an edit changes.
pub(crate) fn of_edit(args: &EditArgs) -> Result<ReportInput, Failure> {
    let place = match (args.lon, args.lat) {
        (Some(lon), Some(lat)) => Some(place(lon, lat, &args.more)?),
        _ => None,
    };
    let (category, text) = (args.category.clone(), args.text.clone());
    let mode = mode(args.self_handled, args.forward);
    Ok(with_more(ReportInput { category, text, place, mode, ..ReportInput::default() }, &args.more))
}

fn with_more(input: ReportInput, more: &MoreFacts) -> ReportInput {
    let before = more.photo.iter().map(PhotoInput::before);
    let after = more.after.iter().map(PhotoInput::after);
    ReportInput {
        photos: before.chain(after).collect(),
        location_text: more.location.clone(),
        handle_note: more.note.clone(),
        ..input
    }
}

fn mode(self_handled: bool, forward: bool) -> Option<Mode> {
    match (self_handled, forward) {
        (true, _) => Some(Mode::SelfHandled),
        (_, true) => Some(Mode::Forwarded),
        _ => None,
    }
}

fn place(lon: f64, lat: f64, more: &MoreFacts) -> Result<Place, Failure> {
    let system = CoordSys::from_code(&more.coord_sys).ok_or_else(|| {
        let message = format!("`{}` is no coordinate system", more.coord_sys);
        Failure::Usage("invalid", message, "wgs84, gcj02 or cgcs2000", "coord_sys".to_owned())
    })?;
    Ok(Place { system, accuracy_m: more.accuracy, ..Place::pin(lon, lat) })
}
