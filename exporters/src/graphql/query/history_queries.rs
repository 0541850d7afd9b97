//! Queries over a time range: service map, timeline, records.

use async_graphql::connection::{Connection, Edge as Item, OpaqueCursor, PageInfo};
use async_graphql::{Context, Error, Object, Result, SimpleObject};
use pipeline::component::UnixNanos;
use pipeline::graph_store::{self, AsOf};

use super::{decode, limits};
use crate::graphql::names::{find, find_required, resolve};
use crate::graphql::store::{store, store_error};
use crate::graphql::time::DateTime;
use crate::graphql::types::{CallsCursor, Record, RecordFilter, ServiceMap, TimelineEntry};

#[derive(Default)]
pub(super) struct HistoryQueries;

/// The default time range of the service map: 15 minutes, in nanoseconds.
const DEFAULT_RANGE: u64 = 15 * 60_000_000_000;

/// The maximum number of edges on a page of the service map.
const MAX_EDGES: usize = 5000;

/// The largest time, in nanoseconds, that fits an i64.
const LATEST: UnixNanos = UnixNanos(i64::MAX as u64);

/// The time and the id of a timeline entry.
type TimelineCursor = OpaqueCursor<(u64, String)>;

#[Object]
impl HistoryQueries {
    /// The calls between nodes, with rate, errors and duration, in the minutes that begin in the time range; the
    /// last 15 minutes by default. A page has some edges and the nodes that they connect. The numbers of an edge
    /// cover the whole time range.
    #[graphql(complexity = "limits::READ_COST + 50 * child_complexity")]
    async fn service_map(
        &self,
        context: &Context<'_>,
        from: Option<DateTime>,
        to: Option<DateTime>,
        #[graphql(default = 1000, desc = "the number of edges, at most 5000")] first: i32,
        #[graphql(desc = "endCursor of the previous page")] after: Option<String>,
    ) -> Result<ServiceMap> {
        let first = limits::page_size_up_to(first, MAX_EDGES)?;
        let after = after
            .map(|cursor| decode::<CallsCursor>(&cursor))
            .transpose()?;
        let at = as_of_end(to);
        let to = to.map_or_else(UnixNanos::now, |DateTime(to)| to);
        let default_from = UnixNanos(to.0.saturating_sub(DEFAULT_RANGE));
        let from = from.map_or(default_from, |DateTime(from)| from);
        if from > to {
            return Err(Error::new("from is later than to"));
        }
        let map = ServiceMap::of(context, from, to, at).await?;
        Ok(map.page(first, after))
    }

    /// The history of a node: its states, its edges and the changes that actors made, newest first.
    #[graphql(complexity = "limits::READ_COST + limits::page_cost(first, child_complexity)")]
    async fn timeline(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "uid or alias")] uid: String,
        from: Option<DateTime>,
        to: Option<DateTime>,
        #[graphql(default = 50, desc = "the number of entries, at most 500")] first: i32,
        after: Option<String>,
    ) -> Result<Connection<TimelineCursor, TimelineEntry>> {
        let first = limits::page_size(first)?;
        let after = after
            .map(|cursor| decode::<TimelineCursor>(&cursor))
            .transpose()?;
        // Resolves the name as of the end of the time range, or as of now if no node had the name then.
        let uid = match find(context, &uid, as_of_end(to)).await? {
            Some(uid) => uid,
            None => find_required(context, &uid, AsOf::Now).await?,
        };
        let from = from.map_or(UnixNanos(0), |DateTime(from)| from);
        let mut to = to.map_or(LATEST, |DateTime(to)| to);
        if let Some(OpaqueCursor((time, _))) = &after {
            to = to.min(UnixNanos(time.saturating_add(1)));
        }
        let is_after_cursor = |entry: &graph_store::TimelineEntry| {
            let last = after
                .as_ref()
                .map(|cursor| (cursor.0.0, cursor.0.1.as_str()));
            last.is_none_or(|last| (entry.time.0, entry.id.as_str()) < last)
        };
        // One entry more than `first` shows whether there is a next page. The read returns all entries at the time of
        // the cursor, and those of the previous page are filtered out. If too few are left, the next read has twice the
        // limit.
        let mut limit = first + 1;
        let (mut entries, is_complete) = loop {
            let entries = store(context).timeline(&uid, from, to, limit).await;
            let entries = entries.map_err(store_error)?;
            let is_complete = entries.len() < limit;
            let entries: Vec<_> = entries.into_iter().filter(is_after_cursor).collect();
            if is_complete || entries.len() > first {
                break (entries, is_complete);
            }
            limit *= 2;
        };
        let has_next = entries.len() > first || !is_complete;
        entries.truncate(first);
        let mut page = Connection::new(after.is_some(), has_next);
        page.edges.extend(entries.into_iter().map(|entry| {
            let cursor = OpaqueCursor((entry.time.0, entry.id.clone()));
            Item::new(cursor, TimelineEntry(entry))
        }));
        Ok(page)
    }

    /// Changes, drift, health, correlations and alerts, newest first.
    #[graphql(complexity = "limits::READ_COST + limits::page_cost(first, child_complexity)")]
    async fn records(
        &self,
        context: &Context<'_>,
        filter: Option<RecordFilter>,
        #[graphql(default = 50, desc = "the number of entries, at most 500")] first: i32,
        #[graphql(desc = "endCursor of the previous page")] after: Option<String>,
    ) -> Result<Records> {
        let first = limits::page_size(first)?;
        let filter = filter.unwrap_or_default();
        let mut uids = Vec::new();
        if let Some(names) = &filter.of {
            for (name, resolved) in names.iter().zip(resolve(context, names, AsOf::Now).await?) {
                // The name may be the uid of a deleted node, which still has records.
                uids.push(name.clone());
                uids.extend(resolved.into_iter().filter(|uid| uid != name));
            }
        }
        let filter = filter.with_uids(uids);
        let page = store(context).records(&filter, after.as_deref(), first);
        let page = page.await.map_err(store_error)?;
        Ok(Records {
            records: page.records.into_iter().map(Record).collect(),
            page_info: PageInfo {
                has_next_page: page.last.is_some(),
                end_cursor: page.last,
                has_previous_page: after.is_some(),
                start_cursor: None,
            },
        })
    }
}

/// A page of records.
#[derive(SimpleObject)]
struct Records {
    records: Vec<Record>,
    page_info: PageInfo,
}

/// The time at which to read the graph for the end of a time range: now, if the end is not set or in the future.
fn as_of_end(to: Option<DateTime>) -> AsOf {
    match to {
        Some(DateTime(to)) if to < UnixNanos::now() => AsOf::Time(to),
        _ => AsOf::Now,
    }
}
