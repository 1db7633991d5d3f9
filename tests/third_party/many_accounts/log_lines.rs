//! The lines of the event log, over all its rotations.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// The number of lines of each event: the account and the id.
pub(super) type LogLines = BTreeMap<(String, String), u64>;

/// Reads every file of the folder of the event log.
pub(super) fn of_folder(folder: &Path) -> Result<LogLines, String> {
    let mut lines = LogLines::new();
    for file in fs::read_dir(folder).map_err(|error| error.to_string())? {
        let path = file.map_err(|error| error.to_string())?.path();
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        for line in text.lines() {
            let event: Value = serde_json::from_str(line)
                .map_err(|error| format!("{}: {error}: {line}", path.display()))?;
            let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
            *lines.entry((text("account"), text("id"))).or_default() += 1;
        }
    }
    Ok(lines)
}
