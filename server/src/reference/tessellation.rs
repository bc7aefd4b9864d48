//! A synthetic tessellation: slightly irregular cells that cover a box without gap or overlap.
//!
//! No real cell-grid boundaries are published, so the example district draws its own. Cells share their corners:
//! a corner is moved once, for all cells that meet in it, and border corners slide along the border only.
//! Corners move by at most a fifth of the spacing, so every cell stays convex.

use xunge_client_core::model::{Point, Polygon};

/// A lattice of corners over a box, in 1e-6 degrees.
pub(super) struct Lattice {
    pub(super) west: i32,
    pub(super) south: i32,
    pub(super) east: i32,
    pub(super) north: i32,
    /// Cells from west to east.
    pub(super) columns: i32,
    /// Cells from north to south.
    pub(super) rows: i32,
}

/// A block of cells: columns `left..right`, rows `top..bottom`, rows counted from the north.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

impl Block {
    /// The part at `(column, row)` of this block when cut into `across` by `across` equal parts.
    pub(super) fn part(self, across: i32, column: i32, row: i32) -> Block {
        let (width, height) = ((self.right - self.left) / across, (self.bottom - self.top) / across);
        Block {
            left: self.left + column * width,
            top: self.top + row * height,
            right: self.left + (column + 1) * width,
            bottom: self.top + (row + 1) * height,
        }
    }
}

impl Lattice {
    /// The whole box.
    pub(super) fn whole(&self) -> Block {
        Block { left: 0, top: 0, right: self.columns, bottom: self.rows }
    }

    /// The outline of a block, through every corner on its border, so that neighbours agree on it.
    pub(super) fn outline(&self, block: Block) -> Polygon {
        let Block { left, top, right, bottom } = block;
        let south = (left..right).map(|column| self.corner(column, bottom));
        let east = (top + 1..=bottom).rev().map(|row| self.corner(right, row));
        let north = (left + 1..=right).rev().map(|column| self.corner(column, top));
        let west = (top..bottom).map(|row| self.corner(left, row));
        Polygon(south.chain(east).chain(north).chain(west).collect())
    }

    fn corner(&self, column: i32, row: i32) -> Point {
        let (width, height) = ((self.east - self.west) / self.columns, (self.north - self.south) / self.rows);
        let inside = |at: i32, end: i32| at != 0 && at != end;
        let lon = match column == self.columns {
            true => self.east,
            false => self.west + column * width,
        };
        let lat = match row == self.rows {
            true => self.south,
            false => self.north - row * height,
        };
        let lon_shift = if inside(column, self.columns) { shift(column, row, 1, width) } else { 0 };
        let lat_shift = if inside(row, self.rows) { shift(column, row, 2, height) } else { 0 };
        Point { lon_e6: lon + lon_shift, lat_e6: lat + lat_shift }
    }
}

/// A fixed pseudo-random shift of at most a fifth of `spacing`, the same on every machine.
fn shift(column: i32, row: i32, axis: i32, spacing: i32) -> i32 {
    let mut bits = (column as u64) << 40 ^ (row as u64) << 20 ^ axis as u64;
    for _ in 0..3 {
        bits = (bits ^ bits >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    let most = spacing / 5;
    (bits >> 33) as i32 % (2 * most + 1) - most
}
