//! DuckDB beside PostgreSQL: a process that holds the same cases and answers when asked.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use futures_util::TryStreamExt;
use serde::Deserialize;
use sqlx::PgPool;
use sqlx::postgres::PgPoolCopyExt;
use tempfile::TempDir;
use time::Date;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::Cells;

/// Where DuckDB is to be found.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// A Python that has the packages of `tests/linkage-quality/versus/requirements.txt`.
    pub(crate) python: PathBuf,
    pub(crate) script: PathBuf,
}

#[derive(Debug)]
pub(super) struct DuckDb {
    _process: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _folder: TempDir,
}

#[derive(Deserialize)]
struct Answer {
    seconds: f64,
    cells: Vec<(String, String, i64)>,
}

impl DuckDb {
    /// Hands it all cases of a database; it takes the question about one month.
    pub(super) async fn start(setup: &Setup, pool: &PgPool, month: Date) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("cases.csv");
        export(pool, &file).await?;
        let mut process = Command::new(&setup.python)
            .arg(&setup.script)
            .arg(&file)
            .arg(month.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("run {}", setup.python.display()))?;
        let questions = process.stdin.take().context("its standard input")?;
        let answers = process.stdout.take().context("its standard output")?;
        Ok(Self {
            _process: process,
            questions,
            answers: BufReader::new(answers).lines(),
            _folder: folder,
        })
    }

    /// Asks once; the time by DuckDB's own clock, so that pipe and JSON cost it nothing.
    pub(super) async fn ask(&mut self) -> anyhow::Result<(Duration, Cells)> {
        self.questions.write_all(b"\n").await?;
        let line = self.answers.next_line().await?;
        let answer: Answer =
            serde_json::from_str(&line.context("DuckDB ended; it says above why")?)?;
        let cells = answer.cells.into_iter();
        let cells = cells.map(|(office, matter, cases)| ((office, matter), cases));
        Ok((Duration::from_secs_f64(answer.seconds), cells.collect()))
    }
}

async fn export(pool: &PgPool, file: &Path) -> anyhow::Result<()> {
    let mut rows = pool
        .copy_out_raw(
            "COPY (SELECT office_id, matter_type, state, accepted_on FROM case_record) TO STDOUT (FORMAT CSV)",
        )
        .await?;
    let mut file = tokio::fs::File::create(file).await?;
    while let Some(piece) = rows.try_next().await? {
        file.write_all(&piece).await?;
    }
    Ok(file.flush().await?)
}
