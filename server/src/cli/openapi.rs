//! `openapi`: the description of the JSON API, as `/openapi.json` serves it.

use utoipa::OpenApi;

use super::error::CliError;
use super::output::Output;
use crate::api::openapi::Description;

pub(crate) fn run(output: &Output) -> Result<(), CliError> {
    let document = Description::openapi();
    output.result(&document, || document.to_pretty_json().expect("a description is always JSON"));
    Ok(())
}
