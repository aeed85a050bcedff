//! Which protocol is taken.

use crate::{TaskError, TaskOptions};

/// A suite's protocols.
pub(crate) trait Choice: Copy + 'static {
    /// All, in the order in which lists show them.
    const CHOICES: &'static [Self];

    /// The name in options, records and reports.
    fn name(self) -> &'static str;

    /// The one for a checkpoint with or without a chat template.
    fn default_for(has_chat_template: bool) -> Self;

    /// Whether only a checkpoint with a chat template can answer.
    fn needs_chat_template(self) -> bool;
}

/// The protocol that is asked for, or the checkpoint's default.
///
/// # Errors
/// When there is none of the name, or the checkpoint cannot answer in it.
pub(crate) fn chosen<C: Choice>(suite: &str, options: &TaskOptions) -> Result<C, TaskError> {
    let refuse = |problem, remedy| TaskError::Setting {
        suite: suite.to_owned(),
        setting: "protocol",
        problem,
        remedy,
    };
    let protocol = match &options.protocol {
        None => C::default_for(options.has_chat_template),
        Some(name) => {
            let named = C::CHOICES.iter().find(|known| known.name() == name);
            *named.ok_or_else(|| {
                let names: Vec<_> = C::CHOICES.iter().map(|known| known.name()).collect();
                refuse(
                    format!("`{name}` is unknown"),
                    format!("choose one of: {}", names.join(", ")),
                )
            })?
        }
    };
    if protocol.needs_chat_template() && !options.has_chat_template {
        return Err(refuse(
            format!(
                "`{}` needs a chat template, and the checkpoint has none",
                protocol.name()
            ),
            "choose completion, or a checkpoint with a chat template".into(),
        ));
    }
    Ok(protocol)
}
