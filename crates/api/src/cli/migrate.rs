//! `migrate`: creates or migrates the databases and says which schema each has.

use super::{
    CliError,
    access::Place,
    output::{Output, table},
};
use crate::{Platform, StartError, data_dir::DataDirError};

pub(super) async fn run(place: &Place, output: &Output) -> Result<(), CliError> {
    let migrated = Platform::migrate(place.settings()?).await.map_err(|error| match error {
        StartError::DataDir(DataDirError::InUse { path, holder: Some(holder) }) => {
            CliError::Held { path, holder, why: "it migrated the databases when it started" }
        }
        other => other.into(),
    })?;
    output.value(&migrated, |migrated| {
        table(
            ["database", "where", "schema before", "schema now"],
            migrated.iter().map(|database| {
                let before = database.before.map_or("none".to_owned(), |schema| schema.to_string());
                [database.name.clone(), database.place.clone(), before, database.schema.to_string()]
            }),
        )
    })
}
