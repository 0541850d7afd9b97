//! Tests of the simulated shop.

use super::script::Situation;

mod cloud;
mod run;
mod stage;
mod traffic;

const CALM: Situation = Situation {
    deploys: 1,
    open: false,
    flood: 0.0,
};

const FLOODED: Situation = Situation {
    deploys: 1,
    open: true,
    flood: 1.0,
};
