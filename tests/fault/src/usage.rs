//! What the programs of a city hold whenever it has settled, over a round: whatever grows from rest to rest is not given
//! back.

use std::collections::BTreeMap;

use sandbox::{Setting, memory};
use serde::Serialize;

/// Descriptors that a hub has open at a rest, at most.
const HUB_DESCRIPTORS: u64 = 80;
/// Descriptors that an agent has open at a rest, at most.
const AGENT_DESCRIPTORS: u64 = 40;
/// Connections that a hub has to its PostgreSQL, at most: `database.max_connections`.
const CONNECTIONS: u64 = 32;

/// By program.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Usage(BTreeMap<String, Program>);

/// One program, over all its lives in a round.
#[derive(Clone, Copy, Debug, Serialize)]
struct Program {
    resident_kb: Span,
    descriptors: Span,
    /// To PostgreSQL; of the hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    connections: Option<Span>,
}

/// A figure over the rests of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Span {
    first: u64,
    last: u64,
    largest: u64,
}

impl Usage {
    /// Looks at a city that has settled.
    pub(crate) async fn look(&mut self, setting: &mut Setting) -> anyhow::Result<()> {
        let connections = setting.bureau.connections().await?;
        let hub = setting.bureau.process_id()?;
        self.take("hub", Program::now(hub, Some(connections))?);
        for agent in &setting.agents {
            let name = format!("agent of {}", agent.office_id());
            self.take(&name, Program::now(agent.process_id()?, None)?);
        }
        Ok(())
    }

    fn take(&mut self, name: &str, now: Program) {
        let known = self.0.entry(name.to_owned()).or_insert(now);
        known.resident_kb.goes_on(now.resident_kb);
        known.descriptors.goes_on(now.descriptors);
        if let (Some(known), Some(now)) = (&mut known.connections, now.connections) {
            known.goes_on(now);
        }
    }

    /// What is open in greater number than it may be.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for (name, program) in &self.0 {
            let (descriptors, connections) = match program.connections {
                Some(span) => (HUB_DESCRIPTORS, span.largest),
                None => (AGENT_DESCRIPTORS, 0),
            };
            let counts = [
                ("descriptors", program.descriptors.largest, descriptors),
                ("connections to PostgreSQL", connections, CONNECTIONS),
            ];
            let over = counts.into_iter().filter(|(_, count, most)| count > most);
            complaints.extend(over.map(|(what, count, most)| {
                format!("{name}: {count} {what} at a rest; {most} at most are expected")
            }));
        }
        complaints
    }
}

impl Program {
    fn now(process: u32, connections: Option<u64>) -> anyhow::Result<Self> {
        let resident = memory::of(process)?.now * 1024.0;
        Ok(Self {
            resident_kb: Span::of(resident as u64),
            descriptors: Span::of(memory::descriptors(process)?),
            connections: connections.map(Span::of),
        })
    }
}

impl Span {
    const fn of(figure: u64) -> Self {
        Self {
            first: figure,
            last: figure,
            largest: figure,
        }
    }

    fn goes_on(&mut self, now: Self) {
        self.last = now.last;
        self.largest = self.largest.max(now.largest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(descriptors: u64, connections: Option<u64>) -> Program {
        Program {
            resident_kb: Span::of(1),
            descriptors: Span::of(descriptors),
            connections: connections.map(Span::of),
        }
    }

    #[test]
    fn the_first_the_last_and_the_largest_are_kept() {
        let mut usage = Usage::default();
        for descriptors in [20, 40, 30] {
            usage.take("agent of hzgl", program(descriptors, None));
        }
        let span = usage.0["agent of hzgl"].descriptors;
        let (first, last, largest) = (20, 30, 40);
        assert_eq!(
            span,
            Span {
                first,
                last,
                largest
            }
        );
    }

    #[test]
    fn more_than_a_program_may_hold_is_a_complaint() {
        let mut usage = Usage::default();
        usage.take("hub", program(HUB_DESCRIPTORS, Some(CONNECTIONS)));
        usage.take("agent of hzgl", program(AGENT_DESCRIPTORS, None));
        assert_eq!(usage.complaints(), Vec::<String>::new());
        usage.take("hub", program(HUB_DESCRIPTORS, Some(CONNECTIONS + 1)));
        usage.take("agent of hzgl", program(AGENT_DESCRIPTORS + 1, None));
        usage.take("agent of hzgl", program(1, None));
        assert_eq!(usage.complaints().len(), 2, "{:?}", usage.complaints());
    }
}
