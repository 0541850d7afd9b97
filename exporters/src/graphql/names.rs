//! From what people call a node to the node.

use async_graphql::{Context, Error, Result};
use pipeline::graph_store::At;

use super::store::{store, unanswered};
use super::time::DateTime;

pub(super) fn moment(at: Option<DateTime>) -> At {
    at.map_or(At::Now, |DateTime(time)| At::Time(time))
}

/// The one uid that a uid or alias leads to; none where nothing is known of it.
pub(super) async fn find(context: &Context<'_>, name: &str, at: At) -> Result<Option<String>> {
    let names = [name.to_owned()];
    let found = store(context)
        .resolve(&names, at)
        .await
        .map_err(unanswered)?;
    let mut uids = found.into_iter().next().unwrap_or_default();
    match uids.len() {
        0 => Ok(None),
        1 => Ok(uids.pop()),
        several => {
            let listed: Vec<&str> = uids.iter().take(5).map(String::as_str).collect();
            let listed = listed.join(", ");
            Err(Error::new(format!(
                "{several} nodes are called {name}: ask for one of {listed}"
            )))
        }
    }
}

/// The same, where it is an error that nothing is known.
pub(super) async fn must_find(context: &Context<'_>, name: &str, at: At) -> Result<String> {
    let found = find(context, name, at).await?;
    found.ok_or_else(|| Error::new(format!("nothing is known of {name}")))
}
