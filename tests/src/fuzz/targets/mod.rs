//! The targets by what they take.

mod auth;
mod databases;
mod district;
mod documents;
mod office;
mod photos;
mod rescue;
mod sync;
mod web;

use super::Target;

/// Every target.
pub fn all() -> Vec<Box<dyn Target>> {
    let mut all: Vec<Box<dyn Target>> = vec![
        Box::new(documents::PreScan),
        Box::new(documents::Gate::push()),
        Box::new(documents::Gate::pull()),
        Box::new(sync::Body),
        Box::new(sync::Answer),
        Box::new(photos::Intake),
        Box::new(photos::Derive),
        Box::new(photos::Exif),
        Box::new(auth::AccessToken::new()),
        Box::new(auth::DeviceProof::new()),
        Box::new(rescue::Bundles::new()),
        Box::new(databases::Migration::phone()),
        Box::new(databases::Migration::server()),
    ];
    all.extend(web::targets());
    all
}
