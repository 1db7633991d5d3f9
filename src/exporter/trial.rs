//! Tries the places that an exporter would use, without keeping them.

use std::path::Path;

use exporter_web::try_binding;

use crate::{
    config::{Places, Problems},
    store::{StoreError, try_appending, try_state},
};

/// Tries the state, the event log and the addresses to listen on, and keeps none of them.
/// Returns what could not be tried.
///
/// # Errors
/// The [`Problems`] that an exporter would meet.
pub(crate) async fn try_places(places: &Places) -> Result<Vec<String>, Problems> {
    let mut problems = Vec::new();
    let mut doubts = Vec::new();
    let mut is_running = false;
    match try_state(&places.storage_path) {
        Ok(()) => {}
        Err(StoreError::AlreadyOpen { path, pid }) => {
            let path = path.display();
            let process = StoreError::process(pid);
            doubts.push(format!(
                "an exporter{process} uses {path}, so that neither the state nor an address that is in use could be tried"
            ));
            is_running = true;
        }
        Err(error) => problems.push(format!("--storage.path: {error}")),
    }
    if let Some(problem) = places.event_log.as_deref().and_then(event_log_problem) {
        problems.push(problem);
    }
    if let Err(errors) = try_binding(&places.listen).await {
        let errors = errors.0.into_iter();
        let of_others = errors.filter(|error| !(is_running && error.is_in_use()));
        for error in of_others {
            if error.is_held_by_systemd() {
                let address = error.address();
                doubts.push(format!(
                    "systemd listens on {address}, as a socket unit has it, so that the address could not be tried"
                ));
            } else {
                problems.push(error.to_string());
            }
        }
    }
    if problems.is_empty() {
        Ok(doubts)
    } else {
        Err(Problems::new(problems))
    }
}

fn event_log_problem(path: &Path) -> Option<String> {
    let error = try_appending(path).err()?;
    let path = path.display();
    Some(format!(
        "--events.log {path} cannot be written: {error}; the folder must exist, and let the user that the exporter runs as write there"
    ))
}
