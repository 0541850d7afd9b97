//! Queries of nodes: by name, by filter, by text.

use async_graphql::connection::{Connection, Edge as Item, OpaqueCursor};
use async_graphql::{Context, Error, Object, Result};
use pipeline::graph_store;

use super::{decode, limits};
use crate::graphql::names::{find, read_time};
use crate::graphql::store::{store, store_error};
use crate::graphql::time::DateTime;
use crate::graphql::types::{Node, NodeFilter, ResourceType, SearchResult};

#[derive(Default)]
pub(super) struct NodeQueries;

/// The longest search text, in characters.
const MAX_TEXT_CHARS: usize = 1000;

#[Object]
impl NodeQueries {
    /// The node with this uid or alias: an ARN, `sg-0a1b2c`, `aws:ec2:i-0a1b2c`, a name, an IP address. Null if no
    /// node has it.
    #[graphql(complexity = "limits::READ_COST + child_complexity")]
    async fn node(
        &self,
        context: &Context<'_>,
        uid: String,
        #[graphql(desc = "read the graph as of this time")] as_of: Option<DateTime>,
    ) -> Result<Option<Node>> {
        let at = read_time(as_of);
        let Some(uid) = find(context, &uid, at).await? else {
            return Ok(None);
        };
        Node::load(context, &uid, at).await
    }

    /// The nodes that match a filter.
    #[graphql(complexity = "limits::READ_COST + limits::page_cost(first, child_complexity)")]
    async fn nodes(
        &self,
        context: &Context<'_>,
        filter: Option<NodeFilter>,
        #[graphql(default = 50, desc = "the number of nodes, at most 500")] first: i32,
        after: Option<String>,
        #[graphql(desc = "read the graph as of this time")] as_of: Option<DateTime>,
    ) -> Result<Connection<OpaqueCursor<String>, Node>> {
        let (first, at) = (limits::page_size(first)?, read_time(as_of));
        let after = after
            .map(|cursor| decode::<OpaqueCursor<String>>(&cursor))
            .transpose()?;
        let uid = after.as_ref().map(|cursor| cursor.0.as_str());
        let filter = filter.unwrap_or_default().into();
        // Reads one more than `first`, to find out whether there is a next page.
        let nodes = store(context).list(&filter, uid, first + 1, at).await;
        let mut nodes = nodes.map_err(store_error)?;
        let has_next = nodes.len() > first;
        nodes.truncate(first);
        let mut page = Connection::new(after.is_some(), has_next);
        let item =
            |node: graph_store::Node| Item::new(OpaqueCursor(node.uid.clone()), Node { node, at });
        page.edges.extend(nodes.into_iter().map(item));
        Ok(page)
    }

    /// The nodes whose name, alias, uid or tag value contains a text: exact matches first, then matches at the
    /// beginning, then the rest.
    #[graphql(complexity = "limits::READ_COST + limits::page_cost(first, child_complexity)")]
    async fn search(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "1 to 1000 characters, case-insensitive")] text: String,
        #[graphql(desc = "only nodes of these kinds")] kinds: Option<Vec<String>>,
        #[graphql(default = 20, desc = "the number of nodes, at most 500")] first: i32,
        #[graphql(desc = "read the graph as of this time")] as_of: Option<DateTime>,
    ) -> Result<SearchResult> {
        let (first, at) = (limits::page_size(first)?, read_time(as_of));
        let text = text.trim().to_owned();
        if text.is_empty() || text.chars().count() > MAX_TEXT_CHARS {
            return Err(Error::new(format!(
                "text must have 1 to {MAX_TEXT_CHARS} characters"
            )));
        }
        let search = graph_store::SearchQuery {
            text,
            kinds: kinds.unwrap_or_default(),
        };
        let result = store(context).search(&search, first, at).await;
        Ok(SearchResult::of(result.map_err(store_error)?, at))
    }

    /// The kinds of nodes, with the number of nodes of each kind.
    #[graphql(complexity = "limits::READ_COST + 50 * child_complexity")]
    async fn resource_types(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "read the graph as of this time")] as_of: Option<DateTime>,
    ) -> Result<Vec<ResourceType>> {
        let counts = store(context).count_kinds(read_time(as_of)).await;
        let counts = counts.map_err(store_error)?.into_iter();
        Ok(counts.map(ResourceType::from).collect())
    }
}
