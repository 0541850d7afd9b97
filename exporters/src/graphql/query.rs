//! What can be asked.

use async_graphql::connection::{Connection, CursorType, Edge as Item, OpaqueCursor};
use async_graphql::{Context, Error, Object, Result};
use pipeline::component::UnixNanos;
use pipeline::graph_store;

use super::limits::page;
use super::loader;
use super::names::{find, moment, must_find};
use super::neighbors::Neighborhood;
use super::store::{store, unanswered};
use super::time::DateTime;
use super::types::{Direction, Node, NodeFilter, ServiceMap, TimelineEntry};

pub(super) struct Query;

/// The service map's span of time where none is asked for: a quarter of an hour.
const RECENT: u64 = 15 * 60_000_000_000;

/// The last moment that can be said.
const EVER: UnixNanos = UnixNanos(i64::MAX as u64);

/// Time and id of a timeline's entry.
type TimelineCursor = OpaqueCursor<(u64, String)>;

#[Object]
#[expect(
    clippy::too_many_arguments,
    reason = "they are the arguments of a field"
)]
impl Query {
    /// The node of this uid or alias: an ARN, `sg-0a1b2c`, a name, an IP address. Null where
    /// nothing is known of it.
    async fn node(
        &self,
        context: &Context<'_>,
        uid: String,
        #[graphql(desc = "as it was then")] at: Option<DateTime>,
    ) -> Result<Option<Node>> {
        let at = moment(at);
        let Some(uid) = find(context, &uid, at).await? else {
            return Ok(None);
        };
        Ok(loader::load(context, &uid, at).await?.map(Node))
    }

    /// Nodes by uid.
    #[graphql(complexity = "1 + first.max(0) as usize * child_complexity")]
    async fn nodes(
        &self,
        context: &Context<'_>,
        filter: Option<NodeFilter>,
        #[graphql(default = 50, desc = "500 at most")] first: i32,
        after: Option<String>,
        #[graphql(desc = "as it was then")] at: Option<DateTime>,
    ) -> Result<Connection<OpaqueCursor<String>, Node>> {
        let (first, at) = (page(first)?, moment(at));
        let after = after
            .map(|cursor| decode::<OpaqueCursor<String>>(&cursor))
            .transpose()?;
        let uid = after.as_ref().map(|cursor| cursor.0.as_str());
        let filter = filter.unwrap_or_default().into();
        // One more than asked for, to know whether there is more.
        let found = store(context).list(&filter, uid, first + 1, at).await;
        let mut found = found.map_err(unanswered)?;
        let has_next = found.len() > first;
        found.truncate(first);
        let mut page = Connection::new(after.is_some(), has_next);
        let item = |node: graph_store::Node| Item::new(OpaqueCursor(node.uid.clone()), Node(node));
        page.edges.extend(found.into_iter().map(item));
        Ok(page)
    }

    /// What a node is connected with, near ones first.
    #[graphql(complexity = "50 + first.max(0) as usize * child_complexity")]
    async fn neighbors(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "uid or alias")] uid: String,
        #[graphql(default = 1, desc = "how many edges away, 5 at most")] depth: i32,
        #[graphql(desc = "follow only edges of these kinds")] kinds: Option<Vec<String>>,
        #[graphql(default_with = "Direction::Both")] direction: Direction,
        #[graphql(default = 100, desc = "how many nodes, 500 at most")] first: i32,
        #[graphql(desc = "as it was then")] at: Option<DateTime>,
    ) -> Result<Neighborhood> {
        let (first, at) = (page(first)?, moment(at));
        let start = must_find(context, &uid, at).await?;
        let kinds = kinds.unwrap_or_default();
        Neighborhood::around(context, start, depth, &kinds, direction, first, at).await
    }

    /// Who calls whom, how often and how fast, in the minutes that begin in this span of time; the
    /// last quarter of an hour where none is given.
    #[graphql(complexity = "50 + 50 * child_complexity")]
    async fn service_map(
        &self,
        context: &Context<'_>,
        from: Option<DateTime>,
        to: Option<DateTime>,
    ) -> Result<ServiceMap> {
        let to = to.map_or_else(UnixNanos::now, |DateTime(to)| to);
        let recent = UnixNanos(to.0.saturating_sub(RECENT));
        let from = from.map_or(recent, |DateTime(from)| from);
        if from > to {
            return Err(Error::new("from is later than to"));
        }
        ServiceMap::of(context, from, to).await
    }

    /// What happened to a node and what somebody did to it, newest first.
    #[graphql(complexity = "1 + first.max(0) as usize * child_complexity")]
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
        let uid = must_find(context, &uid, graph_store::At::Now).await?;
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
}

fn decode<C: CursorType>(cursor: &str) -> Result<C> {
    C::decode_cursor(cursor).map_err(|_| {
        Error::new(format!(
            "after is no cursor of an earlier answer: {cursor:?}"
        ))
    })
}
