//! Queries that walk over edges: neighbours, impact, paths.

use async_graphql::{Context, Object, Result};
use pipeline::graph_store::NeighborhoodQuery;

use super::limits;
use crate::graphql::impact::Impact;
use crate::graphql::names::{find_existing, read_time};
use crate::graphql::neighbors::{self, Neighborhood};
use crate::graphql::path::Route;
use crate::graphql::time::DateTime;
use crate::graphql::types::Direction;

#[derive(Default)]
pub(super) struct WalkQueries;

#[Object]
#[expect(
    clippy::too_many_arguments,
    reason = "they are the arguments of a field"
)]
impl WalkQueries {
    /// The nodes around a node, nearest first.
    #[graphql(complexity = "limits::walk_cost(depth) + limits::page_cost(first, child_complexity)")]
    async fn neighbors(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "uid or alias")] uid: String,
        #[graphql(default = 1, desc = "the largest distance in edges, at most 5")] depth: i32,
        #[graphql(desc = "follow only edges of these kinds")] kinds: Option<Vec<String>>,
        #[graphql(default_with = "Direction::Both")] direction: Direction,
        #[graphql(default = 100, desc = "the number of nodes, at most 500")] first: i32,
        #[graphql(desc = "read the graph as of this time")] as_of: Option<DateTime>,
    ) -> Result<Neighborhood> {
        let (first, depth, at) = (
            limits::page_size(first)?,
            neighbors::check_depth(depth)?,
            read_time(as_of),
        );
        let start = find_existing(context, &uid, at).await?;
        let query = NeighborhoodQuery {
            depth,
            directions: direction.into(),
            kinds: &kinds.unwrap_or_default(),
            limit: first,
        };
        Neighborhood::around(context, &start, &query, at).await
    }

    /// The nodes that depend on a node and are affected when it changes: the nodes that a security group secures, the
    /// pods of an instance, the callers of a service. The highest scores come first. Each edge multiplies the score by
    /// 0.7 and by its confidence.
    #[graphql(complexity = "limits::walk_cost(depth) + limits::page_cost(first, child_complexity)")]
    async fn impact(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "uid or alias")] uid: String,
        #[graphql(default = 5, desc = "the largest distance in edges, at most 10")] depth: i32,
        #[graphql(default = 100, desc = "the number of nodes, at most 500")] first: i32,
        #[graphql(desc = "read the graph as of this time")] as_of: Option<DateTime>,
    ) -> Result<Impact> {
        let (first, at) = (limits::page_size(first)?, read_time(as_of));
        let start = find_existing(context, &uid, at).await?;
        Impact::of(context, start, depth, first, at).await
    }

    /// A shortest path between two nodes; the direction of edges is ignored. Paths through containers (a VPC, a
    /// subnet, an account, a cluster, a namespace) are used only if there is no other path. Among paths of equal
    /// length, the one with the most edges of traffic and dependency is returned.
    #[graphql(complexity = "limits::walk_cost(max_depth) + 10 * child_complexity")]
    async fn path(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "uid or alias")] from: String,
        #[graphql(desc = "uid or alias")] to: String,
        #[graphql(default = 5, desc = "the longest path in edges, at most 10")] max_depth: i32,
        #[graphql(desc = "follow only edges of these kinds")] kinds: Option<Vec<String>>,
        #[graphql(desc = "read the graph as of this time")] as_of: Option<DateTime>,
    ) -> Result<Route> {
        let at = read_time(as_of);
        let from = find_existing(context, &from, at).await?;
        let to = find_existing(context, &to, at).await?;
        let kinds = kinds.unwrap_or_default();
        Route::between(context, from, to, max_depth, &kinds, at).await
    }
}
