//! Any order of writing and reading.

use std::collections::BTreeMap;

use office_agent::source::sql::SqlReader;
use proptest::prelude::*;

use crate::office::{Kept, Office};

#[derive(Clone, Debug)]
enum Act {
    /// A row is inserted or changed; the watermark grows by so much.
    Put { id: u8, grow: u8 },
    /// One page is read.
    Page,
    /// The agent is restarted.
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..12_u8, 0..3_u8).prop_map(|(id, grow)| Act::Put { id, grow: grow.saturating_sub(1) }),
        3 => Just(Act::Page),
        1 => Just(Act::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_interleaving_of_writing_and_reading_skips_a_row(
        acts in prop::collection::vec(act(), 1..60),
        page_rows in 1..=5_u16,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let office = Office::new();
            office.db.execute_batch("PRAGMA synchronous = OFF").expect("set");
            let mut truth = BTreeMap::new();
            let (mut kept, mut reader) = (Kept::default(), SqlReader::new(office.cases(page_rows)));
            let mut watermark = 1000;
            for (number, act) in acts.iter().enumerate() {
                match act {
                    Act::Put { id, grow } => {
                        watermark += u32::from(*grow);
                        let (id, title) = (format!("{id:02}"), number.to_string());
                        office.put(&id, &title, Some(&watermark.to_string()));
                        truth.insert(id, title);
                    }
                    Act::Page => {
                        kept.take(reader.page(kept.cursor.as_deref()).await.expect("a page"));
                    }
                    Act::Restart => reader = SqlReader::new(office.cases(page_rows)),
                }
            }
            // The end of a pass that was under way, and one more.
            kept.catch_up(&mut reader).await;
            reader = SqlReader::new(office.cases(page_rows));
            kept.catch_up(&mut reader).await;
            assert_eq!(kept.rows, truth);
        });
    }
}
