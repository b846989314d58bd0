//! From a measure to a few ordered bins.
