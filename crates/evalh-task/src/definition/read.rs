//! From a generated text to what it answers, and whether that is right.

use super::{
    form::{Extract, Form, Normalize},
    put::{Fault, Reading},
    python::strip,
};

/// What stands for no match where the definition names nothing else: lm-eval's.
const INVALID: &str = "[invalid]";

/// Reads answers out of texts (lm-eval's filters `regex` and `take_first`) and compares them (its `exact_match`).
#[derive(Debug)]
pub struct Reader {
    extracts: Vec<Extract>,
    normalize: Normalize,
    compiled: Reading,
}

impl Reader {
    /// A reader by a task's form.
    pub fn new(form: &Form) -> Result<Reader, Fault> {
        Ok(Reader {
            extracts: form.extracts.clone(),
            normalize: form.normalize.clone().unwrap_or_default(),
            compiled: Reading::new(form)?,
        })
    }

    /// The names of the ways of reading, in their order; one without a name where the definition has none.
    pub fn names(&self) -> Vec<Option<&str>> {
        if self.extracts.is_empty() {
            return vec![None];
        }
        self.extracts
            .iter()
            .map(|extract| Some(extract.name.as_str()))
            .collect()
    }

    /// What each way reads out of a text.
    ///
    /// # Errors
    /// When an expression takes too many steps.
    pub fn answers(&self, text: &str) -> Result<Vec<String>, String> {
        if self.extracts.is_empty() {
            return Ok(vec![text.to_owned()]);
        }
        let ways = self.extracts.iter().zip(&self.compiled.extracts);
        ways.map(|(extract, regex)| {
            let Some(regex) = regex else {
                return Ok(text.to_owned());
            };
            let found = regex.find_all(text)?;
            let chosen = selected(&found, extract.select);
            let fallback = extract.fallback.as_deref().unwrap_or(INVALID);
            Ok(chosen.unwrap_or(fallback).to_owned())
        })
        .collect()
    }

    /// Whether an answer is the target, both normalised.
    ///
    /// # Errors
    /// When an expression takes too many steps.
    pub fn is_right(&self, answer: &str, target: &str) -> Result<bool, String> {
        Ok(self.normal(answer)? == self.normal(target)?)
    }

    fn normal(&self, text: &str) -> Result<String, String> {
        let mut text = text.to_owned();
        for regex in &self.compiled.remove {
            text = regex.remove(&text)?;
        }
        if self.normalize.ignore_case {
            text = text.to_lowercase();
        }
        if self.normalize.ignore_punctuation {
            text.retain(|c| !c.is_ascii_punctuation());
        }
        if self.normalize.ignore_numbers {
            text.retain(|c| !c.is_ascii_digit());
        }
        Ok(text)
    }
}

/// The match at a place, of several groups the first that is not empty. A place beyond the matches has none, where lm-eval
/// ends with an error.
fn selected(found: &[Vec<String>], select: i64) -> Option<&str> {
    let place = if select < 0 {
        found
            .len()
            .checked_sub(usize::try_from(select.unsigned_abs()).ok()?)?
    } else {
        usize::try_from(select).ok()?
    };
    let chosen = match found.get(place)?.as_slice() {
        [whole] => whole,
        groups => groups.iter().find(|group| !group.is_empty())?,
    };
    Some(strip(chosen))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(text: &str) -> Reader {
        let form: Form = toml::from_str(text).unwrap();
        Reader::new(&form).unwrap()
    }

    #[test]
    fn matches_are_selected_as_lm_eval_selects_them() {
        let reader = reader(
            r"
            extract = [
                { name = 'first', regex = 'x([0-9 ]+)' },
                { name = 'last', regex = '(-?[$0-9.,]{2,})|(-?[0-9]+)', select = -1 },
                { name = 'second', regex = '[0-9]', select = 1, fallback = 'none' },
                { name = 'whole' },
            ]",
        );
        assert_eq!(
            reader.answers("x 1 $2.50 7").unwrap(),
            ["1", "7", "2", "x 1 $2.50 7"]
        );
        assert_eq!(
            reader.answers("5").unwrap(),
            ["[invalid]", "5", "none", "5"]
        );
        assert_eq!(
            reader.answers("").unwrap(),
            ["[invalid]", "[invalid]", "none", ""]
        );
    }

    #[test]
    fn groups_that_all_took_no_part_are_no_answer() {
        let reader = reader(
            "extract = [{ name = 'a', regex = 'x(y)?(z)?' }, { name = 'b', regex = 'x(y)?' }]",
        );
        assert_eq!(reader.answers("x").unwrap(), ["[invalid]", ""]);
    }

    #[test]
    fn texts_are_normalised_in_lm_evals_order() {
        let reader = reader(
            r"
            [normalize]
            remove = [',', '\$', '(?s).*#### ', '\.$']
            ignore_case = true",
        );
        assert!(reader.is_right("$1,000.", "so\n#### 1000").unwrap());
        assert!(reader.is_right("A", "a").unwrap());
        assert!(!reader.is_right("1.0", "1").unwrap());
        let reader =
            self::reader("normalize = { ignore_punctuation = true, ignore_numbers = true }");
        assert!(reader.is_right("a-b2.", "ab").unwrap());
    }
}
