//! The SQL schemas of the vendors that keep a database. The text is built from the column tables, so every
//! identifier in it is one of ours.
use super::field::{CaseField, PARTY_FIELDS, PartyField};
use super::layout::{Child, case_fields, wide_columns};
use crate::office::Vendor;

/// Server or file that holds the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Postgres,
    Sqlite,
    MySql,
}

/// A table to be made and filled.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: Vec<Column>,
    /// Columns of its primary key.
    pub(super) key: Vec<&'static str>,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    kind: Kind,
}

/// Types as vendors choose them: the wide shape keeps everything as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Key,
    Text,
    Date,
    Money,
    Integer,
    Moment,
}

impl Kind {
    fn sql(self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Kind::Key, Dialect::MySql) => "VARCHAR(64) COLLATE utf8mb4_bin",
            (Kind::Moment, Dialect::MySql) => "DATETIME",
            (Kind::Integer, Dialect::MySql | Dialect::Postgres | Dialect::Sqlite) => "INTEGER",
            (Kind::Date, Dialect::Postgres) => "DATE",
            (Kind::Money, Dialect::Postgres) => "NUMERIC(14,2)",
            (Kind::Moment, Dialect::Postgres) => "TIMESTAMP",
            _ => "TEXT",
        }
    }
}

/// The case's table first, then its children.
pub(super) fn tables(vendor: Vendor) -> Vec<Table> {
    if vendor == Vendor::Flat {
        return vec![flat_table()];
    }
    let columns = case_fields(vendor)
        .map(|(field, column)| Column {
            name: column.to_owned(),
            kind: case_kind(field),
        })
        .collect();
    let mut tables = vec![Table {
        name: "notary_case",
        columns,
        key: vec!["case_id"],
    }];
    tables.extend(Child::ALL.map(|child| {
        let [case, order] = child.key_columns(vendor);
        let columns = child.columns(vendor).into_iter().map(|column| {
            let kind = match column {
                _ if column == case => Kind::Key,
                _ if column == order => Kind::Integer,
                _ if child == Child::Party && column == birth_column(vendor) => Kind::Date,
                _ => Kind::Text,
            };
            Column {
                name: column.to_owned(),
                kind,
            }
        });
        Table {
            name: child.table(vendor),
            columns: columns.collect(),
            key: vec![case, order],
        }
    }));
    tables
}

fn flat_table() -> Table {
    let columns = wide_columns(Vendor::Flat).into_iter().map(|name| {
        let kind = match name.as_str() {
            "AJBH" => Kind::Key,
            "GXSJ" => Kind::Moment,
            _ => Kind::Text,
        };
        Column { name, kind }
    });
    Table {
        name: "GZ_AJ",
        columns: columns.collect(),
        key: vec!["AJBH"],
    }
}

fn case_kind(field: CaseField) -> Kind {
    use CaseField::*;
    match field {
        SourceCaseId => Kind::Key,
        AppliedOn | AcceptedOn | IssuedOn | ClosedOn | ApprovedOn | ExcusedFirst | ExcusedLast => {
            Kind::Date
        }
        FeeCharged | FeeReduced | Amount => Kind::Money,
        Certificates | Revision => Kind::Integer,
        ModifiedAt => Kind::Moment,
        _ => Kind::Text,
    }
}

fn birth_column(vendor: Vendor) -> &'static str {
    let (_, names) = PARTY_FIELDS
        .iter()
        .find(|(field, _)| *field == PartyField::BirthOn)
        .expect("the table has every field");
    names[vendor.column()]
}

impl Table {
    pub(super) fn create(&self, dialect: Dialect) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("{} {}", column.name, column.kind.sql(dialect)))
            .collect();
        let primary = self.key.join(", ");
        format!(
            "CREATE TABLE {} ({}, PRIMARY KEY ({primary}))",
            self.name,
            columns.join(", ")
        )
    }

    /// The index that a watermark query needs, for the table that has a time of change.
    pub(super) fn create_index(&self) -> Option<String> {
        let moment = self
            .columns
            .iter()
            .find(|column| column.kind == Kind::Moment)?;
        Some(format!(
            "CREATE INDEX by_change ON {} ({}, {})",
            self.name, moment.name, self.key[0]
        ))
    }

    /// `INSERT` of `rows` rows with positional parameters.
    pub(super) fn insert(&self, rows: usize) -> String {
        let names: Vec<&str> = self
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        let row = format!("({})", vec!["?"; names.len()].join(","));
        format!(
            "INSERT INTO {} ({}) VALUES {}",
            self.name,
            names.join(","),
            vec![row; rows].join(",")
        )
    }

    /// Removes all rows of one case.
    pub(super) fn delete(&self) -> String {
        format!("DELETE FROM {} WHERE {} = ?", self.name, self.key[0])
    }
}
