//! The conformance suite of a backend of the graph store: what [`rows`](crate::store::rows)
//! promises, one property a function.
//!
//! Most properties check their rows twice: in the session that wrote them, and in a read session
//! after its commit.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use crate::cause::Chain;
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

/// Runs every property, each on an empty backend of its own.
///
/// # Panics
/// After all have run, when any failed; the message names each that did, and why.
pub async fn all<B: Backend>(make: impl AsyncFn() -> B) {
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
        words: words_are_found_again, texts_of_words_come_back_byte_by_byte,
            words_are_found_by_prefix;
        nodes: numbers_of_nodes_grow_in_order, node_that_was_never_put_has_defaults,
            nodes_come_back_as_put, uids_are_compared_byte_by_byte, nodes_are_found_by_hash,
            merged_nodes_are_found_by_their_target;
        claims: last_stretches_come_back_as_put, put_claim_replaces_the_last_stretch,
            past_claims_end_after_a_time_or_are_the_newest_before,
            past_claim_of_the_same_since_is_replaced, removed_claims_leave_the_others,
            open_claims_of_a_scope_are_paged_by_node, nodes_of_a_scope_are_those_since_a_time;
        versions: versions_come_back_as_put, version_gets_missing_parts_and_keeps_present_ones,
            snapshots_never_change;
        edges: edges_come_back_as_put, pages_of_outgoing_edges_lose_and_double_none,
            pages_of_incoming_edges_lose_and_double_none, removed_edge_is_past_for_ever,
            past_edges_are_paged, observed_edges_merge;
        aliases: aliases_come_back_as_put, removed_alias_leaves_a_past_owner,
            aliases_of_kinds_are_paged_by_node, observed_aliases_merge;
        scopes: removed_scopes_leave_no_members, scopes_come_back_as_put, scopes_are_found_by_name,
            members_that_no_scan_names_are_dropped, contested_nodes_are_kept_by_scope;
        list: list_fits_each_combination_of_filters, list_finds_names_and_uids,
            list_finds_each_of_several_texts, counts_add_up;
        texts: texts_are_found_exactly_by_prefix_and_by_part, found_texts_stand_in_order,
            characters_of_a_text_have_no_meaning_of_their_own,
            put_texts_replaces_the_named_fields_alone, put_texts_replaces_what_its_session_put, texts_of_nodes_are_those_that_were_put_last;
        edge_stats: edge_stats_come_back_by_minute, greater_row_of_edge_stats_stays;
        records: records_are_keyed_by_signal_id_and_opening, records_are_found_by_every_uid,
            records_come_newest_first;
        leases: leases_come_back_as_put, removed_lease_leaves_the_others,
            lease_is_taken_by_one_of_two_writers, clock_of_a_session_goes;
        record_pages: records_of_a_signal_are_paged_newest_first, old_records_come_oldest_first,
            removed_records_are_found_by_nothing;
        housekeeping: state_is_kept_by_name,
            all_nodes_are_paged_and_removed_ones_leave_no_number,
            versions_of_nodes_come_without_values_until_removed,
            past_edges_and_owners_can_be_forgotten, minutes_and_hours_are_kept_apart,
            removed_commits_leave_the_numbers_of_the_others;
        sessions: dropped_session_leaves_nothing, readers_do_not_see_uncommitted_rows,
            open_reader_keeps_its_state, two_writers_both_commit, commits_are_numbered_without_gaps;
        arguments: no_arguments_find_and_change_nothing, unknown_keys_find_nothing,
            calls_take_many_keys;
    }
    assert!(failures.is_empty(), "failed:\n{}", failures.join("\n"));
}

/// Why a property failed; none where it holds.
async fn failure_of(property: impl Future<Output = Result<(), RowsError>>) -> Option<String> {
    match AssertUnwindSafe(property).catch_unwind().await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(Chain(&error).to_string()),
        Err(panic) => Some(message_of(panic.as_ref())),
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<String>() {
        return text.clone();
    }
    let text = panic.downcast_ref::<&str>().copied();
    text.unwrap_or("a panic without a text").to_owned()
}
