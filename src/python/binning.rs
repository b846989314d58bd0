//! From a measure to a few ordered bins: arguments in, columns out.
