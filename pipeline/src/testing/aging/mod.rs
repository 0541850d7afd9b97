//! The conformance suite for the long-term behaviour of a store over any backend: what housekeeping removes and keeps,
//! what a check repairs, pages of records, and commits of several processes.
#![expect(clippy::unwrap_used, reason = "a property panics if it fails")]

mod check;
mod clock;
mod fixture;
mod follow;
mod records;
mod retention;
mod scopes;
mod stats;

use crate::store::rows::Backend;

/// Checks every property, each with two new backends from `make`. At first both are empty. They share their rows, like
/// the backends of two processes.
///
/// # Panics
/// At the first property that fails.
pub async fn check_all<B: Backend>(make: impl AsyncFn() -> (B, B)) {
    macro_rules! check {
        ($($module:ident: $($property:ident),+;)+) => {$($(
            let (one, other) = make().await;
            Box::pin($module::$property(one, other)).await;
        )+)+};
    }
    check! {
        check: check_finds_and_repairs_damaged_rows, node_that_exists_again_has_current_texts;
        clock: scans_apply_after_scans_with_future_times, scans_apply_after_more_future_scans_than_a_scope_keeps;
        retention: reads_before_the_horizon_fail_and_reports_before_it_are_dropped, removed_node_leaves_no_rows,
            past_edges_are_removed_with_the_last_version_that_has_them, expired_observations_are_removed,
            snapshot_whose_report_is_in_flight_stays, deletion_that_made_a_claim_stale_stays;
        scopes: retired_scopes_are_removed;
        stats: expired_minutes_are_summed_to_hours, node_is_kept_while_edge_statistics_name_it;
        records: records_expire_by_the_time_of_their_resolution, records_are_listed_by_every_combination_of_filters;
        follow: commits_of_other_processes_arrive_in_order, commits_removed_from_the_log_are_counted_as_missed,
            commit_log_is_kept_for_an_hour;
    }
}
