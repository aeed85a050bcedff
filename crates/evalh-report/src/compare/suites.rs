//! The scores and contrasts of one suite.

use super::{
    Against, Analysis, ComparedMetric, ComparedPart, ComparedSuite, Contrast, Role,
    answers::{Answered, Items},
    asked::asked,
    flips::{flips, outcomes},
    measure::Recipe,
    over_models::{seed, stem},
    paired::{Pair, contrast},
    single::scored,
    variants::Member,
};
use crate::{
    number::is_share,
    parts::{is_detail, parts},
};
use evalh_record::{Part, ResultRow};

/// The metrics of which a lower value is better.
const LOWER_IS_BETTER: [&str; 3] = ["nats_per_token", "bits_per_byte", "word_perplexity"];

/// Compares what the variants answered of a suite; `None` where none did.
pub(super) fn suite(
    answered: &[Answered<'_>],
    members: &[Member],
    analysis: Analysis,
) -> Option<ComparedSuite> {
    let first = answered.first()?;
    let settings = first.suite;
    let rows = answered.iter().flat_map(|of| of.rows.iter().copied());
    let parts = parts(rows, settings);
    let compared = parts.into_iter().map(|(part, name)| ComparedPart {
        part,
        name: name.to_owned(),
        detail: is_detail(settings, part),
        metrics: metrics(answered, members, part, name, analysis),
    });
    Some(ComparedSuite {
        name: settings.name.clone(),
        protocol: settings.protocol.clone(),
        asked: asked(settings),
        items: settings.items,
        parts: compared.collect(),
        flips: pairs(answered, members)
            .filter(|(_, _, against)| *against == Against::Base)
            .flat_map(|(ours, theirs, _)| flips(ours.variant, &ours.items, &theirs.items))
            .collect(),
        outcomes: answered.iter().flat_map(outcomes).collect(),
    })
}

/// The metrics of a part, the headline first.
fn metrics(
    answered: &[Answered<'_>],
    members: &[Member],
    part: Part,
    name: &str,
    analysis: Analysis,
) -> Vec<ComparedMetric> {
    let items: Vec<Items<'_>> = answered.iter().map(|of| of.part(part, name)).collect();
    let mut names: Vec<&str> = Vec::new();
    for row in answered.iter().flat_map(|of| &of.rows) {
        if row.part == part && row.task == name && !names.contains(&row.metric.as_str()) {
            names.push(&row.metric);
        }
    }
    let metrics = names.into_iter().map(|metric| {
        let rows: Vec<(usize, &ResultRow)> = answered
            .iter()
            .enumerate()
            .filter_map(|(at, of)| Some((at, of.row(part, name, metric)?)))
            .collect();
        let first = rows.first().map(|(_, row)| *row);
        let lower_is_better = first.is_some_and(|row| LOWER_IS_BETTER.contains(&row.metric_name()));
        let recorded: Vec<_> = rows.iter().map(|(at, row)| (*row, &items[*at])).collect();
        let recipe = Recipe::of(&recorded, &|task| headlines(answered, task));
        let recipe = recipe.as_ref();
        ComparedMetric {
            metric: metric.to_owned(),
            is_share: first.is_some_and(|row| is_share(row.metric_name())),
            lower_is_better,
            chance: first.and_then(|row| row.chance),
            scores: rows
                .iter()
                .map(|(at, row)| {
                    let measure = recipe.and_then(|recipe| recipe.over(&items[*at]));
                    scored(answered[*at].variant, row, measure.as_ref(), analysis)
                })
                .collect(),
            contrasts: contrasts(
                &Place {
                    answered,
                    members,
                    items: &items,
                    rows: &rows,
                    recipe,
                    lower_is_better,
                },
                analysis,
            ),
        }
    });
    metrics.collect()
}

/// A metric of a part.
struct Place<'p, 'r> {
    answered: &'p [Answered<'r>],
    members: &'p [Member],
    items: &'p [Items<'r>],
    rows: &'p [(usize, &'r ResultRow)],
    recipe: Option<&'p Recipe>,
    lower_is_better: bool,
}

