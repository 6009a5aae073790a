//! Writes the offices' own systems: each in its vendor's shape, with the mapping and source configuration that
//! an agent needs to read it.
mod csv_export;
mod field;
mod layout;
mod mapping;
mod mysql;
mod postgres;
mod schema;
mod server;
mod source;
mod sqlite;
mod terms;
mod workbook;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::city::City;
use crate::office::Vendor;

/// Database servers that offices' systems may live on. Without them the same shapes are written to SQLite.
#[derive(Clone, Debug, Default)]
pub struct Stores {
    /// URL of any database of a private PostgreSQL where databases may be made: for all offices of shape A.
    pub postgres: Option<String>,
    /// The same of a MySQL or MariaDB: for every other office of shape B, the first included.
    pub mysql: Option<String>,
}

/// What went wrong while writing.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("a file could not be written: {0}")]
    File(#[from] std::io::Error),
    #[error("the SQLite file could not be written: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the PostgreSQL database could not be written: {0}")]
    Postgres(#[from] sqlx::Error),
    #[error("the MySQL database could not be written: {0}")]
    MySql(#[from] mysql_async::Error),
    #[error("the MySQL URL is not one: {0}")]
    MySqlUrl(#[from] mysql_async::UrlError),
    #[error("the CSV export could not be written: {0}")]
    Csv(#[from] csv::Error),
    #[error("the workbook could not be written: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    #[error("the truth could not be written: {0}")]
    Truth(#[from] serde_json::Error),
    #[error("writing was cut short: {0}")]
    CutShort(#[from] tokio::task::JoinError),
}

/// Told how many more cases of which office (by index) are written.
pub type Progress = Arc<dyn Fn(usize, u64) + Send + Sync>;

/// Where an office's system lives.
#[derive(Clone, Debug)]
enum System {
    Postgres { server: String, database: String },
    MySql { server: String, database: String },
    Sqlite(PathBuf),
    CsvFolder(PathBuf),
    Workbook(PathBuf),
}

impl Vendor {
    /// Parties and subjects have tables of their own.
    fn is_linked(self) -> bool {
        matches!(self, Vendor::Normalised | Vendor::Workbook)
    }
}

impl City {
    /// Writes every office's system, mapping and source configuration under `dir`, and `truth.json`:
    ///
    /// ```text
    /// dir/truth.json
    /// dir/<office_id>/mapping.toml    the agent's mapping file
    /// dir/<office_id>/source.toml     the [[source]] part of its configuration; paths in it are absolute
    /// dir/<office_id>/cases.db | export/*.csv | export/cases.xlsx
    /// ```
    ///
    /// What was there before is replaced. A database on a server is named `city_<office_id>`.
    ///
    /// # Errors
    /// [`WriteError`], naming the kind of store; the other offices may be written or not.
    pub async fn write(&self, dir: &Path, stores: &Stores) -> Result<(), WriteError> {
        self.write_with_progress(dir, stores, Arc::new(|_, _| {}))
            .await
    }

    /// [`City::write`], telling `progress` on the way.
    ///
    /// # Errors
    /// As [`City::write`].
    pub async fn write_with_progress(
        &self,
        dir: &Path,
        stores: &Stores,
        progress: Progress,
    ) -> Result<(), WriteError> {
        fs::create_dir_all(dir)?;
        let dir = dir.canonicalize()?;
        let mut offices = JoinSet::new();
        for index in 0..self.offices().len() {
            let home = dir.join(self.offices()[index].id.as_str());
            fs::create_dir_all(&home)?;
            let system = self.system(index, &home, stores);
            let (city, progress) = (self.clone(), Arc::clone(&progress));
            offices.spawn(async move { city.write_office(index, &home, system, progress).await });
        }
        let city = self.clone();
        let truth = tokio::task::spawn_blocking(move || city.truth());
        while let Some(written) = offices.join_next().await {
            written??;
        }
        self.write_truth(&dir, &truth.await?)
    }

    /// Brings systems written at the step before to this city's step, as people and software at the offices
    /// would: rows change in place, export files are replaced. Writes `truth.json` anew. Returns the number of
    /// changed cases.
    ///
    /// # Errors
    /// As [`City::write`].
    pub async fn apply(&self, dir: &Path, stores: &Stores) -> Result<u64, WriteError> {
        let dir = dir.canonicalize()?;
        let mut changed = 0;
        for index in 0..self.offices().len() {
            let home = dir.join(self.offices()[index].id.as_str());
            changed += self
                .apply_office(index, self.system(index, &home, stores))
                .await?;
        }
        self.write_truth(&dir, &self.truth())?;
        Ok(changed)
    }

    fn write_truth(&self, dir: &Path, truth: &crate::Truth) -> Result<(), WriteError> {
        replace_file(&dir.join("truth.json"), &serde_json::to_vec_pretty(truth)?)
    }

    fn system(&self, index: usize, home: &Path, stores: &Stores) -> System {
        let office = &self.offices()[index];
        let database = || format!("city_{}", office.id);
        let nth_flat = self.offices()[..index]
            .iter()
            .filter(|o| o.vendor == Vendor::Flat)
            .count();
        match (office.vendor, &stores.postgres, &stores.mysql) {
            (Vendor::Normalised, Some(server), _) => System::Postgres {
                server: server.clone(),
                database: database(),
            },
            (Vendor::Flat, _, Some(server)) if nth_flat.is_multiple_of(2) => System::MySql {
                server: server.clone(),
                database: database(),
            },
            (Vendor::Normalised | Vendor::Flat, _, _) => System::Sqlite(home.join("cases.db")),
            (Vendor::CsvExport, _, _) => System::CsvFolder(home.join("export")),
            (Vendor::Workbook, _, _) => System::Workbook(home.join("export/cases.xlsx")),
        }
    }

    async fn write_office(
        self,
        index: usize,
        home: &Path,
        system: System,
        progress: Progress,
    ) -> Result<(), WriteError> {
        let vendor = self.offices()[index].vendor;
        fs::write(home.join("mapping.toml"), mapping::mapping(vendor))?;
        let source = match system {
            System::Postgres { server, database } => {
                let url = postgres::create(&server, &database).await?;
                postgres::write(&self, index, &url, &|cases| progress(index, cases)).await?;
                source::sql(vendor, &url)
            }
            System::MySql { server, database } => {
                let url = mysql::create(&server, &database).await?;
                mysql::write(&self, index, &url, &|cases| progress(index, cases)).await?;
                source::sql(vendor, &url)
            }
            System::Sqlite(file) => {
                let source = source::sql(vendor, &source::sqlite_url(&file));
                blocking(move || {
                    sqlite::write(&self, index, &file, &|cases| progress(index, cases))
                })
                .await?;
                source
            }
            System::CsvFolder(folder) => {
                let source = source::folder(vendor, &folder);
                blocking(move || {
                    csv_export::write(&self, index, &folder, &|cases| progress(index, cases))
                })
                .await?;
                source
            }
            System::Workbook(file) => {
                let folder = file
                    .parent()
                    .expect("the workbook lies in the export folder");
                fs::create_dir_all(folder)?;
                let source = source::folder(vendor, folder);
                blocking(move || {
                    workbook::write(&self, index, &file, &|cases| progress(index, cases))
                })
                .await?;
                source
            }
        };
        fs::write(home.join("source.toml"), source)?;
        Ok(())
    }

    async fn apply_office(&self, index: usize, system: System) -> Result<u64, WriteError> {
        let city = self.clone();
        match system {
            System::Postgres { server, database } => {
                postgres::apply(self, index, &server::with_database(&server, &database)).await
            }
            System::MySql { server, database } => {
                mysql::apply(self, index, &server::with_database(&server, &database)).await
            }
            System::Sqlite(file) => blocking(move || sqlite::apply(&city, index, &file)).await,
            System::CsvFolder(folder) => {
                blocking(move || csv_export::apply(&city, index, &folder)).await
            }
            System::Workbook(file) => {
                let changed = self.changes(index).count() as u64;
                blocking(move || workbook::write(&city, index, &file, &|_| {})).await?;
                Ok(changed)
            }
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, WriteError> + Send + 'static,
) -> Result<T, WriteError> {
    tokio::task::spawn_blocking(work).await?
}

/// Nobody sees half a file: it is written beside its place under a name that no source takes.
fn replace_file(file: &Path, content: &[u8]) -> Result<(), WriteError> {
    let beside = file.with_extension("writing");
    fs::write(&beside, content)?;
    fs::rename(&beside, file)?;
    Ok(())
}
