//! Questions a notary may ask about a city's people.

use linkage::identifier::resident_id_check_character;
use synthetic_city::{Case, Party, Subject};

/// A look-up before accepting.
#[derive(Clone, Debug)]
pub struct Inquiry {
    matter: String,
    reference: String,
    parties: Vec<String>,
    subjects: Vec<String>,
}

impl Inquiry {
    /// About everybody and everything in a case.
    pub fn about(case: &Case) -> Self {
        Self {
            parties: case.parties.iter().filter_map(party).collect(),
            subjects: case.subjects.iter().map(subject).collect(),
            ..Self::of_matter(case.matter_type.code())
        }
    }

    /// About somebody whom the city does not know.
    pub fn about_a_stranger(matter: &str) -> Self {
        // A person of this age does not apply; the number is a valid one all the same.
        let number = "33010619010203011";
        let check = resident_id_check_character(number);
        Self {
            parties: vec![format!("applicant:resident_id:{number}{check}")],
            ..Self::of_matter(matter)
        }
    }

    fn of_matter(matter: &str) -> Self {
        Self {
            matter: matter.to_owned(),
            reference: "2025-0001".to_owned(),
            parties: Vec::new(),
            subjects: Vec::new(),
        }
    }

    /// The same question on behalf of another matter.
    #[must_use]
    pub fn for_matter(self, matter: &str) -> Self {
        Self {
            matter: matter.to_owned(),
            ..self
        }
    }

    pub fn matter(&self) -> &str {
        &self.matter
    }

    /// Whom it asks for, each as `role:kind:number`.
    pub fn parties(&self) -> &[String] {
        &self.parties
    }

    pub(crate) fn arguments(&self) -> Vec<&str> {
        let mut arguments = vec![
            "--matter",
            &self.matter,
            "--purpose",
            "before_acceptance",
            "--reference",
            &self.reference,
        ];
        for party in &self.parties {
            arguments.extend(["--party", party]);
        }
        for subject in &self.subjects {
            arguments.extend(["--subject", subject]);
        }
        arguments
    }
}

fn party(party: &Party) -> Option<String> {
    let document = party.document.as_ref()?;
    let (role, kind) = (party.role.code(), document.kind.code());
    Some(format!("{role}:{kind}:{}", document.number))
}

fn subject(subject: &Subject) -> String {
    format!("{}:{}", subject.kind.code(), subject.number)
}
