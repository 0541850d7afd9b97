//! Resolves uids and aliases to nodes.

use async_graphql::{Context, Error, Result};
use pipeline::graph_store::{AsOf, Directions};
use pipeline::schema::edges::kind;

use super::store::{store, store_error};
use super::time::DateTime;

/// The maximum number of edges that are read to resolve an ambiguous name.
const MAX_EDGES: usize = 1000;

const INSTANCE: &str = "AWS::EC2::Instance";

/// The time of reads for the argument `asOf`.
pub(super) fn read_time(as_of: Option<DateTime>) -> AsOf {
    as_of.map_or(AsOf::Now, |DateTime(time)| AsOf::Time(time))
}

/// Returns the uids that each name resolves to. A name such as `aws:ec2:i-123` that is not an alias itself
/// resolves as `i-123`.
pub(super) async fn resolve(
    context: &Context<'_>,
    names: &[String],
    at: AsOf,
) -> Result<Vec<Vec<String>>> {
    let resolved = store(context).resolve(names, at).await;
    let mut resolved = resolved.map_err(store_error)?;
    let short_id = |index: usize| {
        let rest = names[index].strip_prefix("aws:")?;
        Some((index, rest.rsplit(':').next()?.to_owned()))
    };
    let unknown = (0..names.len()).filter(|index| resolved[*index].is_empty());
    let (indexes, short_ids): (Vec<usize>, Vec<String>) = unknown.filter_map(short_id).unzip();
    if !short_ids.is_empty() {
        let by_short_id = store(context).resolve(&short_ids, at).await;
        for (index, uids) in indexes.into_iter().zip(by_short_id.map_err(store_error)?) {
            resolved[index] = uids;
        }
    }
    Ok(resolved)
}

/// Resolves a uid or alias to one uid; `None` if no node has it.
///
/// # Errors
/// If the name is ambiguous or the store fails.
pub(super) async fn find(context: &Context<'_>, name: &str, at: AsOf) -> Result<Option<String>> {
    let names = [name.to_owned()];
    let resolved = resolve(context, &names, at).await?;
    let mut uids = resolved.into_iter().next().unwrap_or_default();
    match uids.len() {
        0 => Ok(None),
        1 => Ok(uids.pop()),
        count => {
            if let Some(instance) = instance(context, &uids, at).await? {
                return Ok(Some(instance));
            }
            let candidates: Vec<&str> = uids.iter().take(5).map(String::as_str).collect();
            let candidates = candidates.join(", ");
            Err(Error::new(format!(
                "the name {name} is ambiguous, {count} nodes have it: use a uid, such as {candidates}"
            )))
        }
    }
}

/// Returns the only instance among `uids` if all other nodes are attached to it. A private IP address, for example, is
/// an alias of a network interface and of its instance, and the name means the instance. (Between other kinds of nodes,
/// `ATTACHED_TO` does not lead from a part to the whole.)
async fn instance(context: &Context<'_>, uids: &[String], at: AsOf) -> Result<Option<String>> {
    let kinds = store(context)
        .kinds_of(uids, at)
        .await
        .map_err(store_error)?;
    let mut instances = uids.iter().zip(kinds).filter(|(_, kind)| kind == INSTANCE);
    let (Some((instance, _)), None) = (instances.next(), instances.next()) else {
        return Ok(None);
    };
    let kinds = [kind::ATTACHED_TO.to_owned()];
    let edges = store(context).edges(uids, Directions::Out, &kinds, MAX_EDGES, at);
    let edges = edges.await.map_err(store_error)?;
    let is_attached = |from: &String| {
        let mut edges = edges.iter();
        from == instance || edges.any(|edge| edge.from == *from && edge.to == *instance)
    };
    Ok(uids.iter().all(is_attached).then(|| instance.clone()))
}

/// As [`find`], but an unknown name is an error.
pub(super) async fn find_required(context: &Context<'_>, name: &str, at: AsOf) -> Result<String> {
    let uid = find(context, name, at).await?;
    uid.ok_or_else(|| {
        let (time, or_current) = match at {
            AsOf::Now => ("", ""),
            AsOf::Time(_) => (" at that time", ", or query without asOf"),
        };
        Error::new(format!(
            "node {name} not found{time}: look it up with search(text: …){or_current}"
        ))
    })
}

/// As [`find_required`], for a walk over edges. An ended node has no edges, and an empty result would mislead. So an
/// alias of an ended node is an error; its uid is accepted.
pub(super) async fn find_existing(context: &Context<'_>, name: &str, at: AsOf) -> Result<String> {
    let uid = find_required(context, name, at).await?;
    match uid == name {
        true => Ok(uid),
        false => reject_ended(context, name, &uid, at).await.map(|()| uid),
    }
}

/// Checks that `uid`, to which `name` resolves, has not ended.
///
/// # Errors
/// If the node has ended, or the store fails.
pub(super) async fn reject_ended(
    context: &Context<'_>,
    name: &str,
    uid: &str,
    at: AsOf,
) -> Result<()> {
    let uids = [uid.to_owned()];
    let nodes = store(context).nodes(&uids, at).await.map_err(store_error)?;
    match nodes.into_iter().flatten().find_map(|node| node.ended) {
        None => Ok(()),
        Some(ended) => Err(Error::new(format!(
            "{name} was an alias of {uid}, which ended at {}: query its timeline, or set asOf to an earlier time",
            DateTime(ended)
        ))),
    }
}
