//! The file of records that every linker reads: what the office wrote, what the hub sees of it, and the truth.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
    thread,
};

use anyhow::{Context, ensure};
use csv::ByteRecord;
use data_encoding::HEXLOWER;
use linkage::{
    compare::{KnownIdentifier, Mention, RelatedParties, VerifiedNumber},
    identifier::IdentifierKind,
    name::NameDirectory,
    node::{MentionId, NodeId},
    place::DistrictCode,
    token::{Token, TokenKey},
    vocabulary::{PartyKind, Sex},
};
use time::{Date, Month};

use crate::record::Record;

/// Columns in their order. `record` to `id_number` are what an office has, the rest what the hub is sent of it.
const COLUMNS: [&str; 13] = [
    "record",
    "person",
    "name",
    "birth",
    "sex",
    "phone",
    "district",
    "address",
    "id_number",
    "id_kind",
    "id_token",
    "id_segments",
    "phone_token",
];

/// Writes records, numbered as they come. Persons' truth goes with them.
pub fn write_records(path: &Path, records: &[Record], key: &TokenKey) -> anyhow::Result<()> {
    let mut file = csv::Writer::from_path(path)?;
    file.write_record(COLUMNS)?;
    for (at, record) in records.iter().enumerate() {
        let (kind, token, segments) = match record.number.as_ref().map(|number| number.identifier) {
            Some(KnownIdentifier::Verified(number)) => {
                (number.kind.code(), hex(&number.token), String::new())
            }
            Some(KnownIdentifier::Unverified {
                kind,
                token,
                segments,
            }) => {
                let segments = segments.iter().flatten().map(hex).collect::<String>();
                // A number without segments is unverified all the same.
                (kind.code(), hex(&token), format!("-{segments}"))
            }
            None => ("", String::new(), String::new()),
        };
        let phone = record.phone.as_ref();
        file.write_record([
            at.to_string().as_str(),
            &record.person.to_string(),
            &record.name,
            &record
                .birth
                .map(|birth| birth.to_string())
                .unwrap_or_default(),
            record.sex.map_or("", Sex::code),
            phone.map_or("", |phone| phone.normalised()),
            record
                .district
                .as_ref()
                .map_or("", |district| district.as_str()),
            &record.address,
            record.number.as_ref().map_or("", |number| &number.written),
            kind,
            &token,
            &segments,
            &phone
                .map(|phone| hex(&key.phone(phone)))
                .unwrap_or_default(),
        ])?;
    }
    file.flush()?;
    Ok(())
}

fn hex(token: &Token) -> String {
    HEXLOWER.encode(token.as_bytes())
}

/// Mentions as the hub sees them, with their ids and nodes, in the order of the file.
#[derive(Debug, Default)]
pub struct Mentions {
    pub ids: Vec<MentionId>,
    pub nodes: Vec<NodeId>,
    pub mentions: Vec<Mention>,
}

impl Mentions {
    /// Reads a file of records, each worker a part of it.
    pub fn read(path: &Path, workers: usize) -> anyhow::Result<Self> {
        let bounds = bounds(path, workers)?;
        let parts: Vec<anyhow::Result<Self>> = thread::scope(|scope| {
            let part = |at: usize| {
                let (from, to) = (bounds[at], bounds[at + 1]);
                scope.spawn(move || Self::read_part(path, from, to))
            };
            let handles: Vec<_> = (0..bounds.len() - 1).map(part).collect();
            handles
                .into_iter()
                .map(|handle| handle.join().expect("reading does not panic"))
                .collect()
        });
        let mut all = Self::default();
        for part in parts {
            let part = part?;
            if all.mentions.is_empty() {
                all = part;
                continue;
            }
            all.ids.extend(part.ids);
            all.nodes.extend(part.nodes);
            all.mentions.extend(part.mentions);
        }
        Ok(all)
    }

    fn read_part(path: &Path, from: u64, to: u64) -> anyhow::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .buffer_capacity(1 << 16)
            .from_reader(file.take(to - from));
        let (mut part, mut names, mut line) =
            (Self::default(), NameDirectory::default(), ByteRecord::new());
        while reader.read_byte_record(&mut line)? {
            ensure!(
                line.len() == COLUMNS.len(),
                "a line has other columns than the head names"
            );
            part.push(&line, &mut names)?;
        }
        Ok(part)
    }

    fn push(&mut self, line: &ByteRecord, names: &mut NameDirectory) -> anyhow::Result<()> {
        let text = |column: usize| std::str::from_utf8(&line[column]);
        let number: u32 = text(0)?.parse()?;
        let mut id = [0; 16];
        id[12..].copy_from_slice(&number.to_be_bytes());
        let id = MentionId::from(id);
        let mention = Mention {
            kind: PartyKind::Natural,
            name: names.prepare(text(2)?),
            name_share: None,
            birth: present(&line[3]).map(date).transpose()?,
            sex: present(text(4)?).map(str::parse).transpose()?,
            phone: present(&line[12]).map(token).transpose()?,
            district: present(text(6)?).map(DistrictCode::parse).transpose()?,
            related: RelatedParties::default(),
            identifier: identifier(text(9)?, &line[10], &line[11])?,
        };
        self.ids.push(id);
        self.nodes.push(
            mention
                .verified()
                .map_or(NodeId::of_mention(id), |number| NodeId::of_number(&number)),
        );
        self.mentions.push(mention);
        Ok(())
    }
}

