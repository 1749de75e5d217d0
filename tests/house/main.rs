//! The rules of the house, as tests: layers, auto traits, `unsafe`, sizes, documents that say what
//! is so, and links that lead somewhere. `CONTRIBUTING.md` has the same rules in words.

mod documents;
mod effects;
mod layers;
mod links;
mod options_page;
mod sources;
mod text;
mod traits;
