//! What the caller asks for, as it arrives and as it is once checked.

use serde::Deserialize;
use serde_json::Value;

use super::Bins;
use crate::{Error, Result, cuts::Cuts};

/// How the edges of a column are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Bins of about equal size.
    Quantile,
    /// Bins of equal width.
    Uniform,
    /// The k-means optimum in one dimension.
    Kmeans,
    /// Worse than the mean, and the mean and better.
    Mean,
    /// Worse than the median, and the median and better.
    Median,
}

/// What the caller asks of one column, not yet checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnConfig {
    /// The column's name.
    pub name: String,
    /// How many bins; null for the default.
    #[serde(default)]
    pub n_bins: Value,
    /// The name of a [`Strategy`].
    #[serde(default)]
    pub strategy: Value,
    /// Inner edges: a list of numbers (meaning `<=`) or texts with an operator; null to learn them.
    #[serde(default)]
    pub edges: Value,
    /// The bins' names, worst to best.
    #[serde(default)]
    pub labels: Value,
    /// The bins' scores, worst to best.
    #[serde(default)]
    pub scores: Value,
    /// Whether low values are good.
    #[serde(default)]
    pub descending: bool,
}

/// What the caller asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The columns, in the order of the frame that comes with it.
    pub columns: Vec<ColumnConfig>,
    /// The largest number of bins allowed.
    pub most_bins: usize,
    /// The weights of the three scores in their mean; for RFM scores only.
    #[serde(default)]
    pub weights: Value,
}

/// How to find one column's bins, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plan {
    Given(Bins),
    Learned(Strategy, usize),
}

impl ColumnConfig {
    /// Checks everything that can be checked without data.
    pub(super) fn plan(&self, most_bins: usize) -> Result<Plan> {
        let name = &self.name;
        let strategy = self.strategy()?;
        let asked = self.n_bins(most_bins)?;
        let plan = match self.edges.as_array() {
            Some(edges) => {
                let Cuts { edges, left } = Cuts::read(&format!("edges of '{name}'"), edges)?;
                let bins = Bins { edges, left };
                let n_bins = bins.edges.len() + 1;
                if n_bins > most_bins {
                    return Err(Error::parameter(format!(
                        "edges of '{name}' make {n_bins} bins; wanted at most {most_bins}"
                    )));
                }
                if let Some(asked) = asked.filter(|&asked| asked != n_bins) {
                    return Err(Error::parameter(format!(
                        "edges of '{name}' make {n_bins} bins, but n_bins is {asked}; leave n_bins out, or give {} edges",
                        asked - 1
                    )));
                }
                Plan::Given(bins)
            }
            None if !self.edges.is_null() => {
                return Err(Error::parameter(format!("edges of '{name}' is {}; wanted a list", self.edges)));
            }
            None if matches!(strategy, Strategy::Mean | Strategy::Median) => {
                if let Some(asked) = asked.filter(|&asked| asked != 2) {
                    return Err(Error::parameter(format!(
                        "n_bins is {asked} for '{name}', but strategy={} always makes 2; leave n_bins out",
                        self.strategy
                    )));
                }
                Plan::Learned(strategy, 2)
            }
            None => Plan::Learned(strategy, asked.unwrap_or(5)),
        };
        let n_bins = match &plan {
            Plan::Given(bins) => bins.edges.len() + 1,
            Plan::Learned(_, n_bins) => *n_bins,
        };
        self.outputs(n_bins)?;
        Ok(plan)
    }

    fn strategy(&self) -> Result<Strategy> {
        Ok(match self.strategy.as_str() {
            Some("quantile") => Strategy::Quantile,
            Some("uniform") => Strategy::Uniform,
            Some("kmeans") => Strategy::Kmeans,
            Some("mean") => Strategy::Mean,
            Some("median") => Strategy::Median,
            _ => {
                let near = self.strategy.as_str().map_or_else(String::new, |text| {
                    crate::did_you_mean(text, ["quantile", "uniform", "kmeans", "mean", "median"])
                });
                return Err(Error::parameter(format!(
                    "strategy is {} for '{}'; wanted quantile, uniform, kmeans, mean or median{near}",
                    self.strategy, self.name
                )));
            }
        })
    }

    fn n_bins(&self, most_bins: usize) -> Result<Option<usize>> {
        if self.n_bins.is_null() {
            return Ok(None);
        }
        let wanted = self.n_bins.as_u64().and_then(|count| usize::try_from(count).ok());
        match wanted {
            Some(count) if (2..=most_bins).contains(&count) => Ok(Some(count)),
            _ => Err(Error::parameter(format!(
                "n_bins is {} for '{}'; wanted a whole number from 2 to {most_bins}",
                self.n_bins, self.name
            ))),
        }
    }

