//! `evalh prompts`.

use super::run::check_kinds;
use crate::{
    artifacts::Artifacts,
    failure::{Exit, OrFail as _, Outcome},
    flags::{OutputFlags, PromptsFlags},
    output::Console,
    run::{
        model::{OpenedModel, Tokenizer},
        suites::SuiteData,
    },
    settings::{ModelChoice, check_sampling, suites},
};
use evalh_engine::RequestTokens;
use evalh_record::{Prompt, Request, RequestKind};
use evalh_task::Task;
use serde_json::{Map, Value, json};

/// Prints what would be asked.
///
/// # Errors
/// When a suite, its data or the checkpoint is wrong.
pub fn prompts(flags: &PromptsFlags) -> Outcome<Exit> {
    let console = Console::new(OutputFlags {
        quiet: true,
        json: true,
    });
    let here = std::env::current_dir().or_fail_to(|| "find the working directory".to_owned())?;
    check_sampling(&flags.question)?;
    let choices = suites(&flags.suite, &flags.question, &here)?;
    let artifacts = Artifacts::new(&console, flags.offline)?;
    let model = match &flags.model {
        Some(named) => {
            let choice = ModelChoice::of(named, &here);
            Some(OpenedModel::open(&choice, &artifacts, None, "--model")?)
        }
        None => None,
    };
    let tokenizer = model.as_ref().map(OpenedModel::tokenizer).transpose()?;
    // Without a checkpoint there is no telling; a chat is asked for by name then.
    let has_template = model.as_ref().is_none_or(OpenedModel::has_chat_template);
    for choice in &choices {
        let suite = choice.suite.open()?;
        let data = SuiteData::of(suite, choice.data.clone(), &artifacts, "--data")?;
        let labels = match &model {
            Some(model) => {
                check_kinds(std::slice::from_ref(&data), model)?;
                model.labels(&[])?
            }
            None => Vec::new(),
        };
        let mut options = choice.task_options(has_template, &labels);
        if model.is_none() {
            let plain = data.suite.default_protocol(false).to_owned();
            options.protocol.get_or_insert(plain);
        }
        print(&*data.open(&options)?, tokenizer.as_ref(), &console)?;
    }
    Ok(Exit::Done)
}

fn print(task: &dyn Task, tokenizer: Option<&Tokenizer>, console: &Console) -> Outcome<()> {
    let requests = task.requests();
    let mut tokens = match tokenizer {
        Some(tokenizer) => Some(tokenizer.tokens(&requests)?.into_iter()),
        None => None,
    };
    for request in &requests {
        let tokens = tokens.as_mut().and_then(Iterator::next);
        console.json_line(&line(task, request, tokens));
    }
    Ok(())
}

/// One request as JSON.
fn line(task: &dyn Task, request: &Request, tokens: Option<RequestTokens>) -> Value {
    let mut line = Map::new();
    let mut put = |name: &str, value: Value| line.insert(name.to_owned(), value);
    put("suite", task.suite().into());
    put("protocol", task.protocol().into());
    if let Some(slot) = task.slot(request.index) {
        put("task", slot.task.into());
        put("item", slot.item.into());
        put("position", slot.position.into());
        put("sample", slot.sample.into());
        put("shots", slot.shots.into());
        if let Some(target) = slot.target {
            put("target", target.into());
        }
    }
    match &request.prompt {
        Prompt::Text(text) => {
            put("context", text.as_str().into());
        }
        Prompt::Pair { first, second } => {
            put("context", json!([first, second]));
        }
        Prompt::Chat { messages, prefill } => {
            put("messages", json!(messages));
            if let Some(prefill) = prefill {
                put("prefill", prefill.as_str().into());
            }
        }
    }
    match &request.kind {
        RequestKind::Generate(generate) => {
            put("kind", "generate".into());
            put("stops", json!(generate.stops));
            put("max_new_tokens", generate.max_new_tokens.into());
            put("sampling", json!(generate.sampling));
        }
        RequestKind::LogLikelihood(scored) => {
            put("kind", "log_likelihood".into());
            put("continuations", json!(scored.continuations));
        }
        RequestKind::Loss(loss) => {
            put("kind", "loss".into());
            put("window", json!(loss.window));
            put("stride", json!(loss.stride));
        }
        RequestKind::Classify => {
            put("kind", "classify".into());
        }
    }
    if let Some(tokens) = tokens {
        put("context_ids", json!(tokens.context));
        if !tokens.continuations.is_empty() {
            put("continuation_ids", json!(tokens.continuations));
        }
        put("truncated_tokens", tokens.truncated.into());
    }
    Value::Object(line)
}
