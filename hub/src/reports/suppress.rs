//! Which cells of a table are left out before it is published: small ones, and as many more as it takes that nobody can
//! work those out of this and everything that is published already.

use super::attack::{Cells, Known};

/// Hides more of `own`, the cells that are about to be published, until nothing hidden follows from anything shown.
/// `totals` among them are hidden when rows do not suffice.
///
/// It can always be done as far as computing goes: what follows from what is published already is no news, and with
/// everything else hidden the table says nothing new. What would be found even then is not worth hiding anything for.
pub fn complement(cells: &mut Cells, own: &[usize], totals: &[usize]) {
    let mut without = cells.clone();
    for cell in own {
        without.known[*cell] = Known::Hidden;
    }
    let before = without.found();
    while let Some(exposed) = cells.exposed(&before) {
        let near: Vec<usize> = cells
            .sums
            .iter()
            .filter(|sum| sum.whole == exposed || sum.parts.contains(&exposed))
            .flat_map(|sum| sum.parts.iter().copied().chain([sum.whole]))
            .collect();
        let useful =
            |cell: &&usize| cells.known[**cell] == Known::Shown && !before.computed.contains(cell);
        let next = own.iter().filter(useful).min_by_key(|cell| {
            (
                // A zero gives something away only beside other periods.
                cells.values[**cell] == 0,
                !near.contains(cell),
                totals.contains(cell),
                cells.values[**cell],
                **cell,
            )
        });
        match next {
            Some(cell) => cells.known[*cell] = Known::Hidden,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::attack::Sum;
    use super::*;
    use proptest::prelude::*;

    /// Two tables of three rows each with one total, of two months and of both together.
    fn two_months(values: [[i64; 2]; 6]) -> Cells {
        let mut cells = Cells {
            values: Vec::new(),
            known: vec![Known::Nothing; 21],
            small: Vec::new(),
            sums: Vec::new(),
        };
        for month in 0..3 {
            let of = |row: &[i64; 2]| match month {
                2 => row[0] + row[1],
                month => row[month],
            };
            let mut rows: Vec<i64> = values.iter().map(of).collect();
            // The last row of the second table makes it the same total.
            let total: i64 = rows[..3].iter().sum();
            rows[5] = total - rows[3] - rows[4];
            cells.values.extend(rows);
            cells.values.push(total);
            let at = month * 7;
            for table in [at..at + 3, at + 3..at + 6] {
                cells.sums.push(Sum {
                    whole: at + 6,
                    parts: table.collect(),
                });
            }
        }
        cells.small = cells
            .values
            .iter()
            .map(|value| (1..=4).contains(value))
            .collect();
        for row in 0..7 {
            cells.sums.push(Sum {
                whole: 14 + row,
                parts: vec![row, 7 + row],
            });
        }
        cells
    }

    proptest! {
        #[test]
        fn nothing_hidden_follows_whatever_the_order_of_publishing(
            rows in proptest::array::uniform6(proptest::array::uniform2(0_i64..12)),
            order in Just(vec![0_usize, 1, 2]).prop_shuffle(),
        ) {
            let mut rows = rows;
            // Room for what the last row makes up.
            rows[0] = rows[0].map(|value| value + 24);
            let mut cells = two_months(rows);
            for period in order {
                let own: Vec<usize> = (period * 7..period * 7 + 7).collect();
                for cell in &own {
                    cells.known[*cell] = match cells.small[*cell] {
                        true => Known::Hidden,
                        false => Known::Shown,
                    };
                }
                complement(&mut cells, &own, &[period * 7 + 6]);
                let kept = |cell: &usize| cells.is_kept(*cell);
                let computed: Vec<usize> = cells.computed().into_iter().filter(kept).collect();
                prop_assert_eq!(computed, Vec::<usize>::new());
            }
        }
    }
}
