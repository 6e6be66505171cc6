//! Reads keys out of TOML tables and notes every fault with its key path; does not know what the keys mean.

use toml::{Table, Value};

use crate::faults::Faults;

/// A table of the manifest. Reading a key takes it out; what is left at the end is unknown.
#[derive(Debug)]
pub(crate) struct Section {
    path: String,
    table: Table,
    known: Vec<&'static str>,
}

impl Section {
    /// A table at a key path; the path of the root is empty.
    pub(crate) fn new(path: impl Into<String>, table: Table) -> Self {
        Self { path: path.into(), table, known: Vec::new() }
    }

    /// The path of a key of this table.
    pub(crate) fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.into() } else { format!("{}.{key}", self.path) }
    }

    /// Whether the key is there, and not yet read.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.table.remove(key)
    }

    fn wrong(&self, key: &str, wanted: &str, found: &Value, faults: &mut Faults) {
        faults.add(self.at(key), format!("{wanted} is wanted, not {}", found.type_str()));
    }

    /// A text.
    pub(crate) fn text(&mut self, key: &'static str, faults: &mut Faults) -> Option<String> {
        let value = self.take(key)?;
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong(key, "a text", &value, faults);
        }
        text
    }

    /// A text that must be there and not be empty.
    pub(crate) fn required_text(&mut self, key: &'static str, faults: &mut Faults) -> String {
        let present = self.has(key);
        let text = self.text(key, faults);
        if !present {
            faults.add(self.at(key), "missing");
        } else if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            faults.add(self.at(key), "empty");
        }
        text.unwrap_or_default()
    }

    /// A list of texts; empty when absent.
    pub(crate) fn texts(&mut self, key: &'static str, faults: &mut Faults) -> Vec<String> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let texts = as_texts(&value);
        if texts.is_none() {
            self.wrong(key, "a list of texts", &value, faults);
        }
        texts.unwrap_or_default()
    }

    /// Three texts, or one.
    pub(crate) fn text_or_three(
        &mut self,
        key: &'static str,
        faults: &mut Faults,
    ) -> Option<Vec<String>> {
        let value = self.take(key)?;
        if let Some(text) = value.as_str() {
            return Some(vec![text.to_owned()]);
        }
        let three = as_texts(&value).filter(|texts| texts.len() == 3);
        if three.is_none() {
            self.wrong(key, "a text or a list of three texts", &value, faults);
        }
        three
    }

    /// A whole number of at least `minimum`.
    pub(crate) fn whole(
        &mut self,
        key: &'static str,
        minimum: usize,
        faults: &mut Faults,
    ) -> Option<usize> {
        let value = self.take(key)?;
        let whole = as_whole(&value).filter(|number| *number >= minimum);
        if whole.is_none() {
            let wanted = format!("a whole number of at least {minimum} is wanted, not {value}");
            faults.add(self.at(key), wanted);
        }
        whole
    }

    /// `N` whole numbers of at least `minimum`.
    pub(crate) fn wholes<const N: usize>(
        &mut self,
        key: &'static str,
        minimum: usize,
        faults: &mut Faults,
    ) -> Option<[usize; N]> {
        let value = self.take(key)?;
        let list = value.as_array().map(|list| list.iter().map(as_whole).collect::<Vec<_>>());
        let list: Option<Vec<usize>> = list.and_then(|list| list.into_iter().collect());
        let array = list.filter(|list| list.iter().all(|number| *number >= minimum));
        let array = array.and_then(|list| <[usize; N]>::try_from(list).ok());
        if array.is_none() {
            let wanted = format!("{N} whole numbers of at least {minimum} are wanted, not {value}");
            faults.add(self.at(key), wanted);
        }
        array
    }

    /// A finite number.
    pub(crate) fn number(&mut self, key: &'static str, faults: &mut Faults) -> Option<f64> {
        let value = self.take(key)?;
        let number = as_number(&value);
        if number.is_none() {
            faults.add(self.at(key), format!("a finite number is wanted, not {value}"));
        }
        number
    }

    /// `N` finite numbers.
    pub(crate) fn numbers<const N: usize>(
        &mut self,
        key: &'static str,
        faults: &mut Faults,
    ) -> Option<[f64; N]> {
        let value = self.take(key)?;
        let list = value.as_array().map(|list| list.iter().map(as_number).collect::<Vec<_>>());
        let list: Option<Vec<f64>> = list.and_then(|list| list.into_iter().collect());
        let array = list.and_then(|list| <[f64; N]>::try_from(list).ok());
        if array.is_none() {
            faults.add(self.at(key), format!("{N} finite numbers are wanted, not {value}"));
        }
        array
    }

    /// Yes or no.
    pub(crate) fn yes(&mut self, key: &'static str, faults: &mut Faults) -> Option<bool> {
        let value = self.take(key)?;
        if !value.is_bool() {
            self.wrong(key, "true or false", &value, faults);
        }
        value.as_bool()
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
        faults: &mut Faults,
    ) -> Option<T> {
        let text = self.text(key, faults)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            let what = format!("{} is wanted, not \"{text}\"", words.join(" or "));
            faults.add(self.at(key), what);
        }
        found
    }

    /// One of a few words that must be there.
    pub(crate) fn required_choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
        faults: &mut Faults,
    ) -> Option<T> {
        if !self.has(key) {
            let words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            faults.add(self.at(key), format!("missing; it is {}", words.join(" or ")));
        }
        self.choice(key, choices, faults)
    }

    /// A table within; an empty one when absent.
    pub(crate) fn section(&mut self, key: &'static str, faults: &mut Faults) -> Self {
        let path = self.at(key);
        let value = self.take(key).unwrap_or_else(|| Value::Table(Table::new()));
        let table = value.as_table().cloned();
        if table.is_none() {
            self.wrong(key, "a table", &value, faults);
        }
        Self::new(path, table.unwrap_or_default())
    }

    /// A list of tables; the path of each has its number, from 1.
    pub(crate) fn sections(&mut self, key: &'static str, faults: &mut Faults) -> Vec<Self> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let tables = value.as_array().filter(|values| values.iter().all(Value::is_table));
        if tables.is_none() {
            self.wrong(key, "a list of tables", &value, faults);
        }
        let tables = tables.into_iter().flatten().filter_map(Value::as_table);
        let section = |(number, table): (usize, &Table)| {
            Self::new(self.at(&format!("{key}[{number}]")), table.clone())
        };
        (1..).zip(tables).map(section).collect()
    }

    /// Notes the keys that nobody read.
    pub(crate) fn finish(self, faults: &mut Faults) {
        for key in self.table.keys() {
            let known = self.known.join(", ");
            faults.add(self.at(key), format!("unknown key; known here: {known}"));
        }
    }
}

fn as_texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

fn as_whole(value: &Value) -> Option<usize> {
    value.as_integer().and_then(|number| usize::try_from(number).ok())
}

fn as_number(value: &Value) -> Option<f64> {
    let whole = value.as_integer().and_then(|number| i32::try_from(number).ok()).map(f64::from);
    value.as_float().or(whole).filter(|number| number.is_finite())
}
