//! The console in a real Chromium, against a real server, with cases that real phones sent.

mod admin;
mod desk;
mod held;
mod keyboard;
mod lists;
mod many;
mod office;
mod pages;
mod register;
mod review;

use office::Office;
