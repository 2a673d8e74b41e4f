//! `anthill schema`: every key a scenario may hold, with its unit and default, as a JSON schema.

use super::talk;
use crate::error::Error;
use crate::scenario::ScenarioFile;

pub(super) fn schema() -> Result<u8, Error> {
    talk::out(&format!("{:#}\n", schemars::schema_for!(ScenarioFile).to_value()))?;
    Ok(0)
}
