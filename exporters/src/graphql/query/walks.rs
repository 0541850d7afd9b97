//! What is connected with what.

use async_graphql::{Context, Object, Result};
use pipeline::graph_store::NeighborhoodQuery;

use super::super::impact::Impact;
use super::super::limits::page;
use super::super::names::{moment, must_live};
use super::super::neighbors::{self, Neighborhood};
use super::super::path::Route;
use super::super::time::DateTime;
use super::super::types::Direction;
use super::cost;

#[derive(Default)]
pub(super) struct Walks;

#[Object]
#[expect(
    clippy::too_many_arguments,
    reason = "they are the arguments of a field"
)]
impl Walks {
    /// What a node is connected with, near ones first.
    #[graphql(complexity = "cost::walk(depth) + cost::page(first, child_complexity)")]
    async fn neighbors(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "uid or alias")] uid: String,
        #[graphql(default = 1, desc = "how many edges away, 5 at most")] depth: i32,
        #[graphql(desc = "follow only edges of these kinds")] kinds: Option<Vec<String>>,
        #[graphql(default_with = "Direction::Both")] direction: Direction,
        #[graphql(default = 100, desc = "how many nodes, 500 at most")] first: i32,
        #[graphql(desc = "as it was then")] as_of: Option<DateTime>,
    ) -> Result<Neighborhood> {
        let (first, depth, at) = (page(first)?, neighbors::depth(depth)?, moment(as_of));
        let start = must_live(context, &uid, at).await?;
        let walk = NeighborhoodQuery {
            depth,
            direction: direction.into(),
            kinds: &kinds.unwrap_or_default(),
            limit: first,
        };
        Neighborhood::around(context, &start, &walk, at).await
    }

    /// What depends on a node, so that it is touched where that changes: a security group reaches
    /// what it secures, an instance its pods, a service its callers. The highest scores first; a
    /// hop leaves 0.7 of a score, times how sure its edge is.
    #[graphql(complexity = "cost::walk(depth) + cost::page(first, child_complexity)")]
    async fn impact(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "uid or alias")] uid: String,
        #[graphql(default = 5, desc = "how many edges away, 10 at most")] depth: i32,
        #[graphql(default = 100, desc = "how many nodes, 500 at most")] first: i32,
        #[graphql(desc = "as it was then")] as_of: Option<DateTime>,
    ) -> Result<Impact> {
        let (first, at) = (page(first)?, moment(as_of));
        let start = must_live(context, &uid, at).await?;
        Impact::of(context, start, depth, first, at).await
    }

    /// A way from one node to another, whichever way its edges lead: a shortest one that does not
    /// pass through what only holds things (a VPC, a subnet, an account, a cluster, a namespace), else,
    /// where there is no other way, a shortest one of all. Of equally long ones it is the one with more
    /// edges of traffic and dependency.
    #[graphql(complexity = "cost::walk(max_depth) + 10 * child_complexity")]
    async fn path(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "uid or alias")] from: String,
        #[graphql(desc = "uid or alias")] to: String,
        #[graphql(default = 5, desc = "of how many edges at most, 10 at most")] max_depth: i32,
        #[graphql(desc = "follow only edges of these kinds")] kinds: Option<Vec<String>>,
        #[graphql(desc = "as it was then")] as_of: Option<DateTime>,
    ) -> Result<Route> {
        let at = moment(as_of);
        let from = must_live(context, &from, at).await?;
        let to = must_live(context, &to, at).await?;
        let kinds = kinds.unwrap_or_default();
        Route::between(context, from, to, max_depth, &kinds, at).await
    }
}
