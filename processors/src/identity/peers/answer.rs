//! Who the other side of a span is.

use std::borrow::Cow;

use super::super::names::{Led, Names};
use super::super::private::is_private;
use super::named::Named;
use super::reason::Reason;
use super::target::Target;

/// The other side of a span, as of a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer<'v> {
    /// The machine itself, or nobody that is named.
    Nobody,
    Found(Cow<'v, str>),
    Unresolved(Reason),
}

/// By its host, else by the address that answered: a host's name may mean nothing elsewhere.
/// `instance` is the one that the span comes from.
pub(super) fn of<'v>(
    named: &Named<'_>,
    instance: Option<&str>,
    names: &mut Names<'v>,
) -> Answer<'v> {
    let networks = instance.map_or_else(Vec::new, |uid| names.networks_of(uid));
    let mut answer = Answer::Nobody;
    for text in [named.host, named.address].into_iter().flatten() {
        match (of_target(&Target::of(text), &networks, names), &answer) {
            // A host that is the machine itself is no other, whatever address it has.
            (Answer::Nobody, Answer::Nobody) => return Answer::Nobody,
            (found @ Answer::Found(_), _) => return found,
            (unresolved, Answer::Nobody) => answer = unresolved,
            _ => {}
        }
    }
    answer
}

fn of_target<'v>(target: &Target<'_>, networks: &[&str], names: &mut Names<'v>) -> Answer<'v> {
    let (led, otherwise) = match target {
        Target::Local => return Answer::Nobody,
        Target::Address(ip) => {
            let is_unplaced = is_private(*ip) && networks.is_empty();
            (
                names.address(*ip, networks),
                match is_unplaced {
                    true => Reason::NoNetwork,
                    false => Reason::UnknownAddress,
                },
            )
        }
        Target::Host(host) => {
            let is_unplaced = networks.is_empty() && names.has_owner(host);
            (
                names.host(host, networks),
                match is_unplaced {
                    true => Reason::NoNetwork,
                    false => Reason::UnknownName,
                },
            )
        }
    };
    match led {
        Led::To(uid) => Answer::Found(uid.into()),
        Led::Astray => Answer::Unresolved(Reason::Ambiguous),
        Led::Nowhere => Answer::Unresolved(otherwise),
    }
}
