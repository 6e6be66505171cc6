//! What prompts mean for the images of a series.

use dataset::DataSet;
use domain::{Ask, Target, Unsuitable, UnsuitableCode};

use crate::model::Model;

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The words as they were given, one entry for each time that it was asked.
    pub given: Vec<String>,
    /// The sentence for the model.
    pub understood: String,
    /// What a segment of it stands for.
    pub target: Target,
}

/// Questions to a model about the images of a series: understood, completed from a header, none twice.
#[derive(Debug, Clone)]
pub struct Questions {
    questions: Vec<Question>,
}

impl Questions {
    /// The questions, in the order asked.
    #[must_use]
    pub fn list(&self) -> &[Question] {
        &self.questions
    }

    /// Settings that shape the answers, one `key=value` each: the words given and understood, windows, turn.
    #[must_use]
    pub fn parameters(&self) -> Vec<String> {
        Vec::new()
    }

    /// What was inferred and why, one line each. Without attribute values of the patient.
    #[must_use]
    pub fn log_lines(&self) -> Vec<String> {
        Vec::new()
    }

    /// What answers depend on beside the pixels, 64 hex digits: the model, the settings, the questions.
    #[must_use]
    pub fn key(&self) -> String {
        String::new()
    }
}

impl Model {
    /// Understands what is asked, for images with such a header.
    ///
    /// # Errors
    /// [`UnsuitableCode::PromptRefused`], naming the words and what comes nearest; [`UnsuitableCode::WrongModality`];
    /// [`UnsuitableCode::WholeSlide`].
    pub fn understand(&self, ask: &Ask, header: &DataSet) -> Result<Questions, Unsuitable> {
        let _unused = (ask, header);
        self.manifest().prompting()?;
        Err(Unsuitable::new(UnsuitableCode::PromptRefused, "not built yet"))
    }
}
