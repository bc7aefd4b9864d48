//! Finds the grid of a point without looking at every polygon.

use std::collections::BTreeMap;

use xunge_client_core::model::{OrgCode, Point, Polygon};

/// Side of a tile in 1e-6 degrees: about 1 km, the size of a large cell grid.
const TILE: i32 = 10_000;

/// Polygons by the tiles their bounding boxes touch.
#[derive(Debug, Default)]
pub(super) struct GridIndex {
    grids: Vec<(OrgCode, Polygon)>,
    tiles: BTreeMap<(i32, i32), Vec<u32>>,
}

impl GridIndex {
    pub(super) fn build(grids: impl Iterator<Item = (OrgCode, Polygon)>) -> Self {
        let mut index = Self::default();
        for (code, polygon) in grids {
            let Some([west, south, east, north]) = polygon.bounds() else { continue };
            let number = index.grids.len() as u32;
            for x in west.div_euclid(TILE)..=east.div_euclid(TILE) {
                for y in south.div_euclid(TILE)..=north.div_euclid(TILE) {
                    index.tiles.entry((x, y)).or_default().push(number);
                }
            }
            index.grids.push((code, polygon));
        }
        index
    }

    /// The grid that contains the point.
    pub(super) fn at(&self, point: Point) -> Option<&OrgCode> {
        let tile = (point.lon_e6.div_euclid(TILE), point.lat_e6.div_euclid(TILE));
        let candidates = self.tiles.get(&tile)?.iter().map(|number| &self.grids[*number as usize]);
        candidates.into_iter().find(|(_, polygon)| polygon.contains(point)).map(|(code, _)| code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::xixia;

    #[test]
    fn the_index_finds_what_a_look_at_every_polygon_finds() {
        let org = xixia::org_file().validate().unwrap();
        let index = GridIndex::build(org.grids().filter_map(|grid| Some((grid.code.clone(), grid.polygon.clone()?))));
        let mut inside = 0;
        for step in 0..4_000 {
            let point = Point { lon_e6: 105_990_000 + step * 61, lat_e6: 38_390_000 + (step * 7_919) % 270_000 };
            let expected = org.grid_at(point).map(|grid| &grid.code);
            assert_eq!(index.at(point), expected, "{point:?}");
            inside += usize::from(expected.is_some());
        }
        assert!((1_000..4_000).contains(&inside), "{inside}");
    }
}
