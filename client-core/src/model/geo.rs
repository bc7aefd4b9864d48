//! Places on the ground. Coordinates are integers of 1e-6 degrees; documents keep what the phone said, with its label.

use serde::{Deserialize, Serialize};

use super::role::coded;

coded! {
    /// The coordinate system a point is stated in. Stored raw with this label, converted only for look-ups.
    CoordSys {
        /// GPS.
        Wgs84 = "wgs84", "WGS-84";
        /// What Chinese map SDKs hand out: WGS-84 shifted by up to about 500 m.
        Gcj02 = "gcj02", "GCJ-02";
        /// The national system; equal to WGS-84 within decimetres.
        Cgcs2000 = "cgcs2000", "CGCS2000";
    }
}

coded! {
    /// Where a location came from.
    LocationSource {
        /// A satellite fix.
        Gps = "gps", "卫星定位";
        /// Cell towers or Wi-Fi.
        Network = "network", "网络定位";
        /// The last fix the phone had; its age is stated beside it.
        LastFix = "last_fix", "上次定位";
        /// A pin set by hand.
        Manual = "manual", "手动选点";
    }
}

/// A point in 1e-6 degrees, in the system named beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Point {
    /// Longitude, -180e6 to 180e6.
    pub lon_e6: i32,
    /// Latitude, -90e6 to 90e6.
    pub lat_e6: i32,
}

impl Point {
    /// Builds a point from decimal degrees; `None` off the globe or for a number that is none.
    pub fn from_degrees(lon: f64, lat: f64) -> Option<Self> {
        let on_globe = (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat);
        on_globe.then(|| Self { lon_e6: (lon * 1e6).round() as i32, lat_e6: (lat * 1e6).round() as i32 })
    }

    /// Longitude and latitude in decimal degrees.
    pub fn degrees(self) -> (f64, f64) {
        (f64::from(self.lon_e6) / 1e6, f64::from(self.lat_e6) / 1e6)
    }

    /// This point in WGS-84, for finding its grid. Exact to about a metre for GCJ-02 inside China.
    pub fn to_wgs84(self, system: CoordSys) -> Self {
        match system {
            CoordSys::Wgs84 | CoordSys::Cgcs2000 => self,
            CoordSys::Gcj02 => self.without_gcj02_shift(),
        }
    }

    /// Inverts the published GCJ-02 shift by fixed-point iteration (it has no closed inverse).
    fn without_gcj02_shift(self) -> Self {
        let (lon, lat) = self.degrees();
        let outside_china = !(72.004..=137.8347).contains(&lon) || !(0.8293..=55.8271).contains(&lat);
        if outside_china {
            return self;
        }
        let (mut guess_lon, mut guess_lat) = (lon, lat);
        for _ in 0..4 {
            let (shift_lon, shift_lat) = gcj02_shift(guess_lon, guess_lat);
            (guess_lon, guess_lat) = (lon - shift_lon, lat - shift_lat);
        }
        Self::from_degrees(guess_lon, guess_lat).unwrap_or(self)
    }

    /// Distance to `other` in metres on a local plane; good to a percent within a district.
    pub fn metres_to(self, other: Self) -> f64 {
        let metres_per_e6 = 0.111_320;
        let mean_lat = f64::from(self.lat_e6 / 2 + other.lat_e6 / 2) / 1e6;
        let dx = f64::from(self.lon_e6 - other.lon_e6) * metres_per_e6 * mean_lat.to_radians().cos();
        let dy = f64::from(self.lat_e6 - other.lat_e6) * metres_per_e6;
        dx.hypot(dy)
    }
}

