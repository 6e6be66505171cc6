//! One of several forms of the same results, by what the destination accepts.

use std::path::Path;

use domain::TransferSyntaxUid;

use crate::contexts::Contexts;
use crate::file::DataSetFile;
use crate::requestor::Requestor;
use crate::store::send_data_set;
use crate::{Outcome, Outgoing, Route, ScuError, Timeouts};

/// An instance with the transfer syntaxes that it can leave in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// What it is, and the file that holds it.
    pub stored: Outgoing,
    /// Transfer syntaxes, best first.
    pub transfer_syntaxes: Vec<TransferSyntaxUid>,
}

/// Makes the data set of a file in another transfer syntax; the reason when it cannot.
pub type Recode<'a> =
    dyn Fn(&Path, &TransferSyntaxUid) -> Result<Vec<u8>, String> + Send + Sync + 'a;

/// What became of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Which of the choices went, from 0.
    pub choice: usize,
    /// The transfer syntax of each of its instances that was accepted in one.
    pub transfer_syntaxes: Vec<Option<TransferSyntaxUid>>,
    /// What the destination said to each of its instances.
    pub outcomes: Vec<Outcome>,
}

/// Sends the first of several choices of which the destination accepts every instance in one of its transfer syntaxes, over
/// one Association; the last choice, as far as it is accepted, when it accepts none whole.
///
/// What is stored in another transfer syntax than the accepted one goes through `recode`.
///
/// # Errors
/// [`ScuError`] when the connection or the Association fails, or a file cannot be read or recoded.
pub async fn store_choice<'a>(
    to: impl Into<Route<'a>>,
    choices: &[Vec<Offered>],
    recode: &Recode<'_>,
    timeouts: &Timeouts,
) -> Result<Chosen, ScuError> {
    let contexts = contexts(choices);
    let mut requestor = Requestor::open(to.into(), contexts.proposed(), timeouts).await?;
    let accepted = |offered: &Offered| accepted(offered, &contexts, &requestor);
    let whole = |choice: &&Vec<Offered>| choice.iter().all(|offered| accepted(offered).is_some());
    let choice = choices.iter().position(|choice| whole(&choice));
    let choice = choice.unwrap_or_else(|| choices.len().saturating_sub(1));
    let set = choices.get(choice).map(Vec::as_slice).unwrap_or_default();
    let places: Vec<_> = set.iter().map(accepted).collect();
    let mut outcomes = Vec::with_capacity(set.len());
    for (offered, place) in set.iter().zip(&places) {
        match send(&mut requestor, offered, place.as_ref(), recode).await {
            Ok(outcome) => outcomes.push(outcome),
            Err(error) => {
                requestor.abort(&error).await;
                return Err(error);
            }
        }
    }
    requestor.release().await;
    let transfer_syntaxes = places.into_iter().map(|place| Some(place?.1)).collect();
    Ok(Chosen { choice, transfer_syntaxes, outcomes })
}

/// A presentation context for each SOP class and transfer syntax of all choices, as far as there is room: what is best comes
/// first.
fn contexts(choices: &[Vec<Offered>]) -> Contexts {
    let mut contexts = Contexts::default();
    for offered in choices.iter().flatten() {
        for syntax in &offered.transfer_syntaxes {
            contexts.add_syntax(&offered.stored.identity, syntax);
        }
    }
    contexts
}

/// The best transfer syntax that was accepted, and its Presentation Context ID.
fn accepted(
    offered: &Offered,
    contexts: &Contexts,
    requestor: &Requestor,
) -> Option<(u8, TransferSyntaxUid)> {
    offered.transfer_syntaxes.iter().find_map(|syntax| {
        let id = contexts.id_in(&offered.stored.identity, syntax)?;
        requestor.accepts(id).then(|| (id, syntax.clone()))
    })
}

async fn send(
    requestor: &mut Requestor,
    offered: &Offered,
    place: Option<&(u8, TransferSyntaxUid)>,
    recode: &Recode<'_>,
) -> Result<Outcome, ScuError> {
    let Some((context_id, syntax)) = place else { return Ok(Outcome::NotAccepted) };
    let Outgoing { identity, path } = &offered.stored;
    let data_set = if *syntax == identity.transfer_syntax {
        DataSetFile::open(&offered.stored)?
    } else {
        let recoded = recode(path, syntax);
        let unusable = |reason| ScuError::File { path: path.clone(), reason };
        DataSetFile::of_bytes(path, recoded.map_err(unusable)?)
    };
    send_data_set(requestor, identity, *context_id, data_set).await
}
