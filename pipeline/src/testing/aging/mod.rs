//! How a store of any backend ages: what housekeeping removes and leaves, what a check repairs, pages of
//! records, and commits of several processes.
#![expect(clippy::unwrap_used, reason = "a property panics where it fails")]

mod checking;
mod clock;
mod fixture;
mod follow;
mod history;
mod records;
mod scopes;
mod stats;

use crate::store::rows::Backend;

/// Runs every property, each on empty backends of its own; `make` makes two that share their rows, as
/// two processes do.
///
/// # Panics
/// When one fails.
pub async fn all<B: Backend>(make: impl AsyncFn() -> (B, B)) {
    macro_rules! check {
        ($($module:ident: $($property:ident),+;)+) => {$($(
            let (one, other) = make().await;
            Box::pin($module::$property(one, other)).await;
        )+)+};
    }
    check! {
        checking: damage_is_found_and_repaired, node_that_is_current_again_has_current_texts;
        clock: scans_count_after_a_clock_was_ahead, scans_count_after_many_were_ahead;
        history: what_is_too_old_is_rejected_and_dropped, node_that_is_over_leaves_no_rows,
            old_states_go_with_what_only_they_named, expired_observations_leave,
            content_on_its_way_stays, deletion_that_made_a_claim_stale_stays;
        scopes: retired_scopes_are_removed;
        stats: old_minutes_become_hours, node_of_statistics_stays;
        records: records_age_from_their_resolution, records_are_listed_by_every_filter;
        follow: commits_of_others_arrive_in_order, commits_that_the_log_lost_are_counted,
            log_is_kept_for_an_hour;
    }
}
