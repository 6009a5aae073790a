//! The report for people.

use std::fmt;

use super::{DryRun, RejectGroup};

impl fmt::Display for DryRun<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = self.rows - self.cases;
        writeln!(
            f,
            "{} rows: {} taken, {refused} refused",
            self.rows, self.cases
        )?;
        counts(f, "by state", &self.by_state)?;
        counts(f, "by matter", &self.by_matter)?;
        rejects(f, &self.rejects)?;
        self.codes(f)?;
        match self.repeats.text().as_str() {
            "" => {}
            repeats => write!(f, "\n{repeats}")?,
        }
        let gaps = self.gaps();
        columns(
            f,
            "mapped, but the source has no such column",
            &gaps.lacking,
        )?;
        columns(
            f,
            "in the source, neither mapped nor ignored",
            &gaps.unmapped,
        )?;
        counts(
            f,
            "identifiers that fail their check (taken, left out of exact matching)",
            &self.unverified_identifiers,
        )?;
        if self.is_clean() {
            writeln!(f, "\nnothing to mend")?;
        }
        Ok(())
    }
}

impl DryRun<'_> {
    fn codes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unknown_codes.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nunknown codes (add them to `codes`)")?;
        for (column, unknown) in &self.unknown_codes {
            for (code, count) in &unknown.codes {
                writeln!(f, "  {column} = {code:?}  {count}")?;
            }
            if unknown.others > 0 {
                writeln!(f, "  {column}: others  {}", unknown.others)?;
            }
        }
        Ok(())
    }
}

fn counts<'a>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    counts: impl IntoIterator<Item = (&'a &'static str, &'a u64)>,
) -> fmt::Result {
    for (at, (name, count)) in counts.into_iter().enumerate() {
        if at == 0 {
            writeln!(f, "\n{title}")?;
        }
        writeln!(f, "  {name:<28} {count:>8}")?;
    }
    Ok(())
}

fn rejects(f: &mut fmt::Formatter<'_>, rejects: &[RejectGroup]) -> fmt::Result {
    if rejects.is_empty() {
        return Ok(());
    }
    let mut sorted: Vec<_> = rejects.iter().collect();
    sorted.sort_by(|a, b| {
        b.count
            .cmp(&a.count)
            .then_with(|| (a.rule, &a.field).cmp(&(b.rule, &b.field)))
    });
    writeln!(f, "\nrefused")?;
    for group in sorted {
        writeln!(
            f,
            "  {:<22} {:<24} {:>8}",
            group.rule, group.field, group.count
        )?;
        for example in &group.examples {
            let case = match example.source_case_id.as_str() {
                "" => String::new(),
                id => format!("case {id}, "),
            };
            let line = format!("    {case}{}  {}", example.location, example.value_shape);
            writeln!(f, "{}", line.trim_end())?;
        }
        let more = group.count - group.examples.len() as u64;
        if more > 0 {
            writeln!(f, "    and {more} more")?;
        }
    }
    Ok(())
}

fn columns<'a>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    columns: impl IntoIterator<Item = &'a String>,
) -> fmt::Result {
    let columns: Vec<&str> = columns.into_iter().map(String::as_str).collect();
    match columns.is_empty() {
        true => Ok(()),
        false => writeln!(f, "\n{title}\n  {}", columns.join(", ")),
    }
}
