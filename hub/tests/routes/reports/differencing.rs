//! Every report of a year is published, and somebody who has them all adds and takes away.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{published, served};
use crate::client::Bureau;
use crate::record::{Case, case};
use crate::supervision::{judged, refused};
use crate::support::add_office;

const OFFICES: [&str; 5] = ["hangzhou", "xiaoshan", "yuhang", "lin-an", "fuyang"];
const MATTERS: [&str; 3] = ["will", "birth", "mandate"];

/// A cell: of which period, which table (none for the total), which row.
type Cell = (String, String, String);

/// What is published of one column: a number, or `None` where it is left out.
type Column = BTreeMap<Cell, Option<f64>>;

/// Cells that add up, each with its sign.
type Sum = Vec<(Cell, f64)>;

/// Case numbers of an office: few in most months, none in some, and in others enough.
fn cases(office: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut draw = 7 + office as u64;
    for month in 1..=12 {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let count = [0, 1, 2, 3, 6, 9, 12][(draw >> 33) as usize % 7];
        for number in 0..count {
            let case = case(&format!("{month}-{number}"));
            let case = case.matter(MATTERS[(number + office) % 3]);
            let case = case.accepted(&format!("2024-{month:02}-05"));
            cases.push(match number % 4 {
                0 => case,
                _ => case.issued(&format!("2024-{month:02}-08")),
            });
        }
    }
    cases
}

/// Persons of an office in a month: some are of several months, and of the next office as well.
fn persons(office: usize, month: usize) -> Vec<i32> {
    let count = [0, 2, 3, 6, 9, 1, 12][(office * 5 + month * 3) % 7];
    let first = office * 8 + month % 4 * 3;
    (first..first + count).map(|person| person as i32).collect()
}

/// The periods of the year, the parts before what they add up to and some the other way round.
fn periods() -> Vec<String> {
    let months = (1..=12).map(|month| format!("2024-{month:02}"));
    let mut periods: Vec<String> = months.collect();
    periods.extend(["2024-Q1", "2024-Q3", "2024-H1", "2024"].map(str::to_owned));
    periods.rotate_right(2);
    periods.extend(["2024-Q2", "2024-Q4", "2024-H2"].map(str::to_owned));
    periods
}

/// What a period is the sum of.
fn parts(period: &str) -> Vec<String> {
    let months = |from: u32| {
        (from..from + 3)
            .map(|month| format!("2024-{month:02}"))
            .collect()
    };
    let two = |parts: [&str; 2]| parts.map(|part| format!("2024-{part}")).to_vec();
    match period {
        "2024" => two(["H1", "H2"]),
        "2024-H1" => two(["Q1", "Q2"]),
        "2024-H2" => two(["Q3", "Q4"]),
        "2024-Q1" => months(1),
        "2024-Q2" => months(4),
        "2024-Q3" => months(7),
        "2024-Q4" => months(10),
        _ => Vec::new(),
    }
}

fn column(reports: &[Value], code: &str) -> Column {
    let mut column = Column::new();
    for report in reports {
        let columns = report["columns"].as_array().unwrap();
        let at = columns.iter().position(|column| column["code"] == code);
        let mut put = |table: &str, row: &Value| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let cell = &row["cells"][at.unwrap()];
            let key = (
                text(&report["period"]),
                table.to_owned(),
                text(&row["code"]),
            );
            if columns[at.unwrap()]["offices_only"] == true && !["", "office"].contains(&table) {
                return;
            }
            assert_eq!(cell["withheld"] == true, cell["value"].is_null(), "{key:?}");
            column.insert(key, cell["value"].as_f64());
        };
        put("", &report["total"]);
        for table in report["tables"].as_array().unwrap() {
            for row in table["rows"].as_array().unwrap() {
                put(table["by"].as_str().unwrap(), row);
            }
        }
    }
    column
}

/// All sums that a reader knows to hold.
fn sums(column: &Column) -> Vec<Sum> {
    let mut tables: BTreeMap<(String, String), Sum> = BTreeMap::new();
    let mut sums = Vec::new();
    for cell in column.keys() {
        let (period, table, row) = cell.clone();
        if !table.is_empty() {
            let sum = tables.entry((period.clone(), table.clone()));
            let total = (period.clone(), String::new(), String::new());
            sum.or_insert_with(|| vec![(total, -1.0)])
                .push((cell.clone(), 1.0));
        }
        let parts = parts(&period).into_iter();
        let parts: Sum = parts
            .map(|part| ((part, table.clone(), row.clone()), 1.0))
            .collect();
        if !parts.is_empty() {
            sums.push([vec![(cell.clone(), -1.0)], parts].concat());
        }
    }
    sums.extend(tables.into_values());
    sums
}