/// The shift GCJ-02 adds to WGS-84 at this place, in degrees (Krasovsky 1940 ellipsoid).
fn gcj02_shift(lon: f64, lat: f64) -> (f64, f64) {
    use std::f64::consts::PI;
    const AXIS: f64 = 6_378_245.0;
    const ECCENTRICITY: f64 = 0.006_693_421_622_965_943;
    let (x, y) = (lon - 105.0, lat - 35.0);
    let waves = |v: f64, a: f64, b: f64, c: f64| {
        (20.0 * (6.0 * x * PI).sin() + 20.0 * (2.0 * x * PI).sin()) * 2.0 / 3.0
            + (20.0 * (v * PI).sin() + 40.0 * (v / 3.0 * PI).sin()) * 2.0 / 3.0
            + (a * (v / 12.0 * PI).sin() + b * (v * PI / c).sin()) * 2.0 / 3.0
    };
    let raw_lat =
        -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * x.abs().sqrt() + waves(y, 160.0, 320.0, 30.0);
    let raw_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * x.abs().sqrt() + waves(x, 150.0, 300.0, 30.0);
    let radians = lat / 180.0 * PI;
    let magic = 1.0 - ECCENTRICITY * radians.sin().powi(2);
    let root = magic.sqrt();
    let lat_shift = raw_lat * 180.0 / (AXIS * (1.0 - ECCENTRICITY) / (magic * root) * PI);
    let lon_shift = raw_lon * 180.0 / (AXIS / root * radians.cos() * PI);
    (lon_shift, lat_shift)
}

/// A closed ring of points, first not repeated at the end. Grids are single rings without holes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Polygon(pub Vec<Point>);

impl Polygon {
    /// True if the point lies inside; on a shared border exactly one neighbour claims it (half-open rule).
    pub fn contains(&self, point: Point) -> bool {
        let (x, y) = (i128::from(point.lon_e6), i128::from(point.lat_e6));
        let ring = &self.0;
        let mut inside = false;
        for (index, a) in ring.iter().enumerate() {
            let b = &ring[(index + 1) % ring.len()];
            let (ax, ay) = (i128::from(a.lon_e6), i128::from(a.lat_e6));
            let (bx, by) = (i128::from(b.lon_e6), i128::from(b.lat_e6));
            if (ay > y) != (by > y) {
                // Integers decide exactly: x < ax + (y - ay) * (bx - ax) / (by - ay).
                let (left, right) = ((x - ax) * (by - ay), (y - ay) * (bx - ax));
                inside ^= if by > ay { left < right } else { left > right };
            }
        }
        inside
    }

    /// West, south, east, north; `None` for an empty ring.
    pub fn bounds(&self) -> Option<[i32; 4]> {
        let lons = self.0.iter().map(|p| p.lon_e6);
        let lats = self.0.iter().map(|p| p.lat_e6);
        Some([lons.clone().min()?, lats.clone().min()?, lons.max()?, lats.max()?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lon_e6: i32, lat_e6: i32) -> Point {
        Point { lon_e6, lat_e6 }
    }

    #[test]
    fn neighbours_share_a_border_and_never_a_point() {
        let west = Polygon(vec![at(0, 0), at(10, 0), at(10, 10), at(0, 10)]);
        let east = Polygon(vec![at(10, 0), at(20, 0), at(20, 10), at(10, 10)]);
        for y in 0..10 {
            for x in 0..20 {
                assert_eq!(u8::from(west.contains(at(x, y))) + u8::from(east.contains(at(x, y))), 1, "{x},{y}");
            }
        }
        assert!(!west.contains(at(30, 5)));
    }

    #[test]
    fn a_gcj02_point_moves_back_by_a_few_hundred_metres() {
        let shown = Point::from_degrees(106.15, 38.5).unwrap();
        let moved = shown.metres_to(shown.to_wgs84(CoordSys::Gcj02));
        assert!((300.0..800.0).contains(&moved), "{moved}");
        let (lon, lat) = shown.to_wgs84(CoordSys::Gcj02).degrees();
        let (shift_lon, shift_lat) = gcj02_shift(lon, lat);
        let again = Point::from_degrees(lon + shift_lon, lat + shift_lat).unwrap();
        assert!(shown.metres_to(again) < 1.0);
    }

    #[test]
    fn points_off_the_globe_are_refused() {
        assert_eq!(Point::from_degrees(181.0, 0.0), None);
        assert_eq!(Point::from_degrees(0.0, f64::NAN), None);
        assert_eq!(Point::from_degrees(106.1, 38.5), Some(at(106_100_000, 38_500_000)));
    }
}
