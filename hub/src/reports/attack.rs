//! What a reader of published tables can work out of what was left out, by adding and taking away. Whatever follows from
//! the tables alone is found: by solving all sums at once, and by how large and small a cell can be.

use std::collections::BTreeMap;

/// A hidden cell must leave this many values open. More cannot be had: three months of a quarter that shows 5 are 1 to 3
/// each, whichever is published last.
const OPEN: i64 = 3;
/// Larger than every count; far from overflow when some of it are added up.
const ANYTHING: i64 = 1 << 56;
/// Equations are solved in this field: a prime whose products fit.
const PRIME: i64 = (1 << 31) - 1;

/// What a reader knows of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    Shown,
    /// Left out of a table that is published. Nearly all zeros are shown, so that a reader takes it that it is not 0.
    Hidden,
    /// Of a table that is not published.
    Nothing,
}

/// A cell and those that it is the sum of.
#[derive(Clone, Debug)]
pub struct Sum {
    pub whole: usize,
    pub parts: Vec<usize>,
}

/// Cells of tables that have sums in common.
#[derive(Clone, Debug)]
pub struct Cells {
    pub values: Vec<i64>,
    pub known: Vec<Known>,
    /// Whether a cell is so small that nobody may know it, published or not.
    pub small: Vec<bool>,
    pub sums: Vec<Sum>,
}

/// What a reader can find of cells that are not shown.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub computed: Vec<usize>,
    pub narrowed: Vec<usize>,
}

/// The unknown cells of an equation with what they are multiplied by.
type Equation = BTreeMap<usize, i64>;

impl Cells {
    /// Cells that a reader can compute, then those that can be narrowed down to few values, of those that nobody is to
    /// know; but for what was so `before`.
    pub fn exposed(&self, before: &Found) -> Option<usize> {
        if (0..self.known.len()).all(|cell| !self.is_kept(cell)) {
            return None;
        }
        let news = |found: Vec<usize>, before: &[usize]| {
            let mut found = found.into_iter();
            found.find(|cell| self.is_kept(*cell) && !before.contains(cell))
        };
        news(self.computed(), &before.computed).or_else(|| news(self.narrowed(), &before.narrowed))
    }

    /// Everything that a reader can find.
    pub fn found(&self) -> Found {
        Found {
            computed: self.computed(),
            narrowed: self.narrowed(),
        }
    }

    /// Whether nobody is to know the cell.
    pub fn is_kept(&self, cell: usize) -> bool {
        match self.known[cell] {
            Known::Shown => false,
            Known::Hidden => true,
            Known::Nothing => self.small[cell],
        }
    }

    /// Cells that are not shown and that all sums together leave one value for (Gauss–Jordan elimination).
    pub fn computed(&self) -> Vec<usize> {
        let mut solved: Vec<(usize, Equation)> = Vec::new();
        for sum in &self.sums {
            let mut equation = self.equation(sum);
            for (cell, other) in &solved {
                eliminate(&mut equation, *cell, other);
            }
            let Some((&cell, &factor)) = equation.first_key_value() else {
                continue;
            };
            let inverse = power(factor, PRIME - 2);
            for value in equation.values_mut() {
                *value = *value * inverse % PRIME;
            }
            for (_, other) in &mut solved {
                eliminate(other, cell, &equation);
            }
            solved.push((cell, equation));
        }
        let alone = solved.iter().filter(|(_, equation)| equation.len() == 1);
        alone.map(|(cell, _)| *cell).collect()
    }

    fn equation(&self, sum: &Sum) -> Equation {
        let parts = sum.parts.iter().map(|part| (*part, 1));
        let terms = parts.chain([(sum.whole, PRIME - 1)]);
        terms
            .filter(|(cell, _)| self.known[*cell] != Known::Shown)
            .collect()
    }

    /// Cells that few values are left for.
    fn narrowed(&self) -> Vec<usize> {
        let bounds = self.bounds();
        (0..bounds.len())
            .filter(|cell| bounds[*cell].1 - bounds[*cell].0 + 1 < OPEN)
            .collect()
    }

    /// The least and the most that each cell can be.
    fn bounds(&self) -> Vec<(i64, i64)> {
        let cells = (0..self.known.len()).map(|cell| {
            let value = self.values[cell];
            match self.known[cell] {
                Known::Shown => (value, value),
                Known::Hidden => (value.min(1), ANYTHING),
                // It will be left out, and known not to be 0, as soon as it is published.
                Known::Nothing if self.small[cell] => (1, ANYTHING),
                Known::Nothing => (0, ANYTHING),
            }
        });
        let mut bounds: Vec<(i64, i64)> = cells.collect();
        // Every round that changes something makes some range smaller; tables are small, and a few rounds tell.
        for _ in 0..self.sums.len() {
            let before = bounds.clone();
            for sum in &self.sums {
                narrow(&mut bounds, sum);
            }
            if bounds == before {
                break;
            }
        }
        bounds
    }
}

