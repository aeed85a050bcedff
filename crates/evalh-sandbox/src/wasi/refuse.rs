//! Functions that grant nothing: each answers with an error of its own type, or with nothing.

use super::Interface;
use wasmtime::{
    Result, bail,
    component::{
        Val,
        types::{ComponentFunc, Type},
    },
};

/// Names of errors that say "you may not", the best first; the interfaces of WASI name them differently.
const REFUSALS: [&str; 3] = ["access-denied", "access", "not-supported"];

/// Defines a function that refuses. Where its type has no way to say so, a call ends the program.
pub(super) fn define(
    interface: &mut Interface<'_>,
    name: &str,
    member: &str,
    function: &ComponentFunc,
) -> Result<()> {
    let answers = function
        .results()
        .map(|ty| answer(&ty))
        .collect::<Option<Vec<_>>>();
    let called = format!("{name} {member}");
    interface.func_new(member, move |mut context, _, parameters, results| {
        for parameter in parameters {
            // A borrowed resource has to be given back before the call ends.
            if let Val::Resource(resource) = parameter {
                resource.resource_drop(&mut context)?;
            }
        }
        let Some(answers) = &answers else {
            bail!("the program called {called}, which is refused");
        };
        results.clone_from_slice(answers);
        Ok(())
    })
}

fn answer(ty: &Type) -> Option<Val> {
    Some(match ty {
        Type::Bool => Val::Bool(false),
        Type::List(_) => Val::List(Vec::new()),
        Type::Option(_) => Val::Option(None),
        Type::Result(ty) => Val::Result(Err(match ty.err() {
            None => None,
            Some(error) => Some(Box::new(refusal(&error)?)),
        })),
        _ => return None,
    })
}

fn refusal(error: &Type) -> Option<Val> {
    match error {
        Type::Enum(ty) => {
            let names = ty.names().collect::<Vec<_>>();
            let name = REFUSALS
                .into_iter()
                .find(|name| names.contains(name))
                .or(names.first().copied())?;
            Some(Val::Enum(name.to_owned()))
        }
        Type::Variant(ty) => ty
            .cases()
            .any(|case| case.name == "closed")
            .then(|| Val::Variant("closed".to_owned(), None)),
        _ => None,
    }
}