fn contrasts(place: &Place<'_, '_>, analysis: Analysis) -> Vec<Contrast> {
    let at = |variant: usize| {
        let mut rows = place.rows.iter();
        rows.find(|(at, _)| place.answered[*at].variant == variant)
            .copied()
    };
    let found = pairs(place.answered, place.members).filter_map(|(ours, theirs, against)| {
        let ((our_at, our_row), (their_at, their_row)) = (at(ours.variant)?, at(theirs.variant)?);
        let (our_all, their_all) = (&place.items[our_at], &place.items[their_at]);
        let (our_items, their_items) = (common(our_all, their_all), common(their_all, our_all));
        let over = |items| place.recipe.and_then(|recipe| recipe.over(items));
        let measures = over(&our_items).zip(over(&their_items));
        let pair = Pair {
            variant: ours.variant,
            other: theirs.variant,
            against,
            values: (our_row.value, their_row.value),
            is_subset: our_items.len() < our_all.len() || their_items.len() < their_all.len(),
            items: (&our_items, &their_items),
            measures: measures.as_ref().map(|(our, their)| (our, their)),
            lower_is_better: place.lower_is_better,
        };
        Some(contrast(&pair, analysis))
    });
    found.collect()
}

/// The items that another variant answered too.
fn common<'r>(items: &Items<'r>, other: &Items<'r>) -> Items<'r> {
    let both = items.iter().filter(|(key, _)| other.contains_key(*key));
    both.map(|(key, samples)| (*key, samples.clone())).collect()
}

/// The headline rows of a task, of all variants, with their items.
fn headlines<'r>(answered: &[Answered<'r>], task: &str) -> Vec<(&'r ResultRow, Items<'r>)> {
    let rows = answered.iter().filter_map(|of| {
        let mut rows = of.rows.iter();
        let row = rows.find(|row| row.part == Part::Task && row.task == task)?;
        Some((*row, of.part(Part::Task, task)))
    });
    rows.collect()
}

/// What is set against what: each variant against its base, then each selective adapter against its standard one.
fn pairs<'p, 'r>(
    answered: &'p [Answered<'r>],
    members: &'p [Member],
) -> impl Iterator<Item = (&'p Answered<'r>, &'p Answered<'r>, Against)> {
    let find = |variant: usize| answered.iter().find(move |of| of.variant == variant);
    let to_base = answered.iter().filter_map(move |ours| {
        let base = members[ours.variant].facts.base?;
        Some((ours, find(base)?, Against::Base))
    });
    let to_standard = answered.iter().filter_map(move |ours| {
        let standard = standard_of(ours.variant, members)?;
        Some((ours, find(standard)?, Against::Standard))
    });
    to_base.chain(to_standard)
}

/// The standard adapter that a selective one is set against: of the same model, the only one, or of its run's the one with
/// the same number at the end of its name (the seed). Where numbers do not tell, the one of the same rank: among all
/// selective ones where there are as many, else among those of one name.
fn standard_of(variant: usize, members: &[Member]) -> Option<usize> {
    let ours = &members[variant].facts;
    if ours.role != Role::Selective {
        return None;
    }
    let of = |role: Role| {
        let same =
            move |member: &Member| member.facts.role == role && member.facts.base == ours.base;
        let all = members.iter().enumerate();
        all.filter(move |(_, member)| same(member))
            .map(|(place, _)| place)
    };
    let standards: Vec<usize> = of(Role::Standard).collect();
    let in_run = |place: &usize| members[*place].facts.run == ours.run;
    let own: Vec<usize> = standards.iter().copied().filter(in_run).collect();
    match (own.as_slice(), standards.as_slice()) {
        ([only], _) | ([], [only]) => return Some(*only),
        _ => {}
    }
    let name = |place: usize| members[place].facts.name_in_run.as_str();
    let number = seed(name(variant));
    let mut alike = own.iter().filter(|place| seed(name(**place)) == number);
    if let (false, Some(only), None) = (number.is_empty(), alike.next(), alike.next()) {
        return Some(*only);
    }
    let mut selective: Vec<usize> = of(Role::Selective).filter(in_run).collect();
    if selective.len() != own.len() {
        selective.retain(|place| stem(name(*place)) == stem(name(variant)));
    }
    let rank = selective.iter().position(|place| *place == variant)?;
    own.get(rank).copied()
}