/// What one sum says about its cells.
fn narrow(bounds: &mut [(i64, i64)], sum: &Sum) {
    let least: i64 = sum.parts.iter().map(|part| bounds[*part].0).sum();
    let most = sum.parts.iter().map(|part| bounds[*part].1);
    let most = most.fold(0, |sum: i64, part| (sum + part).min(ANYTHING * 8));
    let whole = &mut bounds[sum.whole];
    *whole = (whole.0.max(least), whole.1.min(most));
    let whole = *whole;
    for part in &sum.parts {
        let (low, high) = bounds[*part];
        let others = (least - low, most - high);
        if whole.1 < ANYTHING {
            bounds[*part].1 = high.min(whole.1 - others.0);
        }
        if others.1 < ANYTHING {
            bounds[*part].0 = low.max(whole.0 - others.1);
        }
    }
}

/// Takes `solved`, in which `cell` has the factor 1, away from an equation so often that `cell` is gone.
fn eliminate(equation: &mut Equation, cell: usize, solved: &Equation) {
    let Some(&factor) = equation.get(&cell) else {
        return;
    };
    for (other, value) in solved {
        let entry = equation.entry(*other).or_default();
        *entry = (*entry - factor * value % PRIME).rem_euclid(PRIME);
        if *entry == 0 {
            equation.remove(other);
        }
    }
}

fn power(base: i64, exponent: i64) -> i64 {
    let (mut base, mut exponent, mut power) = (base, exponent, 1);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = power * base % PRIME;
        }
        base = base * base % PRIME;
        exponent >>= 1;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::Known::{Hidden, Nothing, Shown};
    use super::*;

    const NOTHING: Found = Found {
        computed: Vec::new(),
        narrowed: Vec::new(),
    };

    /// One table: its rows, then its total.
    fn table(rows: &[(i64, Known)], total: Known) -> Cells {
        let mut values: Vec<i64> = rows.iter().map(|row| row.0).collect();
        values.push(values.iter().sum());
        let known = rows.iter().map(|row| row.1).chain([total]);
        Cells {
            values,
            known: known.collect(),
            small: vec![false; rows.len() + 1],
            sums: vec![Sum {
                whole: rows.len(),
                parts: (0..rows.len()).collect(),
            }],
        }
    }

    #[test]
    fn one_hidden_row_is_the_total_without_the_others() {
        let alone = table(&[(3, Hidden), (9, Shown), (0, Shown)], Shown);
        assert_eq!(alone.exposed(&NOTHING), Some(0));
        let paired = table(&[(3, Hidden), (9, Hidden), (0, Shown)], Shown);
        assert_eq!(paired.exposed(&NOTHING), None);
        let without = table(&[(3, Hidden), (9, Shown)], Hidden);
        assert_eq!(without.exposed(&NOTHING), None);
        let of_shown = table(&[(2, Shown), (1, Shown)], Hidden);
        assert_eq!(of_shown.exposed(&NOTHING), Some(2));
    }

    #[test]
    fn rows_that_can_only_be_one_each_are_known() {
        let ones = table(&[(1, Hidden), (1, Hidden), (7, Shown)], Shown);
        assert_eq!(ones.exposed(&NOTHING), Some(0));
        let few = table(&[(1, Hidden), (3, Hidden), (7, Shown)], Shown);
        assert_eq!(few.exposed(&NOTHING), None, "1 to 3");
        let fewer = table(&[(1, Hidden), (2, Hidden), (7, Shown)], Shown);
        assert_eq!(fewer.exposed(&NOTHING), Some(0), "1 or 2");
    }

    #[test]
    fn two_tables_of_one_total_and_what_is_unpublished_are_solved_together() {
        // a + b = t and c + d + e = t, where t is hidden: a is known of b only through the other table.
        let sum = |whole, parts: &[usize]| Sum {
            whole,
            parts: parts.to_vec(),
        };
        let cells = |known: [Known; 6]| Cells {
            values: vec![3, 9, 4, 4, 4, 12],
            known: known.to_vec(),
            small: vec![false; 6],
            sums: vec![sum(5, &[0, 1]), sum(5, &[2, 3, 4])],
        };
        let leaks = cells([Hidden, Shown, Shown, Shown, Shown, Hidden]);
        assert!(leaks.exposed(&NOTHING).is_some());
        let open = cells([Hidden, Shown, Hidden, Shown, Shown, Hidden]);
        assert_eq!(open.exposed(&NOTHING), None);
        let unpublished = cells([Hidden, Shown, Nothing, Nothing, Nothing, Nothing]);
        assert_eq!(unpublished.exposed(&NOTHING), None);
    }
}
