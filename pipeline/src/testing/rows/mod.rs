//! The conformance suite for backends of the graph store: the contract of [`rows`](crate::store::rows), one property
//! per function.
//!
//! Most properties check their rows twice: in the session that wrote them, and in a read session after the commit.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use crate::error_cause::{ErrorChain, panic_message};
use crate::store::rows::{Backend, RowsError};

mod aliases;
mod arguments;
mod claims;
mod edge_stats;
mod edges;
mod fixture;
mod housekeeping;
mod leases;
mod list;
mod nodes;
mod record_pages;
mod records;
mod scopes;
mod sessions;
mod texts;
mod versions;
mod words;

/// Runs every property, each on a new, empty backend from `make`.
///
/// # Panics
/// After all properties have run, if any failed. The message lists each failed property with its cause.
pub async fn check_all<B: Backend>(make: impl AsyncFn() -> B) {
    let mut failures = Vec::new();
    macro_rules! check {
        ($($module:ident: $($property:ident),+;)+) => {$($(
            let backend = make().await;
            let property = Box::pin($module::$property(&backend));
            if let Some(failure) = failure_of(property).await {
                failures.push(format!("{}: {failure}", stringify!($property)));
            }
        )+)+};
    }
    check! {
        words: text_keeps_its_word, words_keep_their_texts_byte_for_byte,
            words_are_found_by_prefix;
        nodes: node_ids_grow_in_order_of_creation, node_without_a_written_row_has_defaults,
            nodes_are_read_as_written, uids_are_compared_byte_for_byte, nodes_are_found_by_hash,
            merged_nodes_are_found_by_their_target;
        claims: last_intervals_are_read_as_written, put_claims_replaces_the_last_interval,
            past_claims_include_the_newest_that_ended_before_the_time,
            put_past_claims_replaces_the_interval_with_the_same_since, remove_claims_keeps_all_other_intervals,
            open_claims_of_a_scope_are_paged_by_node, ended_claims_are_those_that_ended_after_the_time;
        versions: versions_are_read_as_written, put_versions_adds_missing_parts_and_keeps_present_ones,
            snapshots_never_change;
        edges: edges_are_read_as_written, pages_of_outgoing_edges_contain_each_edge_once,
            pages_of_incoming_edges_contain_each_edge_once, removed_edge_stays_a_past_edge,
            past_edges_are_paged, observed_edges_merge;
        aliases: aliases_are_read_as_written, removed_alias_leaves_a_past_owner,
            aliases_of_kinds_are_paged_by_node, observed_aliases_merge;
        scopes: remove_scopes_removes_their_members, scopes_are_read_as_written, scopes_are_found_by_name,
            members_without_a_scan_are_removed, contested_nodes_are_stored_by_scope;
        list: list_applies_every_combination_of_filters, list_matches_names_and_uids,
            list_requires_a_match_of_every_text, counts_add_up;
        texts: texts_are_found_by_equality_prefix_and_substring, found_texts_are_ordered_by_field_node_and_text,
            all_characters_of_a_text_are_literal,
            put_texts_replaces_only_the_given_fields, put_texts_replaces_texts_of_its_own_session,
            texts_of_nodes_are_the_last_written;
        edge_stats: edge_stats_are_read_by_minute, row_with_greater_totals_replaces_the_stored_edge_stats;
        records: records_are_keyed_by_signal_id_and_opening_time, records_are_found_by_each_of_their_names,
            records_are_read_newest_first;
        leases: leases_are_read_as_written, remove_lease_keeps_all_other_leases,
            one_of_two_concurrent_writers_takes_a_lease, session_clock_does_not_go_back;
        record_pages: records_of_a_signal_are_paged_newest_first, old_records_are_paged_oldest_first,
            removed_records_are_not_found;
        housekeeping: state_is_stored_by_name,
            all_nodes_are_paged_and_ids_of_removed_nodes_are_not_reused,
            versions_of_nodes_are_read_without_values,
            past_edges_and_owners_can_be_removed, minutes_and_hours_are_stored_separately,
            remove_commits_keeps_the_numbers_of_all_other_commits;
        sessions: dropped_session_writes_nothing, readers_do_not_see_uncommitted_rows,
            open_reader_does_not_see_later_commits, two_concurrent_writers_both_commit,
            commits_are_numbered_without_gaps;
        arguments: empty_arguments_read_and_change_nothing, unknown_keys_read_nothing,
            calls_accept_40_000_keys;
    }
    assert!(
        failures.is_empty(),
        "failed properties:\n{}",
        failures.join("\n")
    );
}

/// Runs a property. Returns the cause of its failure, or `None` if it holds.
async fn failure_of(property: impl Future<Output = Result<(), RowsError>>) -> Option<String> {
    match AssertUnwindSafe(property).catch_unwind().await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(ErrorChain(&error).to_string()),
        Err(panic) => Some(panic_message(panic.as_ref())),
    }
}
