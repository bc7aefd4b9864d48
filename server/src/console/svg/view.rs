//! Which part of the world a map shows. North is up.

use xunge_client_core::model::Point;

/// A view of `width` x `height` units.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    lon: f64,
    lat: f64,
    /// Units to a millionth of a degree of latitude.
    scale: f64,
    /// A degree of longitude beside one of latitude.
    lon_to_lat: f64,
    width: f64,
    height: f64,
}

impl View {
    /// How wide a view of this height has to be so that the points, at their scale, leave no ground empty beside them:
    /// between the two widths.
    pub(crate) fn fitting_width(points: &[Point], (least, most): (f64, f64), height: f64, margin: f64) -> f64 {
        let view = Self::around(points, (most, height), margin);
        let reach = points.iter().map(|point| (view.place(*point).0 - most / 2.0).abs()).fold(0.0, f64::max);
        (2.0 * (reach + margin)).ceil().clamp(least, most)
    }

    /// A view in which all points lie at least `margin` from the edge.
    pub(crate) fn around(points: &[Point], (width, height): (f64, f64), margin: f64) -> Self {
        let reach = |value: fn(&Point) -> i32| {
            let (low, high) = points
                .iter()
                .map(value)
                .fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v.into()), high.max(v.into())));
            if points.is_empty() { (0.0, 0.0) } else { ((low + high) / 2.0, high - low) }
        };
        let ((lon, wide), (lat, tall)) = (reach(|point| point.lon_e6), reach(|point| point.lat_e6));
        let lon_to_lat = (lat / 1e6).to_radians().cos().max(0.01);
        // At least about 200 m, so that a lone point does not fill the picture.
        let (wide, tall) = ((wide * lon_to_lat).max(2_000.0), tall.max(2_000.0));
        let scale = ((width - 2.0 * margin) / wide).min((height - 2.0 * margin) / tall);
        Self { lon, lat, scale, lon_to_lat, width, height }
    }

    /// Where a point lies.
    pub(crate) fn place(&self, point: Point) -> (f64, f64) {
        let x = self.width / 2.0 + (f64::from(point.lon_e6) - self.lon) * self.lon_to_lat * self.scale;
        let y = self.height / 2.0 - (f64::from(point.lat_e6) - self.lat) * self.scale;
        (x.clamp(-9_999.0, 9_999.0), y.clamp(-9_999.0, 9_999.0))
    }

    /// The tiles (瓦片) of the usual pyramid that cover the view, none wider than `widest` units: zoom, column, row, and
    /// where each lies: left, top, width, height.
    pub(crate) fn tiles(&self, widest: f64) -> Vec<(u32, [u32; 2], [f64; 4])> {
        let per_degree = self.scale * 1e6 * self.lon_to_lat;
        let zoom = (360.0 * per_degree / widest).log2().ceil().clamp(1.0, 18.0);
        let count = zoom.exp2();
        let lon = |x: f64| self.lon / 1e6 + (x - self.width / 2.0) / per_degree;
        let lat = |y: f64| self.lat / 1e6 - (y - self.height / 2.0) / (self.scale * 1e6);
        let column = |lon: f64| (lon + 180.0) / 360.0 * count;
        let row = |lat: f64| (1.0 - lat.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0 * count;
        let lon_of = |column: f64| column / count * 360.0 - 180.0;
        let lat_of = |row: f64| (std::f64::consts::PI * (1.0 - 2.0 * row / count)).sinh().atan().to_degrees();
        let x_of = |lon: f64| self.width / 2.0 + (lon - self.lon / 1e6) * per_degree;
        let y_of = |lat: f64| self.height / 2.0 - (lat - self.lat / 1e6) * self.scale * 1e6;
        let last = count as u32 - 1;
        let range =
            |from: f64, to: f64| (from.floor().max(0.0) as u32).min(last)..=(to.floor().max(0.0) as u32).min(last);
        let rows = range(row(lat(0.0)), row(lat(self.height)));
        let columns = range(column(lon(0.0)), column(lon(self.width)));
        let mut tiles = Vec::new();
        for r in rows {
            for c in columns.clone() {
                let (left, right) = (x_of(lon_of(c.into())), x_of(lon_of(f64::from(c) + 1.0)));
                let (top, bottom) = (y_of(lat_of(r.into())), y_of(lat_of(f64::from(r) + 1.0)));
                tiles.push((zoom as u32, [c, r], [left, top, right - left, bottom - top]));
            }
        }
        tiles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_lies_inside_its_margin_and_north_is_up() {
        let points = [(106_000_000, 38_400_000), (106_200_000, 38_650_000)];
        let points = points.map(|(lon_e6, lat_e6)| Point { lon_e6, lat_e6 });
        let view = View::around(&points, (960.0, 640.0), 20.0);
        let places = points.map(|point| view.place(point));
        assert!(places.iter().all(|(x, y)| (19.9..=940.1).contains(x) && (19.9..=620.1).contains(y)), "{places:?}");
        assert!(places[0].1 > places[1].1 && places[0].0 < places[1].0);
    }

    #[test]
    fn a_tall_district_has_a_narrow_picture_at_the_same_scale() {
        let point = |lon_e6, lat_e6| Point { lon_e6, lat_e6 };
        let fitting = |points: &[Point]| View::fitting_width(points, (600.0, 960.0), 640.0, 14.0);
        let square = [point(106_000_000, 38_000_000), point(106_278_000, 38_220_000)];
        let (wide, narrow) = (View::around(&square, (960.0, 640.0), 14.0), fitting(&square));
        assert!((630.0..650.0).contains(&narrow), "{narrow}");
        assert!((View::around(&square, (narrow, 640.0), 14.0).scale / wide.scale - 1.0).abs() < 1e-3);
        assert_eq!(fitting(&[point(106_000_000, 38_000_000), point(106_900_000, 38_100_000)]), 960.0);
        assert_eq!(fitting(&[point(106_000_000, 38_000_000), point(106_010_000, 38_900_000)]), 600.0);
        assert_eq!(fitting(&[]), 600.0);
    }

    #[test]
    fn tiles_cover_the_view_without_gaps_and_lie_where_their_ground_is() {
        let points = [(106_000_000, 38_400_000), (106_200_000, 38_650_000)];
        let view = View::around(&points.map(|(lon_e6, lat_e6)| Point { lon_e6, lat_e6 }), (960.0, 640.0), 20.0);
        let tiles = view.tiles(280.0);
        assert!((6..=60).contains(&tiles.len()), "{}", tiles.len());
        let reach = |index: usize, size: usize| {
            let low = tiles.iter().map(|(_, _, at)| at[index]).fold(f64::MAX, f64::min);
            (low, tiles.iter().map(|(_, _, at)| at[index] + at[size]).fold(f64::MIN, f64::max))
        };
        let ((left, right), (top, bottom)) = (reach(0, 2), reach(1, 3));
        assert!(left <= 0.0 && right >= 960.0 && top <= 0.0 && bottom >= 640.0);
        // 银川 lies in tile 3257/1577 at zoom 12: 106.25 E, 38.48 N.
        let (zoom, ..) = tiles[0];
        let expected = [((106.1 + 180.0) / 360.0 * f64::from(1_u32 << zoom)) as u32, 0];
        assert!(tiles.iter().any(|(_, [column, _], _)| *column == expected[0]));
        let square = tiles.iter().all(|(_, _, at)| (at[2] / at[3] - 1.0).abs() < 0.02);
        assert!(square, "on the ground a tile is as wide as high: {tiles:?}");
    }
}
