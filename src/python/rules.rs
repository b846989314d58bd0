//! Segments as SQL rules: arguments in, columns out.
