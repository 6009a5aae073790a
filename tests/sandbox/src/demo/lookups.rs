//! Three look-ups as a notary makes them, with their answers.

use std::collections::HashSet;

use anyhow::Context;
use linkage::vocabulary::PartyRole;
use sandbox::{Agent, Answer, Inquiry, Town};
use synthetic_city::{Case, CaseRef, City, PlantedKind};

use super::cast;

/// A question and why it is asked.
struct Question {
    title: String,
    inquiry: Inquiry,
}

/// Asks through the agent of the first office; returns what a person reads.
pub(super) async fn ask(town: &Town, agent: &Agent) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    for question in questions(town.city(), agent.office_id())? {
        let answer = agent
            .check_as_text(&question.inquiry, cast::NOTARY, cast::PASSWORD)
            .await?;
        lines.push(format!("  {} ({})", question.title, meaning(&answer)?));
        let said = answer.out.lines().filter(|line| !line.trim().is_empty());
        lines.extend(said.map(|line| format!("      {line}")));
    }
    Ok(lines.join("\n"))
}

/// Somebody to look up for whoever tries the console.
pub(super) struct Example {
    pub(super) matter: String,
    /// `role:kind:number`.
    pub(super) party: String,
    /// The same without the number, as `office-agent check --person` takes it.
    pub(super) person: String,
}

pub(super) fn example(city: &City, home: &str) -> Option<Example> {
    let case = duplicate_elsewhere(city, home)?;
    let inquiry = Inquiry::about(&case);
    let person = case.parties.iter().find_map(|party| {
        let (role, sex) = (party.role.code(), party.sex?.code());
        let (name, birth, phone) = (&party.name, party.birth_on?, party.phone.as_ref()?);
        Some(format!(
            "{role}:{name}:birth={birth},sex={sex},phone={phone}"
        ))
    });
    Some(Example {
        matter: inquiry.matter().to_owned(),
        party: inquiry.parties().first()?.clone(),
        person: person?,
    })
}

fn meaning(answer: &Answer) -> anyhow::Result<&'static str> {
    match answer.code {
        Some(0) => Ok("exit code 0: nothing found"),
        Some(10) => Ok("exit code 10: something found"),
        _ => anyhow::bail!("office-agent check: {}", answer.err.trim()),
    }
}

fn questions(city: &City, home: &str) -> anyhow::Result<[Question; 3]> {
    let known = duplicate_elsewhere(city, home).context("the city has a planted duplicate")?;
    let will = will_elsewhere(city, home).context("the city has a will")?;
    Ok([
        Question {
            title: format!(
                "{}: the same matter is already at another office",
                known.matter_type.name_zh()
            ),
            inquiry: Inquiry::about(&known),
        },
        Question {
            title: "委托: nobody in the city knows this person".to_owned(),
            inquiry: Inquiry::about_a_stranger("mandate"),
        },
        Question {
            title: "委托: another office holds a will of this person, which stays sealed"
                .to_owned(),
            inquiry: Inquiry::about(&will).for_matter("mandate"),
        },
    ])
}

/// A side, held elsewhere, of a pair that equal numbers show.
fn duplicate_elsewhere(city: &City, home: &str) -> Option<Case> {
    let truth = city.truth();
    let pair = truth
        .planted_of(PlantedKind::Exact)
        .find(|pair| pair.rule_id == "INHERITANCE_SAME_DECEDENT")
        .or_else(|| truth.planted_of(PlantedKind::Exact).next())?;
    let side = [&pair.left, &pair.right]
        .into_iter()
        .find(|side| side.office_id != home)?;
    find(city, side)
}

fn find(city: &City, wanted: &CaseRef) -> Option<Case> {
    let office = city
        .offices()
        .iter()
        .position(|office| office.id.as_str() == wanted.office_id)?;
    city.cases(office)
        .find(|case| case.source_case_id == wanted.source_case_id)
}

/// A will, held elsewhere, of somebody whom the city knows by nothing else.
fn will_elsewhere(city: &City, home: &str) -> Option<Case> {
    let elsewhere = (0..city.offices().len()).filter(|&at| city.offices()[at].id.as_str() != home);
    elsewhere.into_iter().find_map(|office| {
        let mut wills = Vec::new();
        let mut known = HashSet::new();
        for case in city.cases(office) {
            if is_sound_will(&case) {
                wills.push(case);
            } else {
                known.extend(numbers(&case));
            }
        }
        wills
            .into_iter()
            .find(|will| numbers(will).all(|number| !known.contains(&number)))
    })
}

fn is_sound_will(case: &Case) -> bool {
    case.matter_type.code() == "will"
        && case.flaw.is_none()
        && case.quality.is_empty()
        && case.issued_on.is_some()
        && case.subjects.is_empty()
        && case
            .parties
            .iter()
            .any(|party| party.role == PartyRole::Testator && party.document.is_some())
}

fn numbers(case: &Case) -> impl Iterator<Item = String> {
    let documents = case
        .parties
        .iter()
        .filter_map(|party| party.document.as_ref());
    documents.map(|document| document.number.clone())
}
