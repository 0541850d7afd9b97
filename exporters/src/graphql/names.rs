//! From what people call a node to the node.

use async_graphql::{Context, Error, Result};
use pipeline::graph_store::{At, Direction};
use pipeline::schema::edges::kind;

use super::store::{store, unanswered};
use super::time::DateTime;

/// Edges that are looked at where a name means several things.
const EDGES: usize = 1000;

pub(super) fn moment(as_of: Option<DateTime>) -> At {
    as_of.map_or(At::Now, |DateTime(time)| At::Time(time))
}

/// The uids that each of these names leads to. `aws:ec2:i-123` leads where `i-123` does, unless
/// something is called so.
pub(super) async fn resolve(
    context: &Context<'_>,
    names: &[String],
    at: At,
) -> Result<Vec<Vec<String>>> {
    let found = store(context).resolve(names, at).await;
    let mut found = found.map_err(unanswered)?;
    let short = |place: usize| {
        let rest = names[place].strip_prefix("aws:")?;
        Some((place, rest.rsplit(':').next()?.to_owned()))
    };
    let unknown = (0..names.len()).filter(|place| found[*place].is_empty());
    let (places, short): (Vec<usize>, Vec<String>) = unknown.filter_map(short).unzip();
    if !short.is_empty() {
        let again = store(context).resolve(&short, at).await;
        for (place, uids) in places.into_iter().zip(again.map_err(unanswered)?) {
            found[place] = uids;
        }
    }
    Ok(found)
}

/// The one uid that a uid or alias leads to; none where nothing is known of it.
pub(super) async fn find(context: &Context<'_>, name: &str, at: At) -> Result<Option<String>> {
    let names = [name.to_owned()];
    let found = resolve(context, &names, at).await?;
    let mut uids = found.into_iter().next().unwrap_or_default();
    match uids.len() {
        0 => Ok(None),
        1 => Ok(uids.pop()),
        several => {
            if let Some(whole) = whole(context, &uids, at).await? {
                return Ok(Some(whole));
            }
            let listed: Vec<&str> = uids.iter().take(5).map(String::as_str).collect();
            let listed = listed.join(", ");
            Err(Error::new(format!(
                "{several} nodes are called {name}: ask for one of {listed}"
            )))
        }
    }
}

/// Of several things the one that all others are attached to, as the interface that has an address is to
/// its instance.
async fn whole(context: &Context<'_>, uids: &[String], at: At) -> Result<Option<String>> {
    let kinds = [kind::ATTACHED_TO.to_owned()];
    let edges = store(context).edges(uids, Direction::Out, &kinds, EDGES, at);
    let edges = edges.await.map_err(unanswered)?;
    let is_attached = |from: &String, to: &String| {
        let mut edges = edges.iter();
        from == to || edges.any(|edge| edge.from == *from && edge.to == *to)
    };
    let is_whole = |to: &&String| uids.iter().all(|from| is_attached(from, to));
    Ok(uids.iter().find(is_whole).cloned())
}

/// The same, where it is an error that nothing is known.
pub(super) async fn must_find(context: &Context<'_>, name: &str, at: At) -> Result<String> {
    let found = find(context, name, at).await?;
    found.ok_or_else(|| {
        let (then, now) = match at {
            At::Now => ("", ""),
            At::Time(_) => (" at that time", ", or ask without asOf"),
        };
        Error::new(format!(
            "nothing is known of {name}{then}: find it with search(text: …){now}"
        ))
    })
}
