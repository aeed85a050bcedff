//! The prompt of Alpaca.

/// The prompt before the output: `PROMPT_DICT` of Stanford Alpaca's `train.py`, whose output follows with no space or line
/// break between.
pub(super) fn prompt(instruction: &str, input: &str) -> String {
    if input.is_empty() {
        format!(
            "Below is an instruction that describes a task. Write a response that appropriately completes the \
             request.\n\n### Instruction:\n{instruction}\n\n### Response:"
        )
    } else {
        format!(
            "Below is an instruction that describes a task, paired with an input that provides further context. Write a \
             response that appropriately completes the request.\n\n### Instruction:\n{instruction}\n\n### \
             Input:\n{input}\n\n### Response:"
        )
    }
}

/// The user's turn where the sample is told as a conversation: the template of the chat takes the place of Alpaca's.
pub(super) fn turn(instruction: &str, input: &str) -> String {
    if input.is_empty() {
        instruction.to_owned()
    } else {
        format!("{instruction}\n\n{input}")
    }
}
