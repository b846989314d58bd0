//! Rules that refer to one another by label: which is evaluated first.

use std::collections::HashMap;

use super::{
    ast::{Expr, Kind},
    config::CheckedRule,
};

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    /// On the way from the rule at hand.
    Open,
    Done,
}

/// The places of the rules, each behind those it refers to; or, as the error, the places of rules that refer to one
/// another in a circle, the first of them once more at the end.
pub(crate) fn dependency_order(rules: &[CheckedRule]) -> Result<Vec<usize>, Vec<usize>> {
    let places: HashMap<&str, usize> =
        rules.iter().enumerate().map(|(place, rule)| (rule.label.as_str(), place)).collect();
    let references: Vec<Vec<usize>> = rules
        .iter()
        .map(|rule| {
            references(&rule.condition).into_iter().filter_map(|(label, _)| places.get(label).copied()).collect()
        })
        .collect();
    let mut order = Vec::with_capacity(rules.len());
    let mut states = vec![State::New; rules.len()];
    for start in 0..rules.len() {
        // The way from `start` to the rule at hand, each with how many of its references have been followed.
        let mut way = Vec::new();
        let mut next = Some(start);
        loop {
            match next.take().map(|place| (place, states.get_mut(place))) {
                Some((place, Some(state))) if *state == State::New => {
                    *state = State::Open;
                    way.push((place, 0));
                }
                Some((place, Some(state))) if *state == State::Open => {
                    let circle = way.iter().map(|(place, _)| *place).skip_while(|on_way| *on_way != place);
                    return Err(circle.chain([place]).collect());
                }
                _ => {}
            }
            let Some((place, followed)) = way.last_mut() else { break };
            next = references.get(*place).and_then(|all| all.get(*followed)).copied();
            *followed += 1;
            if next.is_none() {
                order.push(*place);
                if let Some(state) = states.get_mut(*place) {
                    *state = State::Done;
                }
                way.pop();
            }
        }
    }
    Ok(order)
}

/// The rules a condition refers to, with the character at which it does.
pub(crate) fn references(tree: &Expr) -> Vec<(&str, usize)> {
    let mut found = Vec::new();
    tree.walk(&mut |node| {
        if let Kind::Rule(label) = &node.kind {
            found.push((label.as_str(), node.at));
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::parse;

    fn rules(references: &[&[usize]]) -> Vec<CheckedRule> {
        let rule = |(place, to): (usize, &&[usize])| {
            let terms = to.iter().map(|to| Expr { at: 0, kind: Kind::Rule(to.to_string()) }).collect();
            CheckedRule { label: place.to_string(), condition: Expr { at: 0, kind: Kind::And(terms) } }
        };
        references.iter().enumerate().map(rule).collect()
    }

    #[test]
    fn each_stands_behind_what_it_refers_to() {
        assert_eq!(dependency_order(&rules(&[&[1, 2], &[2], &[], &[0, 2]])), Ok(vec![2, 1, 0, 3]));
        assert_eq!(dependency_order(&rules(&[&[1], &[2], &[3], &[1]])), Err(vec![1, 2, 3, 1]));
        assert_eq!(dependency_order(&rules(&[&[0]])), Err(vec![0, 0]));
        assert!(references(&parse("a", "x = 1").unwrap()).is_empty());
    }

    #[test]
    fn a_chain_of_ten_thousand_costs_no_stack() {
        let next: Vec<Vec<usize>> = (1..=10_000).map(|next| vec![next]).chain([vec![]]).collect();
        let slices: Vec<&[usize]> = next.iter().map(Vec::as_slice).collect();
        assert_eq!(dependency_order(&rules(&slices)).map(|order| order.len()), Ok(10_001));
    }
}
