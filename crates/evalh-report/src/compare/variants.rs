//! The variants of a comparison, and which run's answers each of them has.

use super::{AdapterFacts, CompareError, InRun, Role, Run, Variant};
use evalh_record::{AdapterSettings, CheckpointSettings, Settings, VariantSettings};

/// A variant with the runs that answered for it: their places, and its name there.
pub(super) struct Member {
    pub facts: Variant,
    pub runs: Vec<(usize, String)>,
}

/// All variants: the same checkpoint with the same adapter stands once, whichever runs have it.
pub(super) fn members(
    runs: &[Run<'_>],
    roles: &[(String, Role)],
) -> Result<Vec<Member>, CompareError> {
    let mut members: Vec<Member> = Vec::new();
    let mut keys: Vec<Key<'_>> = Vec::new();
    for (place, run) in runs.iter().enumerate() {
        if runs[..place].iter().any(|other| other.name == run.name) {
            return Err(CompareError::SameName {
                name: run.name.to_owned(),
            });
        }
        let settings = &run.record.manifest.settings;
        let first = settings.variants.first();
        let first = first.ok_or_else(|| CompareError::NoVariants {
            run: run.name.to_owned(),
        })?;
        let base_key = key(settings, first);
        let mut base = None;
        for (at, variant) in settings.variants.iter().enumerate() {
            let key = key(settings, variant);
            // Within a run every variant is one of its own, also where two are the same.
            let is_other_run = |at: usize| {
                let member: &Member = &members[at];
                member.runs.iter().all(|(run, _)| *run != place)
            };
            let mut same = (0..keys.len()).filter(|at| keys[*at] == key);
            let known = same.find(|at| is_other_run(*at));
            let member = known.unwrap_or_else(|| {
                let facts = facts(run, place, variant, at == 0, base_key.checkpoint);
                keys.push(key);
                members.push(Member {
                    facts: Variant { base, ..facts },
                    runs: Vec::new(),
                });
                members.len() - 1
            });
            if place != members[member].facts.run {
                members[member].facts.also_in.push(InRun {
                    run: place,
                    name: variant.name.clone(),
                });
            }
            members[member].runs.push((place, variant.name.clone()));
            if at == 0 {
                base = Some(member);
            }
        }
    }
    name(&mut members, runs);
    for (name, role) in roles {
        let named =
            |member: &&mut Member| [&member.facts.name, &member.facts.name_in_run].contains(&name);
        let mut any = false;
        for member in members.iter_mut().filter(named) {
            member.facts.role = *role;
            any = true;
        }
        if !any {
            let names = members.iter().map(|member| member.facts.name.clone());
            return Err(CompareError::UnknownVariant {
                name: name.clone(),
                names: names.collect(),
            });
        }
    }
    Ok(members)
}

/// What the variants of a run are, in the manifest's order; `given` are roles by name, in place of what adapters tell.
///
/// # Errors
/// When the run has no variants, or a role is given to one that it does not have.
pub fn roles(run: Run<'_>, given: &[(String, Role)]) -> Result<Vec<Role>, CompareError> {
    let members = members(&[run], given)?;
    Ok(members.iter().map(|member| member.facts.role).collect())
}

/// What makes two variants the same.
#[derive(PartialEq)]
struct Key<'r> {
    checkpoint: Option<&'r CheckpointSettings>,
    adapter: Option<&'r AdapterSettings>,
}

fn key<'r>(settings: &'r Settings, variant: &'r VariantSettings) -> Key<'r> {
    let mut checkpoints = settings.checkpoints.iter();
    Key {
        checkpoint: checkpoints.find(|of| of.name == variant.checkpoint),
        adapter: variant.adapter.as_ref(),
    }
}

fn facts(
    run: &Run<'_>,
    place: usize,
    variant: &VariantSettings,
    is_first: bool,
    base: Option<&CheckpointSettings>,
) -> Variant {
    let findings = &run.record.manifest.provenance.adapters;
    let findings = findings.iter().find(|of| of.variant == variant.name);
    let adapter = variant.adapter.as_ref().map(|adapter| AdapterFacts {
        apply: adapter.apply.clone(),
        modules: adapter.modules,
        parameters: adapter.parameters,
        base_parameters: base.map_or(0, |base| base.parameters),
        layers: adapter.layers.clone(),
        of_layers: adapter.of_layers,
        orthogonality_a: findings.and_then(|of| of.orthogonality_a),
        orthogonality_b: findings.and_then(|of| of.orthogonality_b),
    });
    Variant {
        name: variant.name.clone(),
        name_in_run: variant.name.clone(),
        run: place,
        also_in: Vec::new(),
        model: base.map_or_else(|| variant.checkpoint.clone(), |base| base.name.clone()),
        role: role(variant, is_first),
        adapter,
        base: None,
    }
}

/// What a variant is by its adapter: of one adapter the layers tell, of a sum nothing does.
fn role(variant: &VariantSettings, is_first: bool) -> Role {
    match &variant.adapter {
        None if is_first => Role::Base,
        None => Role::Other,
        Some(adapter) if adapter.parts.len() > 1 || adapter.layers.is_empty() => Role::Other,
        Some(adapter) if adapter.layers.len() == adapter.of_layers => Role::Standard,
        Some(_) => Role::Selective,
    }
}

/// Names that two runs give to different variants get the run's name before them.
fn name(members: &mut [Member], runs: &[Run<'_>]) {
    let names: Vec<String> = members
        .iter()
        .map(|member| member.facts.name_in_run.clone())
        .collect();
    for (place, member) in members.iter_mut().enumerate() {
        let taken = |(other, name): (usize, &String)| other != place && *name == names[place];
        if names.iter().enumerate().any(taken) {
            member.facts.name = format!("{}/{}", runs[member.facts.run].name, names[place]);
        }
    }
}
