//! A seal on every row: SQLite notices a broken structure, but not a flipped bit in a value. Triggers seal what is
//! written, whatever statement wrote it.

use rusqlite::functions::FunctionFlags;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row};
use sha2::{Digest, Sha256};

/// A table with its columns; those of its key come first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    key: usize,
    columns: &'static [&'static str],
    pub(super) salvage: Salvage,
}

/// What mending a damaged outbox keeps of a table's whole rows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Salvage {
    /// The epoch's successor.
    State,
    /// All of them, closed up.
    Entries,
    /// Nothing: it speaks of positions that end here.
    Nothing,
    /// Without its cursor.
    Source,
    /// At its record's new position, when that is there or the hub has it.
    KnownCase,
    /// The hub's, of cases; the others are found again.
    Reject,
    /// As it is.
    Whole,
}

pub(super) const STATE: Table = Table {
    name: "state",
    key: 1,
    columns: &[
        "one",
        "epoch",
        "hub_epoch",
        "base",
        "last_position",
        "acked",
        "offered",
        "only_at_hub",
    ],
    salvage: Salvage::State,
};
pub(super) const ENTRY: Table = Table {
    name: "entry",
    key: 1,
    columns: &["position", "record"],
    salvage: Salvage::Entries,
};
pub(super) const ACK: Table = Table {
    name: "ack",
    key: 1,
    columns: &["hour", "position"],
    salvage: Salvage::Nothing,
};
pub(super) const SOURCE: Table = Table {
    name: "source",
    key: 1,
    columns: &["name", "cursor", "written_at", "stored", "read_again"],
    salvage: Salvage::Source,
};
pub(super) const KNOWN_CASE: Table = Table {
    name: "known_case",
    key: 1,
    columns: &[
        "source_case_id",
        "content_hash",
        "revision",
        "refused_at",
        "position",
        "month",
    ],
    salvage: Salvage::KnownCase,
};
pub(super) const LIFT: Table = Table {
    name: "lift",
    key: 1,
    columns: &["source_case_id", "raised"],
    salvage: Salvage::Whole,
};
pub(super) const NEXT_KEY: Table = Table {
    name: "next_key",
    key: 1,
    columns: &["one", "key_id"],
    salvage: Salvage::Whole,
};
pub(super) const NEXT_TOKENS: Table = Table {
    name: "next_tokens",
    key: 1,
    columns: &["source_case_id", "key_id", "content_hash"],
    salvage: Salvage::Whole,
};
pub(super) const TOKEN_KEY: Table = Table {
    name: "token_key",
    key: 1,
    columns: &["one", "key_id"],
    salvage: Salvage::Whole,
};
pub(super) const READING: Table = Table {
    name: "reading",
    key: 1,
    columns: &["source", "made_from", "begun_at"],
    salvage: Salvage::Whole,
};
pub(super) const AGE: Table = Table {
    name: "age",
    key: 1,
    columns: &["source_case_id", "told_at", "modified_at"],
    salvage: Salvage::Whole,
};
pub(super) const REJECT: Table = Table {
    name: "reject",
    key: 3,
    columns: &[
        "origin",
        "source",
        "place",
        "source_case_id",
        "location",
        "rule_id",
        "field",
        "value_shape",
        "message_zh",
        "rejected_at",
    ],
    salvage: Salvage::Reject,
};
pub(super) const NOTICE: Table = Table {
    name: "notice",
    key: 1,
    columns: &[
        "notice_id",
        "kind",
        "source_case_id",
        "text_zh",
        "created_at",
    ],
    salvage: Salvage::Whole,
};

/// Every table of the outbox, in the order in which mending takes them.
pub(super) const TABLES: [Table; 13] = [
    STATE,
    ENTRY,
    ACK,
    SOURCE,
    KNOWN_CASE,
    LIFT,
    NEXT_KEY,
    NEXT_TOKENS,
    TOKEN_KEY,
    READING,
    AGE,
    REJECT,
    NOTICE,
];

impl Table {
    /// All columns but the seal, as a list.
    pub(super) fn columns(self) -> String {
        self.columns.join(", ")
    }

    /// Columns of the key, as a list.
    pub(super) fn key(self) -> String {
        self.columns[..self.key].join(", ")
    }

    /// What seals a row after it was written.
    pub(super) fn triggers(self) -> String {
        let Self { name, .. } = self;
        let new = |columns: &[&str]| {
            let new: Vec<_> = columns.iter().map(|c| format!("NEW.{c}")).collect();
            new.join(", ")
        };
        let seal = format!(
            "BEGIN UPDATE {name} SET seal = seal('{name}', {}) WHERE ({}) = ({}); END",
            new(self.columns),
            self.key(),
            new(&self.columns[..self.key])
        );
        format!(
            "CREATE TRIGGER {name}_written AFTER INSERT ON {name} {seal};
             CREATE TRIGGER {name}_changed AFTER UPDATE OF {} ON {name} {seal};",
            self.columns()
        )
    }

    /// The row's values when its seal is whole. `row` has [`Self::columns`] and then the seal.
    pub(super) fn whole(self, row: &Row<'_>) -> rusqlite::Result<Option<Vec<Value>>> {
        let mut hash = Hash::of(ValueRef::Text(self.name.as_bytes()));
        let mut values = Vec::with_capacity(self.columns.len());
        for column in 0..self.columns.len() {
            let value = row.get_ref(column)?;
            hash.take(value);
            values.push(Value::try_from(value)?);
        }
        let seal = row.get_ref(self.columns.len())?;
        Ok((seal == ValueRef::Blob(&hash.end())).then_some(values))
    }

    /// The values of a row that identify it, for people.
    pub(super) fn name_of(self, row: &Row<'_>) -> String {
        let told = |column| match row.get_ref(column) {
            Ok(ValueRef::Integer(number)) => number.to_string(),
            Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            _ => "?".to_owned(),
        };
        let key: Vec<_> = (0..self.key).map(told).collect();
        format!("{} {}", self.name, key.join(" "))
    }
}

/// Whether an entry is as it was written.
pub(super) fn entry_is_whole(position: i64, record: &[u8], seal: &[u8]) -> bool {
    let mut hash = Hash::of(ValueRef::Text(ENTRY.name.as_bytes()));
    hash.take(ValueRef::Integer(position));
    hash.take(ValueRef::Blob(record));
    hash.end() == seal
}

/// Makes `seal(table, column…)` known to the connection; nothing can be written without.
pub(super) fn teach(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("seal", -1, flags, |context| {
        let mut hash = Hash(Sha256::new());
        for argument in 0..context.len() {
            hash.take(context.get_raw(argument));
        }
        Ok(hash.end().to_vec())
    })
}

struct Hash(Sha256);

impl Hash {
    fn of(first: ValueRef<'_>) -> Self {
        let mut hash = Self(Sha256::new());
        hash.take(first);
        hash
    }

    /// Kind and length go in too, so that no two rows read alike.
    fn take(&mut self, value: ValueRef<'_>) {
        let (kind, bytes): (u8, &[u8]) = match value {
            ValueRef::Null => (0, &[]),
            ValueRef::Integer(number) => (1, &number.to_be_bytes()),
            ValueRef::Real(number) => (2, &number.to_be_bytes()),
            ValueRef::Text(text) => (3, text),
            ValueRef::Blob(bytes) => (4, bytes),
        };
        self.0.update([kind]);
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn end(self) -> [u8; 8] {
        let digest = self.0.finalize();
        std::array::from_fn(|i| digest[i])
    }
}
