//! The base map (底图) under the grids: tiles of this very site, from a folder of ours or from whatever the operator
//! serves beside us. No other site is ever asked: the content policy would refuse it, and a map service would learn what
//! an office looks at.

use std::path::PathBuf;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::visit::Visit;
use crate::app::App;
use crate::config::Config;

/// Endings of tiles in a folder, with their media types.
const KINDS: [(&str, &str); 4] =
    [("png", "image/png"), ("jpg", "image/jpeg"), ("jpeg", "image/jpeg"), ("webp", "image/webp")];

/// The address of tiles with `{z}`, `{x}` and `{y}` open; none without a base map.
pub(crate) fn address(config: &Config) -> Option<String> {
    match &config.base_map_folder {
        Some(_) => Some("/console/tiles/{z}/{x}/{y}".to_owned()),
        None => config.base_map.clone(),
    }
}

/// The address of one tile.
pub(crate) fn of(address: &str, zoom: u32, [column, row]: [u32; 2]) -> String {
    let filled = address.replace("{z}", &zoom.to_string()).replace("{x}", &column.to_string());
    filled.replace("{y}", &row.to_string())
}

/// `GET /console/tiles/{z}/{x}/{y}`: a tile of the folder, `z/x/y.png` in it; people of the office only.
pub(crate) async fn get(State(app): State<App>, _: Visit, Path((z, x, y)): Path<(u32, u32, u32)>) -> Response {
    let Some(folder) = &app.config.base_map_folder else { return StatusCode::NOT_FOUND.into_response() };
    for (end, kind) in KINDS {
        let path: PathBuf = folder.join(z.to_string()).join(x.to_string()).join(format!("{y}.{end}"));
        if let Ok(bytes) = tokio::fs::read(path).await {
            let keep = "private, max-age=86400";
            return ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep)], bytes).into_response();
        }
    }
    StatusCode::NOT_FOUND.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_ours_goes_before_an_address_beside_us() {
        let mut config = Config::default();
        assert_eq!(address(&config), None);
        config.base_map = Some("/basemap/{z}/{x}/{y}.png".to_owned());
        assert_eq!(of(&address(&config).unwrap(), 12, [3254, 1577]), "/basemap/12/3254/1577.png");
        config.base_map_folder = Some(PathBuf::from("tiles"));
        assert_eq!(of(&address(&config).unwrap(), 12, [3254, 1577]), "/console/tiles/12/3254/1577");
    }
}
