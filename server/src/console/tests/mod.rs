//! Pages as people get them: drawn from a real store, read by a strict parser.

mod deciding;
mod desk;
mod guards;
mod html;
mod news;
mod office;
mod pages;
mod signing_in;
