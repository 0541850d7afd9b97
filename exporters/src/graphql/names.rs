//! From what people call a node to the node.

use async_graphql::{Context, Error, Result};
use pipeline::graph_store::{At, Direction};
use pipeline::schema::edges::kind;

use super::store::{store, unanswered};
use super::time::DateTime;

/// Edges that are looked at where a name means several things.
const EDGES: usize = 1000;

const INSTANCE: &str = "AWS::EC2::Instance";

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
            if let Some(instance) = instance(context, &uids, at).await? {
                return Ok(Some(instance));
            }
            let listed: Vec<&str> = uids.iter().take(5).map(String::as_str).collect();
            let listed = listed.join(", ");
            Err(Error::new(format!(
                "{several} nodes are called {name}: ask for one of {listed}"
            )))
        }
    }
}

/// Of several things the instance that all others are attached to, as the interface that has an address
/// is. (Other edges of the kind do not lead from a part to the whole.)
async fn instance(context: &Context<'_>, uids: &[String], at: At) -> Result<Option<String>> {
    let kinds = store(context)
        .kinds_of(uids, at)
        .await
        .map_err(unanswered)?;
    let mut instances = uids.iter().zip(kinds).filter(|(_, kind)| kind == INSTANCE);
    let (Some((instance, _)), None) = (instances.next(), instances.next()) else {
        return Ok(None);
    };
    let kinds = [kind::ATTACHED_TO.to_owned()];
    let edges = store(context).edges(uids, Direction::Out, &kinds, EDGES, at);
    let edges = edges.await.map_err(unanswered)?;
    let is_attached = |from: &String| {
        let mut edges = edges.iter();
        from == instance || edges.any(|edge| edge.from == *from && edge.to == *instance)
    };
    Ok(uids.iter().all(is_attached).then(|| instance.clone()))
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

/// The same for who asks what it is connected with. Of what a name meant and has ended that is nothing,
/// which is not to be taken for an answer: by its uid alone it is asked for all the same.
pub(super) async fn must_live(context: &Context<'_>, name: &str, at: At) -> Result<String> {
    let uid = must_find(context, name, at).await?;
    match uid == name {
        true => Ok(uid),
        false => refuse_ended(context, name, &uid, at).await.map(|()| uid),
    }
}

/// An error where what a name means has ended.
pub(super) async fn refuse_ended(
    context: &Context<'_>,
    name: &str,
    uid: &str,
    at: At,
) -> Result<()> {
    let uids = [uid.to_owned()];
    let nodes = store(context).nodes(&uids, at).await.map_err(unanswered)?;
    match nodes.into_iter().flatten().find_map(|node| node.ended) {
        None => Ok(()),
        Some(ended) => Err(Error::new(format!(
            "{name} was {uid}, which ended at {}: ask for its timeline, or with asOf before that",
            DateTime(ended)
        ))),
    }
}
