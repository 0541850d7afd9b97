//! Nodes by their names, and lists of them.

use async_graphql::connection::{Connection, Edge as Item, OpaqueCursor};
use async_graphql::{Context, Error, Object, Result};
use pipeline::graph_store;

use super::super::limits::page;
use super::super::loader;
use super::super::names::{find, moment};
use super::super::store::{store, unanswered};
use super::super::time::DateTime;
use super::super::types::{Node, NodeFilter, ResourceType, SearchResult};
use super::{cost, decode};

#[derive(Default)]
pub(super) struct Nodes;

/// Characters of a text that is searched for.
const LONGEST: usize = 1000;

#[Object]
impl Nodes {
    /// The node of this uid or alias: an ARN, `sg-0a1b2c`, `aws:ec2:i-0a1b2c`, a name, an IP
    /// address. Null where nothing is known of it.
    #[graphql(complexity = "cost::READ + child_complexity")]
    async fn node(
        &self,
        context: &Context<'_>,
        uid: String,
        #[graphql(desc = "as it was then")] as_of: Option<DateTime>,
    ) -> Result<Option<Node>> {
        let at = moment(as_of);
        let Some(uid) = find(context, &uid, at).await? else {
            return Ok(None);
        };
        loader::load(context, &uid, at).await
    }

    /// Nodes by uid.
    #[graphql(complexity = "cost::READ + cost::page(first, child_complexity)")]
    async fn nodes(
        &self,
        context: &Context<'_>,
        filter: Option<NodeFilter>,
        #[graphql(default = 50, desc = "500 at most")] first: i32,
        after: Option<String>,
        #[graphql(desc = "as it was then")] as_of: Option<DateTime>,
    ) -> Result<Connection<OpaqueCursor<String>, Node>> {
        let (first, at) = (page(first)?, moment(as_of));
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
        let item =
            |node: graph_store::Node| Item::new(OpaqueCursor(node.uid.clone()), Node { node, at });
        page.edges.extend(found.into_iter().map(item));
        Ok(page)
    }

    /// What has a text in its name, its other names, its uid or the value of a tag: first what is
    /// called so, then what begins with it, then the rest.
    #[graphql(complexity = "cost::READ + cost::page(first, child_complexity)")]
    async fn search(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "in any case")] text: String,
        #[graphql(desc = "only nodes of these kinds")] kinds: Option<Vec<String>>,
        #[graphql(default = 20, desc = "500 at most")] first: i32,
        #[graphql(desc = "as it was then")] as_of: Option<DateTime>,
    ) -> Result<SearchResult> {
        let (first, at) = (page(first)?, moment(as_of));
        let text = text.trim().to_owned();
        if text.is_empty() || text.chars().count() > LONGEST {
            return Err(Error::new(format!(
                "text must have 1 to {LONGEST} characters: say what to look for"
            )));
        }
        let search = graph_store::Search {
            text,
            kinds: kinds.unwrap_or_default(),
        };
        let found = store(context).search(&search, first, at).await;
        Ok(SearchResult::of(found.map_err(unanswered)?, at))
    }

    /// The kinds of nodes that there are, and how many of each.
    #[graphql(complexity = "cost::READ + 50 * child_complexity")]
    async fn resource_types(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "as it was then")] as_of: Option<DateTime>,
    ) -> Result<Vec<ResourceType>> {
        let counts = store(context).count_kinds(moment(as_of)).await;
        let counts = counts.map_err(unanswered)?.into_iter();
        Ok(counts.map(ResourceType::from).collect())
    }
}