/// Cells that were left out and yet have one solution (Gauss–Jordan with pivoting).
fn solved(column: &Column) -> Vec<Cell> {
    let unknown: Vec<&Cell> = column
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(cell, _)| cell)
        .collect();
    let at = |cell: &Cell| unknown.binary_search(&cell).ok();
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for sum in sums(column) {
        let mut row = vec![0.0; unknown.len()];
        for (cell, sign) in &sum {
            if let Some(at) = at(cell) {
                row[at] += sign;
            }
        }
        rows.push(row);
    }
    let mut rank = 0;
    for column in 0..unknown.len() {
        let best = (rank..rows.len())
            .max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()));
        let Some(best) = best.filter(|best| rows[*best][column].abs() > 1e-9) else {
            continue;
        };
        rows.swap(rank, best);
        let pivot = rows[rank][column];
        rows[rank].iter_mut().for_each(|value| *value /= pivot);
        let solved = rows[rank].clone();
        let others = rows.iter_mut().enumerate();
        for (_, row) in others.filter(|(other, _)| *other != rank) {
            let factor = row[column];
            for (value, solved) in row.iter_mut().zip(&solved) {
                *value -= factor * solved;
            }
        }
        rank += 1;
    }
    let alone = rows[..rank].iter().filter_map(|row| {
        let mut terms = (0..row.len()).filter(|at| row[*at].abs() > 1e-9);
        let only = terms.next()?;
        terms.next().is_none().then(|| unknown[only].clone())
    });
    alone.collect()
}

/// Sums whose hidden cells are so small together that each can only be one, because nearly all zeros are shown.
fn narrow(column: &Column) -> Vec<Sum> {
    let is_narrow = |sum: &Sum| {
        let (hidden, shown): (Vec<_>, Vec<_>) =
            sum.iter().partition(|(cell, _)| column[cell].is_none());
        let known: f64 = shown
            .iter()
            .map(|(cell, sign)| sign * column[cell].unwrap())
            .sum();
        let one_sided = hidden.iter().all(|(_, sign)| *sign > 0.0) && !hidden.is_empty();
        one_sided && (-known - hidden.len() as f64).abs() < 0.5
    };
    sums(column).into_iter().filter(is_narrow).collect()
}

#[tokio::test]
async fn nobody_works_out_what_was_left_out_from_all_that_was_published() {
    let bureau = Bureau::open().await;
    for (number, office) in OFFICES.into_iter().enumerate() {
        if number > 1 {
            add_office(&bureau.hub.db.pool, office).await;
        }
        bureau.seed.office(&bureau.hub, office, cases(number)).await;
        for month in 1..=12 {
            let persons = persons(number, month);
            served(&bureau, office, &format!("2024-{month:02}"), &persons).await;
        }
    }
    let mut reports = Vec::new();
    for period in periods() {
        reports.push(published(&bureau, &period).await["report"].clone());
    }
    assert_eq!(reports.len(), 19);
    for code in ["accepted", "issued", "fee_charged_fen", "persons"] {
        let column = column(&reports, code);
        let shown = column.values().flatten().filter(|value| **value > 0.0);
        let left_out = column.values().filter(|value| value.is_none());
        let (shown, left_out) = (shown.count(), left_out.count());
        assert!(
            left_out > 20 && shown > 50,
            "{code}: {shown} shown, {left_out} left out"
        );
        if code != "fee_charged_fen" {
            let small = column
                .values()
                .flatten()
                .find(|value| (1.0..=4.0).contains(*value));
            assert_eq!(small, None, "{code}");
        }
        // Persons add up but for those whom rows have in common: to whoever knows how many these are, the unknowns are in
        // the same equations; how large they are is another matter.
        if code == "accepted" || code == "issued" {
            assert_eq!(narrow(&column), Vec::<Sum>::new(), "{code}");
        }
        assert_eq!(solved(&column), Vec::<Cell>::new(), "{code}");
    }
}

#[test]
fn the_attack_finds_a_cell_that_alone_is_left_out() {
    let cell = |table: &str, row: &str| ("2024-03".to_owned(), table.to_owned(), row.to_owned());
    let mut column: Column = [
        (cell("", ""), Some(12.0)),
        (cell("office", "a"), None),
        (cell("office", "b"), Some(9.0)),
    ]
    .into();
    assert_eq!(solved(&column), [cell("office", "a")]);
    column.insert(cell("office", "b"), None);
    assert_eq!(solved(&column), Vec::<Cell>::new());
    assert!(narrow(&column).is_empty());
    column.insert(cell("", ""), Some(2.0));
    assert_eq!(narrow(&column).len(), 1);
}

/// Cases that ended in a month: certificates and refusals. The certificates are without findings until they are given some.
fn ended(month: u32, issued: usize, refusals: usize) -> Vec<Case> {
    let day = format!("2024-{month:02}-08");
    let certificates = (0..issued).map(|number| {
        let case = case(&format!("{month}-issued-{number}"));
        case.accepted(&day).issued(&day)
    });
    let refusals = (0..refusals).map(|number| {
        let mut refused = refused(&format!("{month}-refused-{number}"));
        refused.0.applied_day = Some(crate::record::day(&day));
        refused.0.closed_day = refused.0.applied_day;
        refused
    });
    certificates.chain(refusals).collect()
}

