//! What holds for one task: what it sets itself, else what the protocol sets.

use super::form::{Definition, Form, Layout, Metric, Rows, Shots, TaskForm, TextOrList};

/// The kinds of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One of several answers is chosen.
    Choices,
    /// Text is generated.
    Generate,
    /// The text's own loss is taken.
    Loss,
}

impl Kind {
    /// The field that asks for it.
    pub fn field(self) -> &'static str {
        match self {
            Kind::Choices => "choices",
            Kind::Generate => "generate",
            Kind::Loss => "loss",
        }
    }

    /// The metrics where none are named: lm-eval's for its kinds of tasks.
    fn default_metrics(self) -> &'static [Metric] {
        match self {
            Kind::Choices => &[Metric::Acc, Metric::AccNorm],
            Kind::Generate => &[Metric::ExactMatch],
            Kind::Loss => &[Metric::NatsPerToken, Metric::BitsPerByte],
        }
    }
}

impl Form {
    /// This form with everything that `base` sets and this does not.
    pub(super) fn over(&self, base: &Form) -> Form {
        let base = base.clone();
        let own = self.clone();
        let asked_by = if own.kinds().is_empty() { &base } else { &own };
        let (choices, generate, loss) = (
            asked_by.choices.clone(),
            asked_by.generate.clone(),
            asked_by.loss.clone(),
        );
        Form {
            source: own.source.or(base.source),
            id: own.id.or(base.id),
            preamble: own.preamble.or(base.preamble),
            context: own.context.or(base.context),
            target: own.target.or(base.target),
            target_is: own.target_is.or(base.target_is),
            delimiter: own.delimiter.or(base.delimiter),
            separator: own.separator.or(base.separator),
            prefill: own.prefill.or(base.prefill),
            shots: own.shots.or(base.shots),
            choices,
            generate,
            loss,
            extracts: if own.extracts.is_empty() {
                base.extracts
            } else {
                own.extracts
            },
            normalize: own.normalize.or(base.normalize),
            metrics: own.metrics.or(base.metrics),
            positive: own.positive.or(base.positive),
        }
    }

    /// The kinds of question that it asks; exactly one where it is whole.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let asked = [
            (self.choices.is_some(), Kind::Choices),
            (self.generate.is_some(), Kind::Generate),
            (self.loss.is_some(), Kind::Loss),
        ];
        let kinds = asked.into_iter().filter(|(is_asked, _)| *is_asked);
        kinds.map(|(_, kind)| kind).collect()
    }

    /// The kind of question of a whole form.
    pub(super) fn kind(&self) -> Kind {
        self.kinds().first().copied().unwrap_or(Kind::Loss)
    }

    /// The metrics, the headline first.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let metrics = self.metrics.clone();
        metrics.unwrap_or_else(|| self.kind().default_metrics().to_vec())
    }

    /// Between context and answer.
    pub(super) fn delimiter(&self) -> &str {
        self.delimiter.as_deref().unwrap_or(" ")
    }

    /// Between solved examples.
    pub(super) fn separator(&self) -> &str {
        self.separator.as_deref().unwrap_or("\n\n")
    }

    /// Solved examples before each item where the options ask for no other number.
    pub(super) fn shot_count(&self) -> usize {
        self.shots.as_ref().map_or(0, |shots| shots.count)
    }

    /// How many choices there are, where all items have as many.
    pub(super) fn choice_count(&self) -> Option<usize> {
        match &self.choices {
            Some(TextOrList::List(choices)) => Some(choices.len()),
            _ => None,
        }
    }
}

impl Shots {
    /// Whether what equals the item is left out of what it is shown.
    pub(super) fn leaves_out_item(&self, layout: &Layout) -> bool {
        let same_rows = |shots: &Rows| {
            (&shots.file, &shots.filter) == (&layout.items.file, &layout.items.filter)
        };
        let default = self.exemplars.is_empty() && layout.shots.as_ref().is_some_and(same_rows);
        self.leave_out_item.unwrap_or(default)
    }
}

impl Definition {
    /// The tasks: those that are named, or one of the suite's own name.
    pub(super) fn all_tasks(&self) -> Vec<TaskForm> {
        if !self.tasks.is_empty() {
            return self.tasks.clone();
        }
        vec![TaskForm {
            name: self.name.clone(),
            group: None,
            vars: std::collections::BTreeMap::new(),
            rows: self.rows,
            layouts: Vec::new(),
            form: Form::default(),
        }]
    }

    /// A task's layouts: its own, or the suite's.
    pub(super) fn layouts_of<'d>(&'d self, task: &'d TaskForm) -> &'d [Layout] {
        if task.layouts.is_empty() {
            &self.layouts
        } else {
            &task.layouts
        }
    }

    /// The items of all tasks, where that is stated.
    pub(super) fn stated_items(&self) -> Option<usize> {
        let sum = || self.tasks.iter().map(|task| task.rows).sum();
        self.rows
            .or_else(|| if self.tasks.is_empty() { None } else { sum() })
    }

    /// The protocol that is taken where none is named.
    pub(super) fn default_name(&self) -> &str {
        let first = self.protocols.keys().next().map_or("", String::as_str);
        self.default_protocol.as_deref().unwrap_or(first)
    }
}
