//! Pages as people get them: drawn from a real store, read by a strict parser.

mod admin;
mod bulk;
mod categories;
mod day;
mod deciding;
mod desk;
mod guards;
mod held;
mod html;
mod lists;
mod map;
mod nearby;
mod news;
mod office;
mod pages;
mod register;
mod signing_in;
