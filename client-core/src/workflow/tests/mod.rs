//! The behaviour of the state machine, told on cases that go through it.

mod cells;
mod clocks;
mod damage;
mod desk;
mod printed;
mod random;
mod review;
mod units;
mod wishes;

use super::*;
use crate::model::{CaseId, CategoryRef, Facts, LocalDay, Millis, Mode, OrgCode, PhotoHash, Role};
use desk::{Case, DAY, HOUR, START, actor, photos, user};