/// As many findings of a month's certificates.
async fn found(bureau: &Bureau, office: &str, month: u32, findings: i32) {
    sqlx::query(
        "INSERT INTO supervision_finding (finding_id, office_id, rule_id, about, about_key, severity, evidence, facts,
                                          rules_version, happened_on, concluded, found_at)
         SELECT gen_random_uuid(), $1, 'TIME_LIMIT', 'case', $2 || '-issued-' || n, 'ordinary', '{}', sha256('{}'), '1',
                make_date(2024, $2::text::integer, 8), true, now()
           FROM generate_series(0, $3 - 1) AS n",
    )
    .bind(office)
    .bind(month.to_string())
    .bind(findings)
    .execute(&bureau.hub.db.pool)
    .await
    .unwrap();
}

/// What a reader takes from the compliance rates: the numbers of cases with findings, of those that ended, that give the
/// rate that is shown. Nobody publishes 1 to 4 of a number, nor all but 1 to 4.
fn of_how_many(cells: &BTreeMap<&str, Option<f64>>) -> Vec<(i64, i64)> {
    let parts = ["issued", "refused", "rejected", "terminated"].map(|code| cells[code]);
    let shown: f64 = parts.iter().flatten().sum();
    let hidden = parts.iter().filter(|part| part.is_none()).count() as i64;
    let least = shown as i64 + hidden;
    let most = match hidden {
        0 => least,
        _ => least * 3 / 2 + 10,
    };
    let rate = cells["compliance_rate"].expect("a rate that is shown");
    let gives_it = |found: i64, ended: i64| {
        let exactly = (ended - found) as f64 / ended as f64;
        rate == exactly || rate == (exactly * 100.0).round() / 100.0
    };
    (least..=most)
        .flat_map(|ended| (0..=ended).map(move |found| (found, ended)))
        .filter(|(found, ended)| *found == 0 || (*found > 4 && !(1..=4).contains(&(ended - found))))
        .filter(|(found, ended)| gives_it(*found, *ended))
        .collect()
}

#[tokio::test]
async fn nobody_works_out_from_a_rate_how_many_it_is_of() {
    let bureau = Bureau::open().await;
    add_office(&bureau.hub.db.pool, "yuhang").await;
    let offices = ["hangzhou", "xiaoshan", "yuhang"];
    // Few refusals beside many certificates, beside fewer, and none; then few certificates with findings; then one refusal.
    let months = [
        (3, [(189, 3, 13), (57, 3, 13), (60, 0, 12)]),
        (4, [(60, 0, 4), (60, 0, 20), (70, 0, 20)]),
        (5, [(10, 1, 5), (60, 0, 20), (70, 0, 20)]),
    ];
    for (at, office) in offices.into_iter().enumerate() {
        let cases = months.map(|(month, of)| ended(month, of[at].0, of[at].1));
        bureau
            .seed
            .office(&bureau.hub, office, cases.concat())
            .await;
    }
    judged(&bureau).await;
    let pool = &bureau.hub.db.pool;
    sqlx::query("DELETE FROM supervision_finding")
        .execute(pool)
        .await
        .unwrap();
    for (month, of) in months {
        for (at, office) in offices.into_iter().enumerate() {
            found(&bureau, office, month, of[at].2).await;
        }
    }

    let mut rates = BTreeMap::new();
    for (month, _) in months {
        let period = format!("2024-{month:02}");
        let report = published(&bureau, &period).await["report"].clone();
        let codes = [
            "issued",
            "refused",
            "rejected",
            "terminated",
            "compliance_rate",
        ];
        let columns = codes.map(|code| (code, column(std::slice::from_ref(&report), code)));
        for office in offices {
            let cell = (period.clone(), "office".to_owned(), office.to_owned());
            let cells: BTreeMap<&str, Option<f64>> = columns
                .iter()
                .map(|(code, column)| (*code, column[&cell]))
                .collect();
            rates.insert((month, office), cells["compliance_rate"]);
            if cells["compliance_rate"].is_none() {
                continue;
            }
            let all = of_how_many(&cells);
            assert!(
                !all.is_empty(),
                "{cell:?} is the rate of few cases with findings"
            );
            let is_told = cells.values().all(Option::is_some);
            let sizes: BTreeSet<i64> = all.iter().map(|(_, ended)| *ended).collect();
            assert!(
                is_told || sizes.len() > 40,
                "{cell:?} tells of how many it is: {sizes:?}"
            );
        }
    }
    let of_march = offices.map(|office| rates[&(3, office)]);
    assert_eq!(
        of_march,
        [Some(0.93), None, Some(0.8)],
        "as much as can be told"
    );
    assert_eq!(rates[&(4, "hangzhou")], None);
    assert_eq!(rates[&(5, "hangzhou")], None);
}
