//! What happened in a span of time.

use async_graphql::connection::{Connection, Edge as Item, OpaqueCursor, PageInfo};
use async_graphql::{Context, Error, Object, Result, SimpleObject};
use pipeline::component::UnixNanos;
use pipeline::graph_store::{self, At};

use super::super::limits::{page, page_of};
use super::super::names::{find, must_find, resolve};
use super::super::store::{store, unanswered};
use super::super::time::DateTime;
use super::super::types::{CallsCursor, Record, RecordFilter, ServiceMap, TimelineEntry};
use super::{cost, decode};

#[derive(Default)]
pub(super) struct Past;

/// The service map's span of time where none is asked for: a quarter of an hour.
const RECENT: u64 = 15 * 60_000_000_000;

/// Edges of a page of the service map.
const EDGES: usize = 5000;

/// The last moment that can be said.
const EVER: UnixNanos = UnixNanos(i64::MAX as u64);

/// Time and id of a timeline's entry.
type TimelineCursor = OpaqueCursor<(u64, String)>;

#[Object]
impl Past {
    /// Who calls whom, how often and how fast, in the minutes that begin in this span of time; the
    /// last quarter of an hour where none is given. Edges by their ends, a page of them with the nodes that
    /// they connect; `calls` and rates are of the whole span.
    #[graphql(complexity = "cost::READ + 50 * child_complexity")]
    async fn service_map(
        &self,
        context: &Context<'_>,
        from: Option<DateTime>,
        to: Option<DateTime>,
        #[graphql(default = 1000, desc = "edges, 5000 at most")] first: i32,
        #[graphql(desc = "endCursor of the page before")] after: Option<String>,
    ) -> Result<ServiceMap> {
        let first = page_of(first, EDGES)?;
        let after = after
            .map(|cursor| decode::<CallsCursor>(&cursor))
            .transpose()?;
        let at = until(to);
        let to = to.map_or_else(UnixNanos::now, |DateTime(to)| to);
        let recent = UnixNanos(to.0.saturating_sub(RECENT));
        let from = from.map_or(recent, |DateTime(from)| from);
        if from > to {
            return Err(Error::new("from is later than to"));
        }
        let map = ServiceMap::of(context, from, to, at).await?;
        Ok(map.page(first, after))
    }

    /// What happened to a node and what somebody did to it, newest first.
    #[graphql(complexity = "cost::READ + cost::page(first, child_complexity)")]
    async fn timeline(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "uid or alias")] uid: String,
        from: Option<DateTime>,
        to: Option<DateTime>,
        #[graphql(default = 50, desc = "500 at most")] first: i32,
        after: Option<String>,
    ) -> Result<Connection<TimelineCursor, TimelineEntry>> {
        let first = page(first)?;
        let after = after
            .map(|cursor| decode::<TimelineCursor>(&cursor))
            .transpose()?;
        // What it was called then; what has no name then may have one by now.
        let uid = match find(context, &uid, until(to)).await? {
            Some(uid) => uid,
            None => must_find(context, &uid, At::Now).await?,
        };
        let from = from.map_or(UnixNanos(0), |DateTime(from)| from);
        let mut to = to.map_or(EVER, |DateTime(to)| to);
        if let Some(OpaqueCursor((time, _))) = &after {
            to = to.min(UnixNanos(time.saturating_add(1)));
        }
        let is_later = |entry: &graph_store::TimelineEntry| {
            let last = after
                .as_ref()
                .map(|cursor| (cursor.0.0, cursor.0.1.as_str()));
            last.is_none_or(|last| (entry.time.0, entry.id.as_str()) < last)
        };
        // One more than asked for, to know whether there is more, and those of the cursor's moment.
        let mut wanted = first + 1;
        let (mut found, is_all) = loop {
            let entries = store(context).timeline(&uid, from, to, wanted).await;
            let entries = entries.map_err(unanswered)?;
            let is_all = entries.len() < wanted;
            let found: Vec<_> = entries.into_iter().filter(is_later).collect();
            if is_all || found.len() > first {
                break (found, is_all);
            }
            wanted *= 2;
        };
        let has_next = found.len() > first || !is_all;
        found.truncate(first);
        let mut page = Connection::new(after.is_some(), has_next);
        page.edges.extend(found.into_iter().map(|entry| {
            let cursor = OpaqueCursor((entry.time.0, entry.id.clone()));
            Item::new(cursor, TimelineEntry(entry))
        }));
        Ok(page)
    }

    /// Changes, drift, health, correlations and alerts, newest first.
    #[graphql(complexity = "cost::READ + cost::page(first, child_complexity)")]
    async fn records(
        &self,
        context: &Context<'_>,
        filter: Option<RecordFilter>,
        #[graphql(default = 50, desc = "500 at most")] first: i32,
        #[graphql(desc = "endCursor of the page before")] after: Option<String>,
    ) -> Result<Records> {
        let first = page(first)?;
        let filter = filter.unwrap_or_default();
        let mut uids = Vec::new();
        if let Some(names) = &filter.of {
            for (name, found) in names.iter().zip(resolve(context, names, At::Now).await?) {
                // What is deleted may have records all the same.
                uids.push(name.clone());
                uids.extend(found.into_iter().filter(|uid| uid != name));
            }
        }
        let filter = filter.with_uids(uids);
        let found = store(context).records(&filter, after.as_deref(), first);
        let found = found.await.map_err(unanswered)?;
        Ok(Records {
            records: found.records.into_iter().map(Record).collect(),
            page_info: PageInfo {
                has_next_page: found.last.is_some(),
                end_cursor: found.last,
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

/// The moment at which a span of time ends: what is to come is now.
fn until(to: Option<DateTime>) -> At {
    match to {
        Some(DateTime(to)) if to < UnixNanos::now() => At::Time(to),
        _ => At::Now,
    }
}