/// The truth of a file: whose each record is, in the order of the file.
pub fn read_truth(path: &Path) -> anyhow::Result<Vec<u64>> {
    let mut persons = Vec::new();
    let mut reader = csv::Reader::from_path(path)?;
    let mut line = ByteRecord::new();
    while reader.read_byte_record(&mut line)? {
        persons.push(std::str::from_utf8(&line[1])?.parse()?);
    }
    Ok(persons)
}

/// Writes the cluster of every record, in the order of the file.
pub fn write_clusters(path: &Path, clusters: &[u32]) -> anyhow::Result<()> {
    let mut file = std::io::BufWriter::new(File::create(path)?);
    writeln!(file, "record,cluster")?;
    for (record, cluster) in clusters.iter().enumerate() {
        writeln!(file, "{record},{cluster}")?;
    }
    Ok(file.flush()?)
}

/// Reads clusters of so many records, in any order. Those left out are clusters of their own.
pub fn read_clusters(path: &Path, records: usize) -> anyhow::Result<Vec<u64>> {
    let mut clusters: Vec<u64> = (1 << 40..).take(records).collect();
    let mut reader = csv::Reader::from_path(path)?;
    for line in reader.deserialize() {
        let (record, cluster): (usize, u64) = line?;
        *clusters
            .get_mut(record)
            .context("a cluster names a record that is not there")? = cluster;
    }
    Ok(clusters)
}

/// Where the workers' parts begin, each at a line, and where the last one ends. No field holds a line break.
fn bounds(path: &Path, workers: usize) -> anyhow::Result<Vec<u64>> {
    let mut file = BufReader::new(File::open(path)?);
    let end = file.get_ref().metadata()?.len();
    let mut bounds = Vec::new();
    for at in 0..workers as u64 {
        let mut rest = Vec::new();
        let from = end * at / workers as u64;
        file.seek(SeekFrom::Start(from))?;
        let skipped = file.read_until(b'\n', &mut rest)?;
        bounds.push(from + skipped as u64);
    }
    bounds.push(end);
    Ok(bounds)
}

fn present<T: AsRef<[u8]> + ?Sized>(field: &T) -> Option<&T> {
    (!field.as_ref().is_empty()).then_some(field)
}

fn date(text: &[u8]) -> anyhow::Result<Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        anyhow::bail!("a date is written YYYY-MM-DD");
    };
    let number = |digits: &[&u8]| {
        digits
            .iter()
            .fold(0u16, |n, digit| n * 10 + u16::from(**digit & 15))
    };
    let month = Month::try_from(number(&[m1, m2]) as u8)?;
    Ok(Date::from_calendar_date(
        i32::from(number(&[y1, y2, y3, y4])),
        month,
        number(&[d1, d2]) as u8,
    )?)
}

fn token(hex: &[u8]) -> anyhow::Result<Token> {
    let mut bytes = [0; 16];
    ensure!(hex.len() == 32, "a token has 32 hexadecimal digits");
    HEXLOWER
        .decode_mut(hex, &mut bytes)
        .map_err(|_| anyhow::anyhow!("a token is hexadecimal"))?;
    Ok(Token::from(bytes))
}

fn identifier(
    kind: &str,
    number: &[u8],
    segments: &[u8],
) -> anyhow::Result<Option<KnownIdentifier>> {
    if kind.is_empty() {
        return Ok(None);
    }
    let (kind, token_of_number) = (kind.parse::<IdentifierKind>()?, token(number)?);
    let Some(segments) = segments.strip_prefix(b"-") else {
        let number = VerifiedNumber {
            kind,
            token: token_of_number,
        };
        return Ok(Some(KnownIdentifier::Verified(number)));
    };
    let segments: Vec<Token> = segments
        .chunks(32)
        .map(token)
        .collect::<anyhow::Result<_>>()?;
    Ok(Some(KnownIdentifier::Unverified {
        kind,
        token: token_of_number,
        segments: segments.try_into().ok(),
    }))
}
