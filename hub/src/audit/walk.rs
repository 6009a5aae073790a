//! Walking a whole log, from the database or an export.

use super::recorded::Recorded;
use super::verify::{Break, Fault, Misfit, Verification, Verifier, number_of};

/// Entries in order.
#[expect(
    async_fn_in_trait,
    reason = "used within this crate, where no bound on the future is needed"
)]
pub trait Source {
    type Error;

    /// The next entry; none at the end.
    async fn next(&mut self) -> Result<Option<Recorded>, Self::Error>;
}

/// Walks a log to its end, or to the first entry that does not fit.
pub async fn walk<S: Source>(
    source: &mut S,
    mut verifier: Verifier<'_>,
) -> Result<Verification, S::Error> {
    match advance(source, &mut verifier).await? {
        None => Ok(verifier.finish()),
        broken => Ok(Verification {
            broken,
            ..verifier.so_far()
        }),
    }
}

/// Walks to the end of `source`, or to the first entry that does not fit, where the log may go on.
pub async fn advance<S: Source>(
    source: &mut S,
    verifier: &mut Verifier<'_>,
) -> Result<Option<Break>, S::Error> {
    while let Some(recorded) = source.next().await? {
        if let Err(misfit) = verifier.take(&recorded) {
            return named(source, misfit).await.map(Some);
        }
    }
    Ok(None)
}

/// What a misfit is, by what comes behind it.
async fn named<S: Source>(source: &mut S, misfit: Misfit) -> Result<Break, S::Error> {
    match misfit {
        Misfit::Broken(broken) => Ok(broken),
        Misfit::Gap { expected } => {
            let mut fault = Fault::Missing;
            while let Some(recorded) = source.next().await? {
                if recorded.entry_no == expected {
                    fault = Fault::Reordered;
                    break;
                }
            }
            Ok(at(expected, fault))
        }
        Misfit::Renumbered { now, was } => {
            let mut shifts = [Some(was - now); 2];
            for shift in &mut shifts {
                if let Some(next) = source.next().await? {
                    *shift = number_of(&next).map(|was| was - next.entry_no);
                }
            }
            Ok(moved(now, shifts))
        }
    }
}

/// Entries that changed places leave the others where they were; what was put in or taken out moves all that follow.
fn moved(entry_no: i64, shifts: [Option<i64>; 2]) -> Break {
    match shifts {
        [Some(0), _] | [_, Some(0)] => at(entry_no, Fault::Reordered),
        [_, Some(shift)] if shift > 0 => at(entry_no, Fault::Missing),
        [_, Some(shift)] => Break {
            entry_no: (entry_no + shift).max(1),
            through: entry_no,
            fault: Fault::Inserted,
        },
        [_, None] => at(entry_no, Fault::Changed),
    }
}

fn at(entry_no: i64, fault: Fault) -> Break {
    Break {
        entry_no,
        through: entry_no,
        fault,
    }
}
