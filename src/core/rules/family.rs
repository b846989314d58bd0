//! Tags that belong together: of an exclusive family a row has one at most, the first that is true.

use serde::Deserialize;

use super::{
    ast::{Expr, Kind},
    config::{Checked, CheckedRule, Rule, Unknown},
    sql,
};
use crate::{Error, Result, did_you_mean};

/// A family as a person declared it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// What it is called.
    pub name: String,
    /// Its tags, in the order they are tried.
    pub tags: Vec<String>,
    /// Whether a row has one of them at most.
    pub exclusive: bool,
    /// Of an exclusive family: the label of rows all of whose tags are false.
    #[serde(default)]
    pub default: Option<String>,
}

/// A family whose tags are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedFamily {
    /// What it is called.
    pub name: String,
    /// The places of its tags among the rules, in the order they are tried.
    pub tags: Vec<usize>,
    /// Whether a row has one of them at most.
    pub exclusive: bool,
    /// The label of rows all of whose tags are false.
    pub default: Option<String>,
}

impl CheckedFamily {
    /// The default's place among the labels: behind the tags, unless it is one of them.
    #[must_use]
    pub fn default_code(&self, rules: &[CheckedRule]) -> Option<usize> {
        let default = self.default.as_ref()?;
        let is_it = |tag: &usize| rules.get(*tag).is_some_and(|rule| &rule.label == default);
        Some(self.tags.iter().position(is_it).unwrap_or(self.tags.len()))
    }
}

/// Finds every family's tags among the rules.
pub(crate) fn check(families: &[Family], rules: &[Rule]) -> Result<Vec<CheckedFamily>> {
    let mut owner: Vec<Option<&str>> = vec![None; rules.len()];
    let mut found = Vec::with_capacity(families.len());
    for (place, family) in families.iter().enumerate() {
        let Family { name, tags, exclusive, default } = family;
        if name.is_empty() {
            return Err(Error::parameter("a family has no name; give every family one"));
        }
        if families.iter().take(place).any(|earlier| &earlier.name == name) {
            return Err(Error::parameter(format!("there are two families '{name}'; give one of them another name")));
        }
        if rules.iter().any(|rule| &rule.label == name) {
            return Err(Error::parameter(format!("a family and a tag are both called '{name}'; rename one of them")));
        }
        if tags.is_empty() {
            return Err(Error::parameter(format!("family '{name}' has no tags; name some, or leave the family out")));
        }
        if default.is_some() && !exclusive {
            return Err(Error::parameter(format!(
                "family '{name}' has a default, but is not exclusive: only a family of which a row has one tag has a label for rows without; leave the default out, or make the family exclusive"
            )));
        }
        let mut places = Vec::with_capacity(tags.len());
        for tag in tags {
            let Some(rule) = rules.iter().position(|rule| &rule.label == tag) else {
                let near = did_you_mean(tag, rules.iter().map(|rule| rule.label.as_str()));
                return Err(Error::parameter(format!("family '{name}' names a tag '{tag}' that no rule has{near}")));
            };
            if let Some(slot) = owner.get_mut(rule)
                && let Some(other) = slot.replace(name)
            {
                return Err(Error::parameter(if other == name {
                    format!("family '{name}' names the tag '{tag}' twice; once is enough")
                } else {
                    format!("the tag '{tag}' is in the families '{other}' and '{name}'; a tag has one family")
                }));
            }
            places.push(rule);
        }
        found.push(CheckedFamily { name: name.clone(), tags: places, exclusive: *exclusive, default: default.clone() });
    }
    Ok(found)
}

impl Checked {
    /// Every tag's condition by its label, then every exclusive family's label by the family's name, as SQL.
    pub fn tag_sql(&self) -> Result<Vec<(String, String)>> {
        let tag = |(place, rule): (usize, &CheckedRule)| {
            Ok((rule.label.clone(), sql::condition(self, &self.tag_condition(place, rule))?))
        };
        let family = |family: &CheckedFamily| {
            let text = sql::case_of(self, &family.tags, family.default.as_deref(), Unknown::Stop)?;
            Ok((family.name.clone(), text))
        };
        self.rules.iter().enumerate().map(tag).chain(self.exclusive_families().map(family)).collect()
    }

    /// When a tag is true: its own condition, and in an exclusive family none before it.
    pub(crate) fn tag_condition(&self, place: usize, rule: &CheckedRule) -> Expr {
        let before: Vec<Expr> = self
            .exclusive_families()
            .filter(|family| family.tags.contains(&place))
            .flat_map(|family| family.tags.iter().take_while(|tag| **tag != place))
            .filter_map(|tag| self.rules.get(*tag).map(|rule| rule.condition.clone()))
            .collect();
        let node = |kind| Expr { at: rule.condition.at, kind };
        match before.len() {
            0 => rule.condition.clone(),
            _ => node(Kind::And(vec![rule.condition.clone(), node(Kind::Not(Box::new(node(Kind::Or(before)))))])),
        }
    }
}
