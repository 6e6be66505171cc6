//! One series that still arrives: what it is asked, and which of its slices can be answered next.

use std::collections::BTreeSet;
use std::sync::Arc;

use dataset::tags;
use domain::{AssociationId, Beside, Ends, GrowingStack, Limits, SopInstanceUid, Unsuitable, dot};
use inference::{Ahead, Model, Neighbourhood, Questions, SliceAnswers, answer_ahead};
use series::{SourceInstance, SourceSlice};

/// Slices of a series that are looked at; more are left to the job.
const SLICES_MAX: usize = 4_096;

/// A model, what it is asked about the series, and which slices it has answered.
#[derive(Debug)]
pub(super) struct Inquiry {
    pub(super) model: Arc<Model>,
    pub(super) questions: Questions,
    pub(super) keep_probabilities: bool,
    order: Order,
}

/// In which order a model takes slices.
#[derive(Debug)]
enum Order {
    /// As they come: it looks at one alone. Which is the next.
    AsTheyCome(usize),
    /// With their neighbours.
    Stack(GrowingStack),
}

impl Inquiry {
    /// Nothing answered yet.
    pub(super) fn new(model: Arc<Model>, questions: Questions, keep_probabilities: bool) -> Self {
        let order = if model.looks_at_neighbours() {
            Order::Stack(GrowingStack::default())
        } else {
            Order::AsTheyCome(0)
        };
        Self { model, questions, keep_probabilities, order }
    }

    fn take(&mut self, count: usize, ends: Ends) -> Option<Beside> {
        match &mut self.order {
            Order::AsTheyCome(next) => {
                let this = *next;
                (this < count).then(|| {
                    *next += 1;
                    Beside { this, previous: None, next: None }
                })
            }
            Order::Stack(stack) => stack.take(ends),
        }
    }
}

/// A series that still arrives.
#[derive(Debug)]
pub(super) struct Growing {
    inquiries: Vec<Inquiry>,
    slices: Vec<SourceSlice>,
    seen: BTreeSet<SopInstanceUid>,
    associations: BTreeSet<AssociationId>,
    normal: Option<[f64; 3]>,
    answers: Arc<SliceAnswers>,
}

/// What came of trying to answer a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// One was tried.
    Tried(Option<Ahead>),
    /// None can be answered now.
    Idle,
}

impl Growing {
    /// A series of which nothing has come yet.
    pub(super) fn new(inquiries: Vec<Inquiry>, answers: Arc<SliceAnswers>) -> Self {
        Self {
            inquiries,
            slices: vec![],
            seen: BTreeSet::new(),
            associations: BTreeSet::new(),
            normal: None,
            answers,
        }
    }

    /// Adds an instance. One that comes again with other content ends the work ahead: what was answered may be void.
    pub(super) fn add(
        &mut self,
        instance: &Arc<SourceInstance>,
        association: AssociationId,
        limits: &Limits,
    ) -> Result<(), Unsuitable> {
        self.associations.insert(association);
        if !self.seen.insert(instance.identity.sop_instance.clone()) {
            self.inquiries.clear();
            return Ok(());
        }
        let alone = series::assemble(std::slice::from_ref(instance), limits)?;
        if self.slices.len() + alone.slices.len() > SLICES_MAX {
            self.inquiries.clear();
            return Ok(());
        }
        let normal = alone.grid.in_patient().map(|geometry| geometry.directions[2]);
        self.normal = self.normal.or(normal);
        for slice in alone.slices {
            let number = self.slices.len();
            if let Some(place) = self.place(&slice) {
                let stacks =
                    self.inquiries.iter_mut().filter_map(|inquiry| match &mut inquiry.order {
                        Order::Stack(stack) => Some(stack),
                        Order::AsTheyCome(_) => None,
                    });
                stacks.for_each(|stack| stack.add(number, place));
            }
            self.slices.push(slice);
        }
        Ok(())
    }

    /// Along the normal, in mm; for frames without a place the order in which they will be stacked, by Instance Number.
    fn place(&self, slice: &SourceSlice) -> Option<f64> {
        match (&slice.position, self.normal) {
            (Some(position), Some(normal)) => Some(dot(position.mm, normal)),
            (_, _) => {
                let number = slice.instance.header.int(tags::INSTANCE_NUMBER)?;
                let number = i32::try_from(number).ok().filter(|_| slice.instance.frame_count == 1);
                number.map(f64::from)
            }
        }
    }

    /// An association ended.
    pub(super) fn association_closed(&mut self, association: AssociationId) {
        self.associations.remove(&association);
    }

    /// Answers the next slice that can be answered.
    pub(super) fn step(&mut self) -> Step {
        let ends = if self.associations.is_empty() { Ends::Final } else { Ends::Growing };
        let count = self.slices.len();
        for at in 0..self.inquiries.len() {
            let Some(beside) = self.inquiries[at].take(count, ends) else { continue };
            return Step::Tried(self.answer(at, beside));
        }
        Step::Idle
    }

    /// A model that cannot answer ahead, or fails, is not asked again; the job will say why.
    fn answer(&mut self, at: usize, beside: Beside) -> Option<Ahead> {
        let inquiry = &self.inquiries[at];
        let slice = |number: usize| &self.slices[number];
        let slices = Neighbourhood {
            this: slice(beside.this),
            previous: beside.previous.map(slice),
            next: beside.next.map(slice),
        };
        let (model, questions) = (&inquiry.model, &inquiry.questions);
        let answered =
            answer_ahead(model, questions, &slices, inquiry.keep_probabilities, &self.answers);
        match answered {
            Ok(Ahead::NeedsSeries) => {
                self.inquiries.remove(at);
                Some(Ahead::NeedsSeries)
            }
            Ok(made) => Some(made),
            Err(error) => {
                tracing::debug!(%error, "not answered ahead");
                self.inquiries.remove(at);
                None
            }
        }
    }
}