    /// The scores of the bins, worst to best, once it is known how many bins there are: `None` where the bins have
    /// names. Bins are numbered from 1 unless scores are given.
    pub(super) fn outputs(&self, n_bins: usize) -> Result<Option<Vec<i8>>> {
        let name = &self.name;
        let list = |what: &str, value: &Value| match value.as_array() {
            Some(list) if list.len() == n_bins => Ok(list.clone()),
            Some(list) => Err(Error::parameter(format!(
                "{what} of '{name}' has {} entries, but there are {n_bins} bins; give one per bin, worst to best",
                list.len()
            ))),
            None => Err(Error::parameter(format!("{what} of '{name}' is {value}; wanted a list, worst to best"))),
        };
        match (&self.labels, &self.scores) {
            (Value::Null, Value::Null) => Ok(Some((1..=n_bins).map(|score| score as i8).collect())),
            (labels, Value::Null) => {
                let labels = list("labels", labels)?;
                for (place, label) in labels.iter().enumerate() {
                    if !label.is_string() {
                        return Err(Error::parameter(format!("labels of '{name}' holds {label}; wanted text")));
                    }
                    if labels.iter().take(place).any(|earlier| earlier == label) {
                        return Err(Error::parameter(format!(
                            "labels of '{name}' holds {label} twice; name each bin once"
                        )));
                    }
                }
                Ok(None)
            }
            (Value::Null, scores) => {
                let score = |score: &Value| {
                    score.as_i64().and_then(|score| i8::try_from(score).ok()).ok_or_else(|| {
                        Error::parameter(format!(
                            "scores of '{name}' holds {score}; wanted whole numbers from -128 to 127"
                        ))
                    })
                };
                list("scores", scores)?.iter().map(score).collect::<Result<_>>().map(Some)
            }
            _ => Err(Error::parameter(format!("'{name}' has both labels and scores; give one of them"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn column(fields: &Value) -> ColumnConfig {
        let mut whole = json!({"name": "x", "strategy": "quantile"});
        whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    fn problem(fields: &Value) -> String {
        column(fields).plan(100).unwrap_err().to_string()
    }

    #[test]
    fn cuts_are_numbers_or_texts() {
        let cuts = json!({"edges": [1, "< 2", "<= 2.5", "> 3e0", " >=4 ", "≤ 5"]});
        let Plan::Given(bins) = column(&cuts).plan(100).unwrap() else { panic!() };
        assert_eq!(bins.edges, [1.0, 2.0, 2.5, 3.0, 4.0, 5.0]);
        assert_eq!(bins.left, [false, true, false, false, true, false]);
    }

    #[test]
    fn coinciding_edges_stay_and_decreasing_ones_are_refused() {
        assert!(column(&json!({"edges": [1, 1, 1]})).plan(100).is_ok());
        assert!(column(&json!({"edges": ["< 1", "<= 1"]})).plan(100).is_ok());
        assert!(problem(&json!({"edges": ["<= 1", "< 1"]})).contains("go down"));
        assert!(problem(&json!({"edges": [3, 2]})).contains("go down from 3 to 2"));
    }

    #[test]
    fn every_wrong_parameter_is_a_sentence() {
        for (fields, words) in [
            (json!({"n_bins": 0}), "n_bins is 0 for 'x'; wanted a whole number from 2 to 100"),
            (json!({"n_bins": 1}), "wanted a whole number"),
            (json!({"n_bins": 1000}), "wanted a whole number"),
            (json!({"n_bins": 2.5}), "n_bins is 2.5"),
            (json!({"n_bins": "five"}), "n_bins is \"five\""),
            (json!({"n_bins": true}), "n_bins is true"),
            (json!({"strategy": "quantiles"}), "did you mean 'quantile'"),
            (json!({"strategy": 3}), "strategy is 3"),
            (json!({"strategy": "mean", "n_bins": 3}), "always makes 2"),
            (json!({"edges": [1, 2], "n_bins": 5}), "make 3 bins, but n_bins is 5"),
            (json!({"edges": []}), "is empty"),
            (json!({"edges": 5}), "wanted a list"),
            (json!({"edges": ["50"]}), "holds \"50\""),
            (json!({"edges": ["< fifty"]}), "< fifty"),
            (json!({"edges": ["< inf"]}), "finite"),
            (json!({"edges": [null]}), "holds null"),
            (json!({"edges": (0..200).collect::<Vec<_>>()}), "at most 100"),
            (json!({"labels": ["a"]}), "has 1 entries"),
            (json!({"n_bins": 2, "labels": ["a", "a"]}), "twice"),
            (json!({"n_bins": 2, "labels": ["a", 1]}), "wanted text"),
            (json!({"n_bins": 2, "scores": [1, 200]}), "from -128 to 127"),
            (json!({"n_bins": 2, "scores": [1, 1.5]}), "from -128 to 127"),
            (json!({"n_bins": 2, "scores": [1, 2], "labels": ["a", "b"]}), "both"),
        ] {
            let found = problem(&fields);
            assert!(found.contains(words), "{found}");
        }
    }
}
