//! What is scanned as one: a kind in one account and region.

use std::sync::Arc;

use super::known::Known;
use super::names::Names;
use super::place::Place;
use super::shared::Shared;
use super::telling::Telling;

#[derive(Clone)]
pub(super) struct Scope {
    pub(super) names: Names,
    pub(super) at: Arc<Place>,
    /// What it tells of the account's own.
    pub(super) own: Telling,
    /// Where it leaves what other accounts own.
    pub(super) shared: Arc<Shared>,
}

impl Scope {
    pub(super) fn new(names: Names, at: Arc<Place>, known: &Known, shared: Arc<Shared>) -> Scope {
        Scope {
            own: Telling::own(&names, &at.account, known),
            names,
            at,
            shared,
        }
    }
}
